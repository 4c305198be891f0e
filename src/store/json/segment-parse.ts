import type { EntryLine, SegmentLine } from './segment-line.ts'
import { isSealed } from './line-seal.ts'
import { decodeLine, topBytes } from './segment-line.ts'

/** A line of entries and where in its segment it begins. */
export interface PlacedLine extends EntryLine {
  readonly byte: number
}

/** What a stretch of a segment holds, in order. */
export type SegmentItem =
  | { readonly kind: 'batch'; readonly lines: readonly PlacedLine[] }
  /** Bytes that do not read as they were written, with the beginnings of the lines that they were, in lines; `run` is set where lines of that run's batch are missing. */
  | { readonly kind: 'bad'; readonly byte: number; readonly text: string; readonly run?: string }
  | { readonly kind: 'control'; readonly byte: number; readonly line: Exclude<SegmentLine, EntryLine> }

export interface SegmentStretch {
  readonly items: readonly SegmentItem[]
  /** Offset behind the last item. What follows is a tail that was torn, or is still being written. */
  readonly end: number
  /** Offset up to which something shows that the bytes had been synced. */
  readonly synced: number
}

const lineFeed = 10
const lineStart = Buffer.from('{"run":')
/** How many whole lines are looked for in the same bytes, */
const mostTops = 100
/** and how much is summed up for each: what a line holds may look like a beginning. */
const mostCheckedBytes = 4 * 1024 * 1024
/** Some milliseconds' worth of lines. */
const pieceBytes = 512 * 1024

/** Makes a line of its bytes; undefined when it does not read as it was written. */
export type LineDecoder = (bytes: Buffer) => SegmentLine | undefined

/**
 * Reads the bytes of a segment from offset `base` on. A write that does not stand where it was written shows that others before it are
 * missing, or were put in. Bad bytes count as damage when something shows that they had been synced: a
 * later write, a clean close, or (`settled`) the recorded end of the segment. Without that they, and what was written with them, are a tail.
 */
export function parseSegment(bytes: Buffer, base: number, settled: boolean): SegmentStretch {
  const parser = new SegmentParser(base, decodeLine)
  parser.feed(bytes)
  parser.finish(settled)
  return parser.take()
}

/** Reads a segment piece by piece. */
export class SegmentParser {
  readonly #stretch: Stretch
  readonly #decode: LineDecoder
  #at: number

  constructor(base: number, decode: LineDecoder) {
    this.#stretch = new Stretch(base)
    this.#decode = decode
    this.#at = base
  }

  /** Takes the bytes that follow. All but the last piece end in a line feed. */
  feed(bytes: Buffer): void {
    const stretch = this.#stretch
    let start = 0
    while (start < bytes.length) {
      const feed = bytes.indexOf(lineFeed, start)
      const stop = feed < 0 ? bytes.length : feed
      const piece = bytes.subarray(start, stop)
      const line = feed < 0 ? undefined : this.#decode(piece)
      const [byte, end] = [this.#at + start, this.#at + stop + 1]
      if (line === undefined) stretch.bad(byte, piece)
      else if (line.kind === 'entries') stretch.entries(line, byte, end, piece)
      else stretch.control(line, byte, end)
      start = stop + 1
    }
    this.#at += bytes.length
  }

  /** No more follows; `settled`: the bytes end where the segment was recorded to end. */
  finish(settled: boolean): void {
    if (settled) this.#stretch.settle(this.#at)
  }

  /** What was found since it was asked last. */
  take(): SegmentStretch {
    return this.#stretch.take()
  }
}

/** Divides bytes into pieces of whole lines that are small enough to be read in one go. */
export function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(lineFeed, start + pieceBytes)
    const stop = feed < 0 ? bytes.length : feed + 1
    yield bytes.subarray(start, stop)
    start = stop
  }
}

class Stretch {
  #items: SegmentItem[] = []
  /** Bad items and what follows them, until something confirms them. */
  #held: SegmentItem[] = []
  #end: number
  #synced: number
  #batch: PlacedLine[] = []
  #adoptedTo = 0
  /** How much further behind lines stand than where they were written, because of damage that was told. */
  #shift = 0
  /** Something that does not read came since the last write began. */
  #hasBad = false

