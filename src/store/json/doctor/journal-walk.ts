import type { Disk } from '../disk.ts'
import { readJournal } from '../journal-bytes.ts'
import type { SegmentChain } from '../segment-chain.ts'
import { segmentPath } from '../segment-chain.ts'
import type { SegmentStretch } from '../segment-parse.ts'
import { parseSegment } from '../segment-parse.ts'

/** A segment of the history, as it is on the disk. */
export interface WalkedSegment extends SegmentStretch {
  readonly segment: string
  /** How many bytes count, or are there while it grows. */
  readonly size: number
}

/** The segments of the history, oldest first, from their bytes alone; one that is missing holds nothing. */
export async function* walkJournal(disk: Disk, journal: string, { links }: SegmentChain): AsyncGenerator<WalkedSegment> {
  for (const { segment, end } of links) {
    const bytes = await readJournal(disk, segmentPath(journal, segment), 0, end)
    yield { ...parseSegment(bytes, 0, end !== undefined), segment, size: bytes.length }
    await disk.turn()
  }
}
