import type { RunFacts } from '../admission.ts'
import type { RunRow } from '../../ports/store.ts'
import { reservedId } from '../../protocol/ids.ts'
import { hasEnded } from '../row-list.ts'
import type { ShardRef } from './head-shards.ts'
import { HeadShards } from './head-shards.ts'
import { readTop } from './line-top.ts'
import type { Mark, Place } from './marks.ts'
import { mostFreshMarks, needsMark, thinMarks } from './marks.ts'
import type { CutRecord, DropRecord, StreamBase } from './segment-line.ts'
import type { PlacedLine, SegmentItem } from './segment-parse.ts'
import { SegmentUse } from './segment-use.ts'

/** What the journal says of one run, without its entries. */
export interface RunHead {
  readonly run: string
  /** Its place among all runs, in the order in which they came. */
  readonly order: number
  /** The last sequence that reads as it was written, and the hash of its line. */
  seq: number
  hash: string
  /** See `marks.ts`. */
  marks: Mark[]
  row?: RunRow
  /** Where the run's history breaks; nothing after `seq` is used, unless it goes on from there without a gap (ST4). */
  damage?: Place
  removed?: boolean
  /** Where the run goes on after a break; lines from after `seq` up to the place count no more. */
  cuts?: readonly Mark[]
  /** Set when the first entries went with their segments (ST7). */
  base?: StreamBase
}

/** What heads start from. */
export interface KnownHeads {
  readonly shards?: HeadShards
  readonly segments?: SegmentUse
  readonly heads?: Iterable<RunHead>
  /** How many runs there were so far. */
  readonly created?: number
}

/**
 * The heads of all runs, as folded from journal lines. Those of runs that need nobody any more may lie apart, in shards of the index:
 * whoever asks for a run, a key or a list looks first whether they have to be loaded.
 */
export class RunHeads implements RunFacts {
  readonly shards: HeadShards
  readonly segments: SegmentUse
  readonly #heads = new Map<string, RunHead>()
  readonly #keys = new Map<string, string>()
  /** Damaged places of which nobody knows whose they are. */
  readonly #unclaimed: Place[] = []
  #created: number
  /** Runs that ended last, and how many marks they have together. */
  readonly #fresh: { readonly head: RunHead; readonly marks: number }[] = []
  #freshMarks = 0

  constructor({ shards = new HeadShards([]), segments = new SegmentUse(), heads = [], created = 0 }: KnownHeads = {}) {
    this.shards = shards
    this.segments = segments
    this.#created = created
    for (const head of heads) this.#add(head)
  }

  get(run: string): RunHead | undefined {
    return this.#heads.get(run)
  }

  all(): IterableIterator<RunHead> {
    return this.#heads.values()
  }

  get created(): number {
    return this.#created
  }

  /** Whether the run may be in a shard that was not loaded. */
  lacks(run: string): boolean {
    return this.shards.areApart && !this.#heads.has(run)
  }

  lacksKey(key: string): boolean {
    return this.shards.areApart && !this.#keys.has(key)
  }

  seq(run: string): number {
    return this.#heads.get(run)?.seq ?? 0
  }

  removed(run: string): boolean {
    return this.#heads.get(run)?.removed === true
  }

  keyHolder(key: string): string | undefined {
    return this.#keys.get(key)
  }

