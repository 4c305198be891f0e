import { FleetError } from '../../protocol/errors.ts'
import { ownCopy } from '../../protocol/own-copy.ts'
import type { EntryRange, StoredEntry } from '../../ports/store.ts'
import { hasEnded } from '../row-list.ts'
import { damageError } from './damage.ts'
import type { Disk } from './disk.ts'
import { entriesOf } from './entry-records.ts'
import type { ScanMark, ScannedEntries } from './entry-scan.ts'
import { scanEntries } from './entry-scan.ts'
import { readJournal } from './journal-bytes.ts'
import type { ShardRef } from './head-shards.ts'
import type { HostFacts } from './process-identity.ts'
import { readPlaces } from './place-reading.ts'
import type { Place } from './marks.ts'
import type { RunHead } from './run-heads.ts'
import { RunHeads } from './run-heads.ts'
import type { ChainLink, SegmentChain, SegmentTop } from './segment-chain.ts'
import { missingSegments, resolveChain, segmentName, segmentPath } from './segment-chain.ts'
import type { DropRecord, EntryLine, SegmentEnd } from './segment-line.ts'
import { lossWarnings } from './segment-loss.ts'
import type { PlacedLine, SegmentItem } from './segment-parse.ts'

/** Where an older owner's segments end, and what stands behind the last whole batch. */
export interface Measurement {
  readonly ends: readonly SegmentEnd[]
  /** Behind this place, in the last of them, nothing shows that what was written is stored as well. */
  readonly synced?: Place
  readonly tail?: Place & { readonly bytes: Buffer }
  /** The newest record of segments that were deleted. */
  readonly dropped?: DropRecord
  readonly warnings: readonly string[]
}

/** The heads as far as the journal was read, to start from instead of its beginning. */
export interface ReadState {
  readonly heads: RunHeads
  readonly position: Place
}

/** Where heads are kept, so that not all of the journal has to be read. */
export interface HeadsIndex {
  /** Undefined when there is none that fits the journal. */
  load(chain: SegmentChain): Promise<ReadState | undefined>
  /** Undefined when the shard cannot be read. */
  shard(ref: ShardRef): Promise<readonly RunHead[] | undefined>
}

/** A line that was read. Of one whose entries were given away as they are, only those `from` there on were not. */
interface LastLine {
  readonly head: RunHead
  readonly line: EntryLine
  readonly from: number
  readonly isGiven: boolean
}

/** Two for each of those who read one run page by page at the same time. */
const mostGoOn = 8

/** How often a reading starts again because segments went meanwhile. */
const goneTries = 3

/**
 * What the journal says, read on from where it was left. Serves readers, which look again before each answer, and the owner, whose
 * writer tells it what became durable.
 */
export class JournalReader {
  heads = new RunHeads()
  readonly #disk: Disk
  readonly #journal: string
  readonly #host: HostFacts
  readonly #index: HeadsIndex
  readonly #tops = new Map<string, SegmentTop>()
  #links: ChainLink[] = []
  #position: Place | undefined
  #synced: Place | undefined
  #restored = false
  #isOwned = false
  #queue: Promise<unknown> = Promise.resolve()
  #loading: Promise<unknown> = Promise.resolve()
  /** Where whoever reads on in a run begins, a long history being read page by page: at the last lines that were read, and behind them, newest first. */
  readonly #goOn = new WeakMap<RunHead, readonly ScanMark[]>()
  /** The last line that entries were read of: who reads on finds it read. */
  #last: LastLine | undefined

  constructor(disk: Disk, journal: string, host: HostFacts, index: HeadsIndex) {
    this.#disk = disk
    this.#journal = journal
    this.#host = host
    this.#index = index
  }

  get position(): Place | undefined {
    return this.#position
  }

