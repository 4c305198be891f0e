import { reservedId } from '../../protocol/ids.ts'
import type { Snapshot } from '../../ports/store.ts'
import type { Disk } from './disk.ts'
import { readJournal } from './journal-bytes.ts'
import type { JournalReader } from './journal-reader.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { RunHead } from './run-heads.ts'
import { epochOf, listSegments, missingSegments, segmentPath } from './segment-chain.ts'
import type { DropRecord, SegmentEnd, StreamBase } from './segment-line.ts'
import { decodeLine } from './segment-line.ts'
import { replaceFile } from './whole-file.ts'

export interface RetentionParts {
  readonly disk: Disk
  readonly journal: string
  readonly reader: JournalReader
  readonly unique: () => string
  /** The snapshot of the reserved stream. */
  readonly streamSnapshot: () => Promise<Snapshot | undefined>
  /** Whether segments that are missing without a record get one: then what was in them is given up. */
  readonly givesUpMissing?: boolean
}

/** So many removed runs are carried on from a segment in any case; */
const fewTombstones = 500
/** more of them only when that gives back more than it takes, with about so many bytes each. */
const bytesPerTombstone = 40
/** More than the header of a segment takes. */
const headerBytes = 2048

/**
 * Deletes segments of which every run was removed (ST7). The record goes first, in the top of a new segment: it names them, and carries
 * on what is to be known for ever. The files go when it is durable, or at the next opening.
 */
export class SegmentRetention {
  readonly #parts: RetentionParts
  /** Segments that were recorded as dropped, and whose files may be there. */
  #unswept: readonly string[] = []
  #givingBack: Promise<void> = Promise.resolve()

  constructor(parts: RetentionParts) {
    this.#parts = parts
  }

  /** Deletes segments once `least` bytes can go. One time after the other; never rejects: what fails is done at the next opening. */
  giveBack(
    writer: JournalWriter,
    { epoch, least, signal }: { readonly epoch: number; readonly least: number; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#givingBack = this.#givingBack.then(async () => {
      try {
        const record = await this.plan(this.#parts.reader.ends, least)
        if (record === undefined || signal.aborted) return
        await writer.drop(record)
        await this.sweep(record.segments, epoch)
      } catch {
        // Nothing went that is needed.
      }
    })
    return this.#givingBack
  }

  /** Resolves when nothing is being deleted. */
  idle(): Promise<void> {
    return this.#givingBack
  }

