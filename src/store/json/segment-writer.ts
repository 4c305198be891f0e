import type { Disk } from './disk.ts'
import type { Place } from './marks.ts'
import { segmentName, segmentPath } from './segment-chain.ts'
import { SegmentFile } from './segment-file.ts'
import type { DropRecord, SegmentEnd, SegmentHeader } from './segment-line.ts'
import { encodeHeader, encodePrevious } from './segment-line.ts'
import { createFile } from './whole-file.ts'

/** A segment open for appending. */
export interface OpenSegment {
  readonly file: SegmentFile
  readonly segment: string
  /** Offset behind the last synced byte. */
  readonly end: number
}

/** Creates a segment of one's own epoch: its header, where the one before ends, and what is taken over from there, in one step. */
export async function createSegment(
  { disk, journal, roomBytes }: { readonly disk: Disk; readonly journal: string; readonly roomBytes: number },
  header: SegmentHeader,
  previous: readonly SegmentEnd[],
  adopted: Buffer,
  unique: string,
  dropped?: DropRecord,
): Promise<OpenSegment & { readonly adoptedAt: number }> {
  const segment = segmentName(header.epoch, header.segment)
  const path = segmentPath(journal, segment)
  const top = Buffer.from(
    encodeHeader(header) + encodePrevious(previous, { adopted: adopted.length, ...(dropped && { dropped }) }),
  )
  const created = await createFile(disk, path, Buffer.concat([top, adopted]), unique)
  if (!created) throw new Error(`${path} exists already`)
  const end = top.length + adopted.length
  const file = new SegmentFile(await disk.open(path, { create: false }), end, roomBytes)
  return { file, segment, end, adoptedAt: top.length }
}

/** The place behind what a segment holds. */
export function placeOf({ segment, end }: OpenSegment): Place {
  return { segment, byte: end }
}