  /** Reads what was appended since. An incomplete tail is left for the next time. The owner has nothing to look for. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      for (let left = goneTries; left > 0 && !this.#isOwned; left -= 1) {
        const chain = await this.#resolve()
        const taker = chain.newest?.header?.owner
        const isBeingTaken = chain.pending && (taker === undefined || this.#host.isAlive(taker) !== false)
        if (await this.#advance(chain, isBeingTaken ? 'settled' : 'checked')) return
        // Segments went while they were read, since nothing needs them: what is left says so.
        if (left > 1) this.#forget()
      }
    })
  }

  /** Reads everything that older owners left, up to the last whole batch. For the owner of a new epoch, which fences them out. */
  measure(): Promise<Measurement> {
    return this.#inTurn(async () => {
      const { links, warnings, dropped } = await this.#resolve()
      const losses = await lossWarnings(this.#disk, this.#journal, links)
      await this.#advance({ links }, 'all')
      const ends: SegmentEnd[] = []
      for (const { segment, end } of links) ends.push({ segment, end: await this.#endOf(segment, end) })
      const last = ends.at(-1)
      const open = links.at(-1)?.end === undefined
      const bytes =
        last && open ? await readJournal(this.#disk, segmentPath(this.#journal, last.segment), last.end) : Buffer.alloc(0)
      return {
        ends,
        warnings: [...warnings, ...losses],
        ...(dropped && { dropped }),
        ...(this.#synced && { synced: this.#synced }),
        ...(last && bytes.length > 0 && { tail: { segment: last.segment, byte: last.end, bytes } }),
      }
    })
  }

  /** Becomes the owner's: from here on, what is new comes from its writer. */
  own(previous: readonly SegmentEnd[], place: Place, dropped?: DropRecord): Promise<void> {
    return this.#inTurn(() => {
      this.#isOwned = true
      this.follow(previous, place, dropped)
    })
  }

  /** Becomes a reader again. */
  disown(): void {
    this.#isOwned = false
  }

  /** The segments that nothing is appended to any more. */
  get ends(): readonly SegmentEnd[] {
    return this.#links.flatMap(({ segment, end }) => (end === undefined ? [] : [{ segment, end }]))
  }

  /** Goes on in a segment of one's own, behind `previous`, which is all that is left when some were dropped. */
  follow(previous: readonly SegmentEnd[], own: Place, dropped?: DropRecord): void {
    if (dropped !== undefined) {
      this.#links = []
      this.heads.foldDrop(dropped, own.segment, true)
    }
    const ended = new Set(previous.map(({ segment }) => segment))
    this.#links = [...this.#links.filter(({ segment }) => !ended.has(segment)), ...previous, { segment: own.segment }]
    this.#position = own
    this.#synced = own
  }

  /** Takes in lines that one wrote and synced oneself; their offsets count from `base`. */
  wrote(lines: readonly PlacedLine[], base: number, end: Place): void {
    for (const line of lines) this.heads.foldLine(line, end.segment, base)
    this.#position = end
    this.#synced = end
  }

  /** Loads heads that the index keeps apart, those of the newest runs first, until there is `enough` or no more. */
  load(enough: () => boolean): Promise<void> {
    const loaded = this.#loading.then(async () => {
      for (let ref = this.heads.shards.nextApart; ref !== undefined && !enough(); ref = this.heads.shards.nextApart) {
        const { heads } = this
        const found = await this.#index.shard(ref)
        if (found === undefined) heads.adopt(await this.#readAgain())
        else heads.load(ref, found)
        await this.#disk.turn()
      }
    })
    this.#loading = loaded.catch(() => undefined)
    return loaded
  }

  /** Entries of a run, which share parts where they may; rejects `store_damaged` when the range reaches a gap. */
  async read(run: string, { from, limit, mayShare = false }: EntryRange): Promise<readonly StoredEntry[]> {
    const head = this.heads.get(run)
    if (head === undefined || head.removed === true || limit < 1) return []
    const first = Math.max(1, from)
    if (head.base !== undefined && first <= head.base.seq) throw goneError(head.run, head.base.seq)
    if (head.damage !== undefined && first + limit - 1 > head.seq)
      throw await damageError(this.#disk, this.#journal, run, head.damage, head.seq)
    return this.#entries(head, first, Math.min(head.seq, first + limit - 1), mayShare)
  }

  /** The hash of the line that holds an entry of a run; undefined when there is none, or none that can be read. */
  async hashAt(run: string, seq: number): Promise<string | undefined> {
    const head = this.heads.get(run)
    if (head === undefined || seq < 1 || seq > head.seq) return undefined
    if (seq === head.seq) return head.hash
    const scanned = await this.#scan(head, seq, seq).catch(() => undefined)
    return scanned?.line.hash
  }

  async #entries(head: RunHead, from: number, to: number, mayShare: boolean): Promise<readonly StoredEntry[]> {
    if (from > to) return []
    const kept = this.#last
    const line = kept?.head === head && kept.from <= from && (mayShare || !kept.isGiven) ? kept.line : undefined
    // Copied at once: while the rest is read, somebody else may be given the same ones.
    const own = (entries: readonly StoredEntry[]) => (mayShare ? entries : entries.map(ownCopy))
    const there = own(line === undefined ? [] : entriesOf(line, from, to))
    const scanned = from + there.length > to ? undefined : await this.#scan(head, from + there.length, to)
    const last = scanned?.line ?? line
    // What was given away may be changed by now, but for what whoever allowed it reads next.
    const first = mayShare ? to + 1 : (last?.seq ?? 0)
    this.#last = last === undefined || last.last < first ? undefined : { head, line: last, from: first, isGiven: mayShare }
    // Of a run that has ended nothing more comes: marks would stay as long as the head does.
    if (to === head.seq && hasEnded(head.row)) this.#goOn.delete(head)
    return [...there, ...own(scanned?.entries ?? [])]
  }