  /** In the order in which the runs came. */
  rows(): readonly RunRow[] {
    const known = [...this.#heads.values()].filter(({ row }) => row !== undefined).toSorted((a, b) => a.order - b.order)
    return known.flatMap(({ row }) => row ?? [])
  }

  /** Takes in the heads of a shard. */
  load(shard: ShardRef, heads: readonly RunHead[]): void {
    for (const head of this.shards.load(shard, heads)) this.#add(head)
  }

  /** Takes in what another reading of the same journal found, instead of the shards that were not loaded. */
  adopt(heads: RunHeads): void {
    this.shards.giveUpApart()
    for (const head of heads.all()) if (!this.#heads.has(head.run)) this.#add(head)
  }

  /** Places of damage, and whose history breaks there, where that can be told. */
  get damages(): readonly { readonly place: Place; readonly run: string | undefined }[] {
    const claimed = [...this.#heads.values()].flatMap(({ run, damage }) => (damage === undefined ? [] : [{ run, place: damage }]))
    return [...claimed, ...this.#unclaimed.map((place) => ({ run: undefined, place }))]
  }

  /** Starts a stream whose first entries went with their segments. */
  begin(base: StreamBase): void {
    const head = this.#heads.get(base.run) ?? this.#create(base.run)
    head.base = base
    head.marks = head.marks.filter(({ seq }) => seq > base.seq)
    if (head.seq >= base.seq) return
    head.seq = base.seq
    head.hash = base.hash
  }

  /** Takes in what became of segments; their removed runs are known already when the record is one's own. */
  foldDrop({ segments, removed, base }: DropRecord, segment: string, isOwn: boolean): void {
    for (const run of isOwn ? [] : removed) {
      const head = this.#heads.get(run) ?? this.#create(run)
      if (head.removed !== true) this.#remove(head)
    }
    this.segments.dropped(segments)
    this.segments.recorded(segment, removed.length)
    if (base !== undefined) this.begin(base)
  }

  fold(items: readonly SegmentItem[], segment: string): void {
    for (const item of items) {
      if (item.kind === 'control' && item.line.kind === 'previous' && item.line.dropped !== undefined)
        this.foldDrop(item.line.dropped, segment, false)
      if (item.kind === 'batch') for (const line of item.lines) this.foldLine(line, segment)
      if (item.kind === 'control' && item.line.kind === 'cut') this.#cut(item.line.cut, { segment, byte: item.byte })
      if (item.kind === 'bad') this.#foldBad(item, { segment, byte: item.byte })
    }
  }

  /** Takes in a line whose offset counts from `base`. */
  foldLine(line: PlacedLine, segment: string, base = 0): void {
    const head = this.#heads.get(line.run) ?? this.#create(line.run)
    this.shards.changed(head)
    const place = { segment, byte: base + line.byte }
    if (line.removed !== undefined && head.removed !== true) {
      head.seq = line.last
      this.segments.recorded(segment, 1)
      this.#remove(head)
    }
    if (head.removed === true || line.seq <= (head.base?.seq ?? 0)) return
    if (line.seq !== head.seq + 1 || line.prev !== head.hash) {
      head.damage ??= place
      return
    }
    if (head.damage !== undefined) this.#clear(head, head.damage)
    const mark = head.marks.at(-1)
    if (mark?.segment !== segment && line.run !== reservedId) this.segments.entered(segment)
    const isCut = head.cuts?.at(-1)?.seq === head.seq
    const next = { seq: line.seq, ...place }
    if (isCut || needsMark(mark, next)) head.marks.push(next)
    head.seq = line.last
    head.hash = line.hash
    if (line.row === undefined) return
    head.row = line.row
    if (hasEnded(line.row)) this.#thinLater(head)
    if (line.row.key !== undefined) this.#keys.set(line.row.key, line.run)
  }

  /** Whoever waited for a run reads it when it has ended; later hardly anybody does. */
  #thinLater(head: RunHead): void {
    this.#fresh.push({ head, marks: head.marks.length })
    this.#freshMarks += head.marks.length
    while (this.#freshMarks > mostFreshMarks) {
      const oldest = this.#fresh.shift()
      if (oldest === undefined) break
      this.#freshMarks -= oldest.marks
      if (hasEnded(oldest.head.row)) oldest.head.marks = thinMarks(oldest.head.marks)
    }
  }

  #remove(head: RunHead): void {
    this.shards.changed(head)
    if (head.row?.key !== undefined) this.#keys.delete(head.row.key)
    this.segments.left(head.marks.map(({ segment }) => segment))
    for (const { segment } of head.cuts ?? []) this.segments.left([segment])
    head.hash = ''
    head.marks = []
    head.removed = true
    delete head.row
    delete head.damage
    delete head.cuts
  }

  /** The run goes on behind its last good entry; the segment of the record is needed for as long as the run is there. */
  #cut({ run, seq, hash }: CutRecord, place: Place): void {
    const head = this.#heads.get(run)
    if (head === undefined || head.removed === true || head.seq !== seq || head.hash !== hash) return
    this.shards.changed(head)
    head.cuts = [...(head.cuts ?? []), { seq, ...place }]
    this.segments.entered(place.segment)
    delete head.damage
  }

  #foldBad(item: Extract<SegmentItem, { kind: 'bad' }>, place: Place): void {
    const owners = item.run === undefined ? this.#ownersOf(item.text) : [this.#heads.get(item.run)]
    // A run that was removed has no more lines.
    const heads = owners.flatMap((head) => (head === undefined || head.removed === true ? [] : head))
    for (const head of heads) this.#break(head, place)
    if (heads.length === 0 && item.run === undefined) this.#unclaimed.push(place)
  }

  #break(head: RunHead, place: Place): void {
    this.shards.changed(head)
    head.damage ??= place
  }

  /** Whose lines began like that. Any of it may be what is damaged: the hash of the line before tells it as well as the name. */
  #ownersOf(tops: string): readonly RunHead[] {
    return tops.split('\n').flatMap((top) => this.#ownerOf(top) ?? [])
  }

  #ownerOf(top: string): RunHead | undefined {
    const { run = '', seq, prev } = readTop(top)
    const chained = prev === undefined || prev === '' ? undefined : [...this.#heads.values()].find((head) => head.hash === prev)
    if (chained !== undefined) return chained
    const named = this.#heads.get(run)
    // A line that the run has already is another run's, whose name is what is damaged.
    if (named !== undefined) return seq === undefined || seq > named.seq ? named : undefined
    return seq === 1 && prev === '' && run !== '' ? this.#create(run) : undefined
  }

  /** The chain goes on without a gap: the damaged line bore this run's name by mistake. */
  #clear(head: RunHead, place: Place): void {
    delete head.damage
    this.#unclaimed.push(place)
  }

  #create(run: string): RunHead {
    const head: RunHead = { run, order: this.#created, seq: 0, hash: '', marks: [] }
    this.#add(head)
    return head
  }

  #add(head: RunHead): void {
    this.#created = Math.max(this.#created, head.order + 1)
    this.#heads.set(head.run, head)
    if (head.row?.key !== undefined) this.#keys.set(head.row.key, head.run)
  }
}
