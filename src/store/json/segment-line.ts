import { hash } from 'node:crypto'
import type { RunRow, Snapshot } from '../../ports/store.ts'
import { areRecords } from './entry-records.ts'
import type { EntryRecord } from './entry-records.ts'
import { isSealed, sealedLine } from './line-seal.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** The format that this code writes; a higher one is refused untouched, and a lower one is read (ST8). Of format 1 a line holds one entry. */
export const storeFormat = 2

/** The process that wrote a segment. */
export interface OwnerRecord extends ProcessIdentity {
  readonly instance: string
  readonly since: number
}

/** A segment's first line. */
export interface SegmentHeader {
  readonly format: number
  readonly store: string
  readonly epoch: number
  readonly segment: number
  readonly owner: OwnerRecord
}

/** Where an earlier segment ends: bytes past that are never read (ST6). */
export interface SegmentEnd {
  readonly segment: string
  readonly end: number
}

/** From where on a stream can be read whose first entries went with their segments, and its state when it was recorded. */
export interface StreamBase {
  readonly run: string
  readonly seq: number
  readonly hash: string
  readonly snapshot: Snapshot
}

/** What went with segments that were deleted, and what of it has to be known for ever (ST7). */
export interface DropRecord {
  /** Segments that are no damage when they are missing. */
  readonly segments: readonly string[]
  /** Runs whose tombstones went. */
  readonly removed: readonly string[]
  readonly base?: StreamBase
}

/** Where a run goes on although its history breaks: what follows its line `seq`, up to this record, counts no more (ST4). */
export interface CutRecord {
  readonly run: string
  readonly seq: number
  readonly hash: string
}

/** Entries of a run that follow one another, or its tombstone. */
export interface EntryLine {
  readonly kind: 'entries'
  readonly run: string
  /** Sequences of its first entry and of its last; a tombstone takes one. */
  readonly seq: number
  readonly last: number
  /** Hash of the run's line before; empty for the first. */
  readonly prev: string
  /** This line's place in its batch, from 1, and how many lines the batch has. */
  readonly batch: readonly [number, number]
  /** Set on the first line of a write: where in its segment it was written. All that stands before was synced. */
  readonly offset?: number
  readonly row?: RunRow
  /** Read with `entriesOf`. */
  readonly entries?: readonly EntryRecord[]
  /** Epoch milliseconds of the run's removal (RU8). */
  readonly removed?: number
  /** Hash of this very line. */
  readonly hash: string
}

export type SegmentLine =
  | { readonly kind: 'header'; readonly header: SegmentHeader }
  /** `adopted`: how many bytes follow that were written in the segment before, at other offsets. With `dropped`, the list of previous segments is whole. */
  | {
      readonly kind: 'previous'
      readonly previous: readonly SegmentEnd[]
      readonly adopted?: number
      readonly dropped?: DropRecord
    }
  | { readonly kind: 'closed'; readonly offset?: number }
  | { readonly kind: 'cut'; readonly cut: CutRecord }
  | EntryLine

export function encodeHeader(header: SegmentHeader): string {
  return sealedLine(`{"flotilla":${JSON.stringify(header)}`)
}

export function encodePrevious(
  previous: readonly SegmentEnd[],
  { adopted = 0, dropped }: { readonly adopted?: number; readonly dropped?: DropRecord } = {},
): string {
  return sealedLine(JSON.stringify({ previous, ...(adopted > 0 && { adopted }), dropped }).slice(0, -1))
}

export function encodeClosed(at: number, offset: number): string {
  return sealedLine(`{"closed":true,"at":${at},"offset":${offset}`)
}

export function encodeCut(cut: CutRecord): string {
  return sealedLine(JSON.stringify({ cut }).slice(0, -1))
}

/** What stands behind a line's place in the journal; made when the entries are queued. `entries` are texts. */
export function entryBody({
  row,
  entries,
  removed,
}: {
  readonly row?: RunRow | undefined
  readonly entries?: readonly string[]
  readonly removed?: number
}): string {
  const said = row === undefined ? '' : `"row":${JSON.stringify(row)},`
  return entries === undefined ? `${said}"removed":${removed}` : `${said}"entries":[${entries.join(',')}]`
}

/** What stands before the body: the place of the entries in the journal. */
export function entryTop({
  run,
  seq,
  last,
  prev,
  batch,
  offset,
}: Pick<EntryLine, 'run' | 'seq' | 'last' | 'prev' | 'batch' | 'offset'>): string {
  const first = offset === undefined ? '' : `,"offset":${offset}`
  return `{"run":${JSON.stringify(run)},"seq":${seq},"last":${last},"prev":"${prev}","batch":[${batch[0]},${batch[1]}]${first},`
}

/** The first bytes of every line of a run. */
export function linePrefix(run: string): Buffer {
  return Buffer.from(`{"run":${JSON.stringify(run)},"seq":`)
}

/** Reads a line without its line feed; undefined when it is not exactly as it was written (ST4). */
export function decodeLine(bytes: Buffer): SegmentLine | undefined {
  return isSealed(bytes) ? lineOf(parseObject(bytes.toString()), bytes) : undefined
}

/** As `decodeLine`, but for the entries: whoever looks for places leaves them unread, which is most of the work. */
export function decodePlace(bytes: Buffer): SegmentLine | undefined {
  // In a text its quotes would be escaped, and no field of a row is called that. Lines of format 1 may say it anywhere.
  const end = topPattern.test(bytes.toString('latin1', 0, topBytes)) ? bytes.indexOf(entriesStart) : -1
  if (end < 0) return decodeLine(bytes)
  return isSealed(bytes) ? lineOf(parseObject(`${bytes.toString('utf8', 0, end)}}`), bytes) : undefined
}

/** How a line of entries begins. */
const topPattern = /^\{"run":"(?:[^"\\]|\\.)*","seq":\d+,"last":/
/** More than a line's place takes. */
export const topBytes = 400
const entriesStart = Buffer.from(',"entries":[')

/** The format that a header claims, even when the rest of it cannot be read by this version. */
export function claimedFormat(bytes: Buffer): number | undefined {
  const found = /^\{"flotilla":\{"format":(\d{1,9}),/.exec(bytes.toString('latin1', 0, 40))
  return found?.[1] === undefined ? undefined : Number(found[1])
}

function lineOf(value: Record<string, never>, bytes: Buffer): SegmentLine | undefined {
  if (value['run'] !== undefined) {
    if (value['last'] === undefined) upgradeLine(value)
    const { seq, last, entries } = value as object as EntryLine
    if (entries !== undefined && !areRecords(entries, last - seq + 1)) return undefined
    // Completed in place: nobody else has it.
    return Object.assign(value as object as EntryLine, { kind: 'entries' as const, hash: hash('sha256', bytes) })
  }
  if (value['flotilla'] !== undefined) return { kind: 'header', header: value['flotilla'] }
  if (value['previous'] !== undefined) return { ...(value as object as { previous: readonly SegmentEnd[] }), kind: 'previous' }
  if (value['cut'] !== undefined) return { kind: 'cut', cut: value['cut'] }
  return value['closed'] === undefined ? undefined : { ...(value as object as { offset?: number }), kind: 'closed' }
}

/** A line of format 1. */
function upgradeLine(line: { seq?: number; last?: number; entry?: unknown; entries?: unknown }): void {
  if (line.seq !== undefined) line.last = line.seq
  if (line.entry !== undefined) line.entries = [line.entry]
  delete line.entry
}

function parseObject(text: string): Record<string, never> {
  try {
    return JSON.parse(text) as Record<string, never>
  } catch {
    return {}
  }
}