  async #scan(head: RunHead, from: number, to: number): Promise<Pick<ScannedEntries, 'entries' | 'line'> | undefined> {
    if (this.#position === undefined) return undefined
    const range = { disk: this.#disk, journal: this.#journal, links: this.#links, until: this.#position }
    const isThere = (mark: ScanMark) => range.links.some(({ segment }) => segment === mark.segment)
    const [goOn] = (this.#goOn.get(head) ?? [])
      .filter((mark) => mark.seq <= from && isThere(mark))
      .toSorted((a, b) => b.seq - a.seq)
    const { next, at, ...scanned } = await scanEntries(range, head, { from, to, goOn })
    const others = (this.#goOn.get(head) ?? []).filter(({ seq }) => seq !== next.seq && seq !== at.seq)
    this.#goOn.set(head, [next, at, ...others].slice(0, mostGoOn))
    return scanned
  }

  async #resolve(): Promise<SegmentChain> {
    const chain = await resolveChain(this.#disk, this.#journal, this.#tops)
    const at = this.#position
    const link = chain.links.find(({ segment }) => segment === at?.segment)
    const fits = at === undefined || (link !== undefined && at.byte <= (link.end ?? Number.MAX_SAFE_INTEGER))
    if (!fits) this.#forget()
    if (!this.#restored) this.#start((await this.#index.load(chain)) ?? nothingRead())
    this.#restored = true
    const base = chain.dropped?.base
    if (base === undefined) return chain
    if (this.heads.seq(base.run) < base.seq) this.#start(nothingRead())
    if (this.#position === undefined) this.heads.begin(base)
    return chain
  }

  #forget(): void {
    this.#start(nothingRead())
    this.#restored = false
  }

  #start(state: { readonly heads: RunHeads; readonly position: Place | undefined }): void {
    this.heads = state.heads
    this.#position = state.position
    this.#synced = state.position
  }

  /**
   * `checked`: the growing end counts only if no newer epoch began before it was read, since that one's owner may fence the bytes out.
   * `settled`: it does not count, since somebody is about to record where it ends. `all`: it counts. False when a file was not there.
   */
  async #advance(
    { links, newest }: Pick<SegmentChain, 'links' | 'newest'>,
    reach: 'checked' | 'settled' | 'all',
  ): Promise<boolean> {
    this.#links = [...links]
    let hasAll = true
    const at = this.#position
    const start = at === undefined ? 0 : links.findIndex(({ segment }) => segment === at.segment)
    for (const { segment, end } of links.slice(Math.max(start, 0))) {
      if (end === undefined && reach === 'settled') return true
      const from = this.#position?.segment === segment ? this.#position.byte : 0
      const bytes = await readJournal(this.#disk, segmentPath(this.#journal, segment), from, end)
      if (bytes.length === 0 && from === 0 && missingSegments(this.#disk, this.#journal, links).length > 0) hasAll = false
      if (end === undefined && reach === 'checked' && this.#isFenced(newest?.epoch ?? 0)) return hasAll
      await readPlaces(this.#disk, bytes, { base: from, settled: end !== undefined }, async (stretch) => {
        await this.load(() => !isLacking(this.heads, stretch.items))
        this.heads.fold(stretch.items, segment)
        this.#position = { segment, byte: stretch.end }
        if (this.#synced?.segment !== segment || stretch.synced > from) this.#synced = { segment, byte: stretch.synced }
      })
    }
    return hasAll
  }

  /** The heads up to the position, from the journal alone; not that of the reserved stream, which is never put away. */
  async #readAgain(): Promise<RunHeads> {
    const heads = new RunHeads()
    const until = this.#position
    for (const { segment, end } of [...this.#links]) {
      if (until === undefined) break
      const isLast = segment === until.segment
      const bytes = await readJournal(this.#disk, segmentPath(this.#journal, segment), 0, isLast ? until.byte : end)
      await readPlaces(this.#disk, bytes, { base: 0, settled: true }, ({ items }) => heads.fold(items, segment))
      if (isLast) break
    }
    return heads
  }

  #isFenced(epoch: number): boolean {
    return this.#disk.exists(segmentPath(this.#journal, segmentName(epoch + 1, 1)))
  }

  async #endOf(segment: string, end: number | undefined): Promise<number> {
    if (this.#position?.segment === segment) return this.#position.byte
    if (end !== undefined && end < Number.MAX_SAFE_INTEGER) return end
    return (await this.#disk.facts(segmentPath(this.#journal, segment)))?.size ?? 0
  }

  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    this.#queue = done.catch(() => undefined)
    return done
  }
}

function nothingRead(): { readonly heads: RunHeads; readonly position: undefined } {
  return { heads: new RunHeads(), position: undefined }
}

function goneError(run: string, seq: number): FleetError {
  return new FleetError(
    'cursor_unavailable',
    `The entries of ${run} up to ${seq} went with segments of the journal that nothing needs any more. Read from ${seq + 1} on.`,
    { details: { run, readableFrom: seq + 1 } },
  )
}

/** Whether lines go on with runs, or damage may concern runs, whose heads were not loaded. A run that begins among them is in no shard. */
function isLacking(heads: RunHeads, items: readonly SegmentItem[]): boolean {
  if (!heads.shards.areApart) return false
  const begun = new Set<string>()
  const lacks = (run: string) => !begun.has(run) && heads.lacks(run)
  return items.some((item) => {
    if (item.kind === 'bad') return true
    if (item.kind === 'control') return item.line.kind === 'previous' && item.line.dropped?.removed.some(lacks) === true
    // All lines of a batch are of one run, in order.
    const [first] = item.lines
    if (first?.seq === 1) begun.add(first.run)
    return first !== undefined && lacks(first.run)
  })
}
