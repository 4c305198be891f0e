import { hash } from 'node:crypto'
import { join } from 'node:path'
import { FleetError } from '../../../protocol/errors.ts'
import { locate } from '../damage.ts'
import type { Place } from '../marks.ts'
import { entriesOf } from '../entry-records.ts'
import { missingSegments, resolveChain, segmentPath } from '../segment-chain.ts'
import type { CutRecord } from '../segment-line.ts'
import { readTop } from '../line-top.ts'
import type { PlacedLine, SegmentItem } from '../segment-parse.ts'
import type { ExaminedParts } from './examined-store.ts'
import type { StoreFinding } from './finding.ts'
import { walkJournal } from './journal-walk.ts'

/** What a run's history says of itself. */
export interface RunVerification {
  readonly run: string
  /** The last sequence that the chain reaches without a break. */
  readonly seq: number
  /** The hash of its line. Kept elsewhere, it tells later whether the history up to here was rewritten. */
  readonly head: string
  /** How many blobs were compared with the names that entries give them. */
  readonly blobs: number
  /** How many artifacts were left where they were, so that there is nothing to compare. */
  readonly elsewhere: number
  /** What is wrong, in the order of the history; the chain is followed up to its first break. */
  readonly findings: readonly StoreFinding[]
}

/**
 * Follows the chain of a run from the journal's bytes: every line's checksum and sequence, the hash of the line before, whole batches,
 * and the bytes that entries name (VE7). `kept`: the hash of a line that was kept elsewhere. Rejects `unknown_run`.
 */
export async function verifyChain(parts: ExaminedParts, run: string, kept?: string): Promise<RunVerification> {
  const { disk, layout } = parts
  const chain = await resolveChain(disk, layout.journal)
  const base = chain.dropped?.base
  const walk = new ChainWalk({ run, kept, blobsOf: parts.blobsOf, base: base?.run === run ? base : undefined })
  for await (const { segment, items } of walkJournal(disk, layout.journal, chain)) walk.follow(items, segment)
  if (walk.isRemoved || !walk.isKnown)
    throw new FleetError('unknown_run', `No run ${run} in this store. List the runs with \`flotilla list\`.`, {
      details: { run_id: run },
    })
  const findings: StoreFinding[] = missingSegments(disk, layout.journal, chain.links).map((segment) => ({
    part: 'journal',
    weight: 'lost',
    message: `A segment is missing; whether it held entries of the run cannot be told.`,
    file: segmentPath(layout.journal, segment),
  }))
  if (walk.broken !== undefined) {
    const place = await locate(disk, layout.journal, walk.broken.place)
    findings.push({
      part: 'journal',
      weight: 'lost',
      message: `The chain breaks after entry ${walk.seq}: ${walk.broken.why}.`,
      run,
      ...place,
    })
  }
  for (const cut of walk.cuts)
    findings.push({
      part: 'journal',
      weight: 'note',
      message: `The run was cut off after entry ${cut.seq} when the store was repaired.`,
      run,
    })
  if (kept !== undefined && !walk.hasKept)
    findings.push({
      part: 'journal',
      weight: 'lost',
      message: `No line of the run has the hash ${kept}: what was written up to there is not what stands there now.`,
      run,
    })
  const blobs = await compareBlobs(parts, run, walk.refs)
  return {
    run,
    seq: walk.seq,
    head: walk.head,
    blobs: blobs.compared,
    elsewhere: blobs.elsewhere,
    findings: [...findings, ...blobs.findings],
  }
}

interface WalkOptions {
  readonly run: string
  readonly kept: string | undefined
  readonly blobsOf: ExaminedParts['blobsOf']
  /** Where the chain begins when its first lines went with their segments. */
  readonly base: { readonly seq: number; readonly hash: string } | undefined
}

class ChainWalk {
  hasKept = false
  /** Blobs that entries name, and whether they must be there. */
  readonly refs = new Map<string, boolean>()
  readonly cuts: CutRecord[] = []
  seq: number
  head: string
  broken: { readonly place: Place; readonly why: string } | undefined
  isRemoved = false
  readonly #run: string
  readonly #options: WalkOptions
  /** The first place since the last good line where the run's next one may have stood. */
  #suspect: Place | undefined