  /**
   * What to record so that segments may go, `least` bytes of them together; undefined when there is nothing to record. `ends`: the
   * segments that nothing is appended to any more.
   */
  async plan(ends: readonly SegmentEnd[], least: number): Promise<DropRecord | undefined> {
    const { reader } = this.#parts
    const stream = reader.heads.get(reservedId)
    const unneeded = this.#unneeded(ends)
    if (unneeded.reduce((sum, { end }) => sum + end, 0) < least) return undefined
    const snapshot = unneeded.some(({ segment }) => hasLines(stream, segment)) ? await this.#parts.streamSnapshot() : undefined
    const segments: string[] = []
    const removed: string[] = []
    let [bytes, carriedSeq] = [0, 0]
    for (const { segment, end } of unneeded) {
      const last = lastSeqIn(stream, segment)
      if (last > (snapshot?.seq ?? 0)) continue
      const tombstones = await this.#tombstonesIn({ segment, end })
      if (tombstones.length < reader.heads.segments.of(segment).tombstones) continue
      segments.push(segment)
      removed.push(...tombstones)
      bytes += end
      carriedSeq = Math.max(carriedSeq, last)
    }
    const base = carriedSeq === 0 ? stream?.base : await this.#baseAt(carriedSeq, snapshot)
    if (carriedSeq > 0 && base === undefined) return undefined
    if (segments.length > 0 ? bytes < least : base === undefined || least > 0) return undefined
    return { segments: [...this.#unswept, ...segments], removed, ...(base && { base }) }
  }

  /**
   * Removes the files of segments that a record names, and what is left of older ones. Never rejects: files that cannot be removed now
   * are named by the next record too.
   */
  async sweep(segments: readonly string[], ownEpoch: number): Promise<void> {
    this.#unswept = [...this.#unswept, ...segments]
    try {
      await this.#sweep(new Set(this.#unswept), ownEpoch)
      this.#unswept = []
    } catch {
      // Space that is given back later is no reason to stop.
    }
  }

  async #sweep(named: ReadonlySet<string>, ownEpoch: number): Promise<void> {
    const { disk, journal, unique, reader } = this.#parts
    const needed = new Set([...reader.ends.map(({ segment }) => segment), reader.position?.segment])
    const all = await listSegments(disk, journal)
    const left = new Set(all)
    for (const segment of all) {
      if (needed.has(segment) || epochOf(segment) > ownEpoch) continue
      if (!named.has(segment) && (epochOf(segment) === ownEpoch || !(await this.#isStub(segment)))) continue
      // The name of an epoch's first segment tells owners of older epochs that they were fenced out (ST6): it stays while any of theirs do.
      const isFence = isFirst(segment) && [...left].some((one) => epochOf(one) < epochOf(segment))
      if (isFence) await this.#makeStub(segment, unique())
      else {
        await disk.remove(segmentPath(journal, segment))
        left.delete(segment)
      }
    }
    if (left.size < all.length) await disk.syncFolder(journal)
  }

  /** Segments in which nothing is needed but what a record can carry on. */
  #unneeded(ends: readonly SegmentEnd[]): readonly SegmentEnd[] {
    const { disk, journal, reader, givesUpMissing = false } = this.#parts
    // Lines behind a damage are not counted; they may be needed once it is mended.
    const damaged = reader.heads.damages.map(({ place }) => place.segment)
    const unneeded = ends.filter(({ segment, end }) => {
      const { runs, tombstones } = reader.heads.segments.of(segment)
      const isWorthIt = tombstones <= fewTombstones || tombstones * bytesPerTombstone * 2 <= end
      return runs === 0 && isWorthIt && (givesUpMissing || damaged.every((one) => segment < one))
    })
    // What was in a segment that is missing without a record is not known.
    const missing = new Set(missingSegments(disk, journal, unneeded))
    return unneeded.filter(({ segment }) => missing.has(segment) === givesUpMissing)
  }

  async #tombstonesIn({ segment, end }: SegmentEnd): Promise<readonly string[]> {
    const { disk, journal, reader } = this.#parts
    if (reader.heads.segments.of(segment).tombstones === 0) return []
    const bytes = await readJournal(disk, segmentPath(journal, segment), 0, end)
    const found: string[] = []
    for (let at = bytes.indexOf('"removed":'); at >= 0;) {
      const start = bytes.lastIndexOf(10, at) + 1
      const stop = bytes.indexOf(10, at)
      const line = stop < 0 ? undefined : decodeLine(bytes.subarray(start, stop))
      if (line?.kind === 'entries' && line.removed !== undefined) found.push(line.run)
      if (line?.kind === 'previous') found.push(...(line.dropped?.removed ?? []))
      at = stop < 0 ? -1 : bytes.indexOf('"removed":', stop)
      if (found.length % 1000 === 0) await disk.turn()
    }
    return found
  }

  async #baseAt(seq: number, snapshot: Snapshot | undefined): Promise<StreamBase | undefined> {
    const hash = await this.#parts.reader.hashAt(reservedId, seq)
    return hash === undefined || snapshot === undefined ? undefined : { run: reservedId, seq, hash, snapshot }
  }

  /** A segment that holds nothing but its header. */
  async #isStub(segment: string): Promise<boolean> {
    const { disk, journal } = this.#parts
    const path = segmentPath(journal, segment)
    if (!isFirst(segment) || ((await disk.facts(path))?.size ?? 0) > headerBytes) return false
    const bytes = await readJournal(disk, path, 0)
    return bytes.indexOf(10) === bytes.length - 1 && decodeLine(bytes.subarray(0, -1))?.kind === 'header'
  }

  async #makeStub(segment: string, unique: string): Promise<void> {
    const { disk, journal } = this.#parts
    const path = segmentPath(journal, segment)
    const bytes = await readJournal(disk, path, 0, headerBytes)
    const header = bytes.subarray(0, bytes.indexOf(10) + 1)
    if (header.length > 0 && (await disk.facts(path))?.size !== header.length) await replaceFile(disk, path, header, unique)
  }
}

function isFirst(segment: string): boolean {
  return segment.endsWith('.0001')
}

function hasLines(head: RunHead | undefined, segment: string): boolean {
  return head?.marks.some((mark) => mark.segment === segment) === true
}

/** The last sequence of a stream in a segment; 0 when it has no line there. */
function lastSeqIn(head: RunHead | undefined, segment: string): number {
  if (head === undefined || !hasLines(head, segment)) return 0
  const next = head.marks.find((mark) => mark.segment > segment)
  return next === undefined ? head.seq : next.seq - 1
}
