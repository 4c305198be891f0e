import type { StoredEntry } from '../../ports/store.ts'
import { damageError } from './damage.ts'
import type { Disk } from './disk.ts'
import { entriesOf } from './entry-records.ts'
import { readJournal } from './journal-bytes.ts'
import type { Mark, Place } from './marks.ts'
import { markBefore } from './marks.ts'
import type { RunHead } from './run-heads.ts'
import type { ChainLink } from './segment-chain.ts'
import { segmentPath } from './segment-chain.ts'
import type { EntryLine } from './segment-line.ts'
import { decodeLine, linePrefix } from './segment-line.ts'

/** A stretch of history to look for entries in: the links, of which the last one counts up to `until`. */
export interface ScanRange {
  readonly disk: Disk
  readonly journal: string
  readonly links: readonly ChainLink[]
  readonly until: Place
}

/** Where whoever reads on begins. */
export interface ScanMark extends Mark {
  /** The line before, where it was read. */
  readonly before: EntryLine | undefined
  /** How many bytes an entry took, and those of other runs before it; undefined where that cannot be told of what was read. */
  readonly bytesPerEntry: number | undefined
}

/** Entries that follow one another in a run, and where it goes on. */
export interface ScannedEntries {
  readonly entries: readonly StoredEntry[]
  /** The line that holds the last of them, where it begins, and what is behind it. */
  readonly line: EntryLine
  readonly at: ScanMark
  readonly next: ScanMark
}

/** Bytes in whole lines. */
interface Chunk {
  readonly segment: string
  readonly base: number
  readonly bytes: Buffer
}

/** Whoever asks for little reads little, but a usual line whole; whoever goes on reads more at once. */
const firstChunkBytes = 24 * 1024
const chunkBytes = 256 * 1024
const likelyBytesPerEntry = 512
/** Entries are not all of one length: what is read at once is a little more than what they will likely take. */
const margin = 1.1
const nothing = Buffer.alloc(0)

/**
 * The entries `from` to `to` of a run, all of them; rejects `store_damaged` where a line does not read as it was written. `goOn` is where
 * an earlier reading of the run ended: it is of use where it lies between the mark before `from` and that.
 */
export async function scanEntries(
  range: ScanRange,
  head: RunHead,
  { from, to, goOn }: { readonly from: number; readonly to: number; readonly goOn?: ScanMark | undefined },
): Promise<ScannedEntries> {
  const prefix = linePrefix(head.run)
  const found: StoredEntry[] = []
  const marked = markBefore(head.marks, from)
  const start = goOn !== undefined && goOn.seq <= from && goOn.seq >= (marked?.seq ?? 1) ? goOn : undefined
  let mark = start ?? marked
  let before = start?.before
  let expected = mark?.seq ?? 1
  let suspect: Place | undefined
  let first: Mark | undefined
  const broken = (place: Place) => damageError(range.disk, range.journal, head.run, place, expected - 1)

  /** What was looked for, once the last line was found. */
  async function look({ segment, base, bytes }: Chunk): Promise<ScannedEntries | undefined> {
    if (bytes.length === 0) suspect ??= { segment, byte: base }
    for (let at = 0, stop = bytes.indexOf(10); stop >= 0; at = stop + 1, stop = bytes.indexOf(10, at)) {
      if (bytes.compare(prefix, 0, prefix.length, at, Math.min(at + prefix.length, stop)) !== 0) continue
      const place = { segment, byte: base + at }
      if (isCutOff(head, expected - 1, place)) continue
      const line = decodeLine(bytes.subarray(at, stop))
      if (line?.kind !== 'entries') {
        // The name may be what is damaged: whether a line is missing shows in the sequence.
        suspect ??= place
        continue
      }
      const fits = line.seq === expected && (before === undefined || line.prev === before.hash)
      // A mark lasts: it does not hold the entries of a page.
      const { entries, ...own } = line
      const prior = before
      if (!fits || entries === undefined) throw await broken(suspect ?? place)
      suspect = undefined
      expected = line.last + 1
      before = own
      if (line.last < from) continue
      if (found.length === 0) first = { ...place, seq: line.seq }
      found.push(...entriesOf(line, from, to))
      if (line.last < to) continue
      const byte = base + stop + 1
      const bytesPerEntry = first?.segment === segment ? (byte - first.byte) / (expected - first.seq) : undefined
      return {
        entries: found,
        line,
        at: { ...place, seq: line.seq, before: prior, bytesPerEntry },
        next: { segment, byte, seq: expected, before: own, bytesPerEntry },
      }
    }
    return undefined
  }

  const likelyBytes = (to - (start?.seq ?? from) + 1) * (start?.bytesPerEntry ?? likelyBytesPerEntry) * margin
  for (;;) {
    let ahead: Mark | undefined
    for await (const chunk of chunksFrom(range, mark, likelyBytes)) {
      const scanned = await look(chunk)
      if (scanned !== undefined) return scanned
      // What lies between belongs to other runs. A mark that leads nowhere is not tried twice: its segment may be gone.
      const next = markAhead(head, expected, chunk)
      if (next === undefined || next === mark) continue
      ahead = next
      // What was passed by says nothing of what comes.
      first = undefined
      break
    }
    if (ahead === undefined) throw await broken(suspect ?? range.until)
    mark = ahead
  }
}

/** The mark of the very entry, when it lies behind the bytes that were read. */
function markAhead({ marks }: RunHead, seq: number, { segment, base, bytes }: Chunk): Mark | undefined {
  const mark = markBefore(marks, seq)
  if (mark?.seq !== seq) return undefined
  const isBehind = mark.segment > segment || (mark.segment === segment && mark.byte > base + bytes.length)
  return isBehind ? mark : undefined
}

/** Whether what stands behind the line `seq` at a place counts no more (ST4). */
function isCutOff({ cuts }: RunHead, seq: number, { segment, byte }: Place): boolean {
  if (cuts === undefined) return false
  return cuts.some((cut) => cut.seq === seq && (segment < cut.segment || (segment === cut.segment && byte < cut.byte)))
}

/** Bytes in whole lines, from a mark on; none where a file ends before its history does. */
async function* chunksFrom(
  { disk, journal, links, until }: ScanRange,
  mark: Place | undefined,
  likelyBytes: number,
): AsyncGenerator<Chunk> {
  const first = mark === undefined ? 0 : links.findIndex(({ segment }) => segment === mark.segment)
  for (const { segment, end } of links.slice(Math.max(first, 0))) {
    const path = segmentPath(journal, segment)
    const stop = segment === until.segment ? until.byte : (end ?? until.byte)
    let base = segment === mark?.segment ? mark.byte : 0
    let size = Math.min(Math.max(firstChunkBytes, Math.ceil(likelyBytes)), chunkBytes)
    while (base < stop) {
      const bytes = await readJournal(disk, path, base, Math.min(base + size, stop))
      const whole = bytes.lastIndexOf(10) + 1
      if (bytes.length === 0 || (whole === 0 && bytes.length < size)) {
        yield { segment, base, bytes: nothing }
        break
      }
      // A line longer than a chunk: look at more at once.
      size = whole === 0 ? size * 4 : Math.min(size * 4, chunkBytes)
      if (whole > 0) yield { segment, base, bytes: bytes.subarray(0, whole) }
      base += whole
    }
    if (segment === until.segment) return
  }
}