  constructor(base: number) {
    this.#end = base
    this.#synced = base
  }

  bad(byte: number, piece: Buffer): void {
    this.#breakBatch(byte)
    this.#hasBad = true
    this.#held.push({ kind: 'bad', byte, text: topsOf(piece) })
  }

  entries(line: EntryLine, byte: number, end: number, piece: Buffer): void {
    const last = this.#batch.at(-1)
    const continues = last !== undefined && follows(last, line)
    if (!continues) this.#breakBatch(byte)
    if (line.offset !== undefined) this.#place(byte, line.offset)
    if (!continues && line.batch[0] !== 1) return this.bad(byte, piece)
    // Completed in place: nobody else has it.
    this.#batch.push(Object.assign(line, { byte }))
    if (line.batch[0] !== line.batch[1]) return
    this.#push({ kind: 'batch', lines: this.#batch }, end)
    this.#batch = []
  }

  control(line: Exclude<SegmentLine, EntryLine>, byte: number, end: number): void {
    this.#breakBatch(byte)
    if (line.kind === 'previous') this.#adoptedTo = end + (line.adopted ?? 0)
    if (line.kind === 'closed') this.#place(byte, line.offset ?? byte)
    this.#push({ kind: 'control', byte, line }, end)
  }

  settle(at: number): void {
    this.#breakBatch(at)
    this.#confirm(at)
  }

  take(): SegmentStretch {
    const items = this.#items
    this.#items = []
    return { items, end: this.#end, synced: this.#synced }
  }

  #push(item: SegmentItem, end: number): void {
    if (this.#held.length > 0) {
      this.#held.push(item)
      return
    }
    this.#items.push(item)
    this.#end = end
  }

  /** A batch cut short: what stands of it, and the place where the rest is missing. */
  #breakBatch(byte: number): void {
    const [first] = this.#batch
    if (first === undefined) return
    this.#held.push({ kind: 'batch', lines: this.#batch }, { kind: 'bad', byte, text: '', run: first.run })
    this.#batch = []
  }

  /** Takes what stands before a write for synced, and for all that was there when it was written. */
  #place(byte: number, offset: number): void {
    this.#confirm(byte)
    const shift = byte < this.#adoptedTo ? this.#shift : byte - offset
    // Bytes that do not read as they were written account for a difference themselves: somebody may have edited them.
    if (shift !== this.#shift && !this.#hasBad) this.#items.push({ kind: 'bad', byte, text: '' })
    this.#shift = shift
    this.#hasBad = false
  }

  #confirm(byte: number): void {
    this.#items.push(...this.#held)
    this.#held = []
    this.#end = byte
    this.#synced = byte
  }
}

/**
 * The beginning of a bad line, which tells whose it was, and those of the whole ones that it ends in: of these it is the line feeds before
 * them that are damaged.
 */
function topsOf(piece: Buffer): string {
  const tops: string[] = []
  let left = piece
  for (let at = lastWhole(left); at !== undefined && tops.length < mostTops; at = lastWhole(left)) {
    tops.unshift(left.toString('latin1', at, at + topBytes))
    left = left.subarray(0, at - 1)
  }
  return [left.toString('latin1', 0, topBytes), ...tops].join('\n')
}

/** Where a whole line begins, behind others, that ends where the bytes do. */
function lastWhole(bytes: Buffer): number | undefined {
  let at = bytes.lastIndexOf(lineStart)
  for (let checked = 0; at > 0 && checked < mostCheckedBytes; checked += bytes.length - at) {
    if (isSealed(bytes.subarray(at))) return at
    at = bytes.lastIndexOf(lineStart, at - 1)
  }
  return undefined
}

function follows(last: EntryLine, line: EntryLine): boolean {
  return line.run === last.run && line.batch[1] === last.batch[1] && line.batch[0] === last.batch[0] + 1
}