  constructor(options: WalkOptions) {
    this.#options = options
    this.#run = options.run
    this.seq = options.base?.seq ?? 0
    this.head = options.base?.hash ?? ''
  }

  get isKnown(): boolean {
    return this.seq > 0 || this.broken !== undefined
  }

  follow(items: readonly SegmentItem[], segment: string): void {
    for (const item of items) {
      if (item.kind === 'bad') this.#bad(item, { segment, byte: item.byte })
      else if (item.kind === 'batch') for (const line of item.lines) this.#line(line, segment)
      else if (item.line.kind === 'cut') this.#cut(item.line.cut)
      else if (item.line.kind === 'previous') this.isRemoved ||= item.line.dropped?.removed.includes(this.#run) === true
    }
  }

  #line(line: PlacedLine, segment: string): void {
    if (line.run !== this.#run || line.seq <= (this.#options.base?.seq ?? 0)) return
    this.isRemoved ||= line.removed !== undefined
    const isNext = line.seq === this.seq + 1 && line.prev === this.head
    if (this.broken !== undefined && !isNext) return
    if (isNext) {
      // A line that bore the run's name by mistake broke nothing.
      this.broken = undefined
      this.#suspect = undefined
      this.seq = line.last
      this.head = line.hash
      this.hasKept ||= line.hash === this.#options.kept
      for (const { sha256, isKept } of entriesOf(line).flatMap(this.#options.blobsOf))
        this.refs.set(sha256, isKept || this.refs.get(sha256) === true)
      return
    }
    const place = this.#suspect ?? { segment, byte: line.byte }
    const why =
      line.seq === this.seq + 1
        ? 'the next line does not carry the hash of that one'
        : `entry ${line.seq} stands where ${this.seq + 1} is due`
    this.broken = { place, why: this.#suspect === undefined ? why : 'what stands there is not what was written' }
  }

  #bad(item: Extract<SegmentItem, { kind: 'bad' }>, place: Place): void {
    // Something is gone before that place; whether it was of this run shows in the sequence.
    if (item.text === '' && item.run === undefined) return
    this.#suspect ??= place
    if (item.run === this.#run) this.broken ??= { place, why: 'lines of the batch are missing there' }
    else if (item.text.split('\n').some((top) => this.#isOwn(top)))
      this.broken ??= { place, why: 'what stands there is not what was written' }
  }

  /** Whether a bad line that begins like that was of this run, or would have followed its last one. */
  #isOwn(top: string): boolean {
    const { run, seq, prev } = readTop(top)
    if (this.head !== '' && prev === this.head) return true
    return run === this.#run && (seq === undefined || seq > this.seq)
  }

  #cut(cut: CutRecord): void {
    if (cut.run !== this.#run || cut.seq !== this.seq || cut.hash !== this.head) return
    this.broken = undefined
    this.#suspect = undefined
    this.cuts.push(cut)
  }
}

async function compareBlobs(
  { disk, layout }: ExaminedParts,
  run: string,
  refs: ReadonlyMap<string, boolean>,
): Promise<{ readonly compared: number; readonly elsewhere: number; readonly findings: readonly StoreFinding[] }> {
  const findings: StoreFinding[] = []
  let [compared, elsewhere] = [0, 0]
  for (const [sha256, isKept] of refs) {
    const file = join(layout.run(run), 'blobs', sha256)
    const isThere = disk.exists(file)
    if (!isThere && !isKept) {
      elsewhere += 1
      continue
    }
    compared += 1
    const found = (part: string): StoreFinding => ({ part: 'blobs', weight: 'lost', message: `${part} (AR2).`, run, file })
    if (!isThere) findings.push(found('The bytes that an entry names are missing'))
    else if (hash('sha256', await disk.read(file)) !== sha256) findings.push(found('The bytes are not those that an entry names'))
  }
  return { compared, elsewhere, findings }
}
