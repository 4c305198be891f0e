import { hash } from 'node:crypto'
import type { RunRow, Snapshot, StoredEntry } from '../../ports/store.ts'
import { isSealed, sealedLine, sealLength } from './line-seal.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** The format that this code writes; a higher one is refused untouched (ST8). */
export const storeFormat = 1

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

/** One entry of a run, or its tombstone. */
export interface EntryLine {
  readonly kind: 'entry'
  readonly run: string
  readonly seq: number
  /** Hash of the run's line before; empty for the first. */
  readonly prev: string
  /** This line's place in its batch, from 1, and the batch's size. */
  readonly batch: readonly [number, number]
  /** Set on the first line of a write: where in its segment it was written. All that stands before was synced. */
  readonly offset?: number
  readonly row?: RunRow
  readonly entry?: StoredEntry
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

/** What stands in an entry's line besides its place in the journal; made when the entry is queued. */
export function entryBody(content: { readonly row?: RunRow; readonly entry?: StoredEntry; readonly removed?: number }): string {
  return JSON.stringify(content).slice(1, -1)
}

/** What stands before the body: the entry's place in the journal. */
export function entryTop({
  run,
  seq,
  prev,
  batch,
  offset,
}: Pick<EntryLine, 'run' | 'seq' | 'prev' | 'batch' | 'offset'>): string {
  const first = offset === undefined ? '' : `,"offset":${offset}`
  return `{"run":${JSON.stringify(run)},"seq":${seq},"prev":"${prev}","batch":[${batch[0]},${batch[1]}]${first},`
}

/** The first bytes of every line of a run. */
export function linePrefix(run: string): Buffer {
  return Buffer.from(`{"run":${JSON.stringify(run)},"seq":`)
}

/**
 * Reads a line without its line feed; undefined when it is not exactly as it was written (ST4). `before` is the line before it, which
 * mostly tells how this one begins.
 */
export function decodeLine(bytes: Buffer, before?: EntryLine): SegmentLine | undefined {
  if (!isSealed(bytes)) return undefined
  return (before && decodeNext(bytes, before)) ?? lineOf(parseObject(bytes.toString()), bytes)
}

/**
 * As `decodeLine`, but for what an entry says: whoever looks for places leaves it unread, which is most of the work. Lines that change
 * what is known of their run, with a row or as a tombstone, are read whole.
 */
export function decodePlace(bytes: Buffer, before?: EntryLine): SegmentLine | undefined {
  if (before !== undefined && topBehind(bytes, before) !== undefined)
    return isSealed(bytes) ? placeBehind(before, bytes) : undefined
  const found = placePattern.exec(bytes.toString('latin1', 0, placeBytes))
  if (found === null) return decodeLine(bytes)
  if (!isSealed(bytes)) return undefined
  const [, run = '', seq, prev = '', place, size, offset] = found
  return {
    kind: 'entry',
    run,
    seq: Number(seq),
    prev,
    batch: [Number(place), Number(size)],
    ...(offset !== undefined && { offset: Number(offset) }),
    hash: hash('sha256', bytes),
  }
}

/**
 * What stands before the entry of the next line of a batch, when that is what the bytes begin with: comparing them with what has to
 * come is much cheaper than reading what they say.
 */
function topBehind(bytes: Buffer, { run, seq, hash: prev, batch: [place, size] }: EntryLine): string | undefined {
  if (place >= size) return undefined
  const top = `${entryTop({ run, seq: seq + 1, prev, batch: [place + 1, size] })}"entry":`
  return bytes.toString('latin1', 0, top.length) === top ? top : undefined
}

/** The next line of a batch; undefined when it is another one, or says more than an entry. */
function decodeNext(bytes: Buffer, before: EntryLine): EntryLine | undefined {
  const top = topBehind(bytes, before)
  if (top === undefined) return undefined
  const entry = parseEntry(bytes.toString('utf8', top.length, bytes.length - sealLength))
  return entry && placeBehind(before, bytes, entry)
}

/** Where the next line of a batch stands, whose bytes begin as they have to. */
function placeBehind({ run, seq, hash: prev, batch: [place, size] }: EntryLine, bytes: Buffer, entry?: StoredEntry): EntryLine {
  const batch = [place + 1, size] as const
  const own = hash('sha256', bytes)
  return entry === undefined
    ? { kind: 'entry', run, seq: seq + 1, prev, batch, hash: own }
    : { kind: 'entry', run, seq: seq + 1, prev, batch, entry, hash: own }
}

/** A line that holds an entry and nothing else besides its place. */
const placePattern =
  /^\{"run":"([A-Za-z0-9._-]{1,128})","seq":(\d{1,15}),"prev":"([0-9a-f]*)","batch":\[(\d{1,9}),(\d{1,9})\](?:,"offset":(\d{1,15}))?,"entry":/
/** More than a place takes. */
const placeBytes = 400

/** The format that a header claims, even when the rest of it cannot be read by this version. */
export function claimedFormat(bytes: Buffer): number | undefined {
  const found = /^\{"flotilla":\{"format":(\d{1,9}),/.exec(bytes.toString('latin1', 0, 40))
  return found?.[1] === undefined ? undefined : Number(found[1])
}

function lineOf(value: Record<string, never>, bytes: Buffer): SegmentLine | undefined {
  // Completed in place: nobody else has it.
  if (value['run'] !== undefined)
    return Object.assign(value as object as EntryLine, { kind: 'entry' as const, hash: hash('sha256', bytes) })
  if (value['flotilla'] !== undefined) return { kind: 'header', header: value['flotilla'] }
  if (value['previous'] !== undefined) return { ...(value as object as { previous: readonly SegmentEnd[] }), kind: 'previous' }
  if (value['cut'] !== undefined) return { kind: 'cut', cut: value['cut'] }
  return value['closed'] === undefined ? undefined : { ...(value as object as { offset?: number }), kind: 'closed' }
}

function parseObject(text: string): Record<string, never> {
  try {
    return JSON.parse(text) as Record<string, never>
  } catch {
    return {}
  }
}

/** Undefined where the text is no entry, and nothing but one. */
function parseEntry(text: string): StoredEntry | undefined {
  try {
    return JSON.parse(text) as StoredEntry
  } catch {
    return undefined
  }
}
