import type { Disk } from './disk.ts'
import { decodePlace } from './segment-line.ts'
import type { SegmentStretch } from './segment-parse.ts'
import { SegmentParser, pieces } from './segment-parse.ts'

/** Reads what heads need of a segment's lines from offset `base` on, with turns between its pieces, since a segment may be long. */
export async function readPlaces(
  disk: Pick<Disk, 'turn'>,
  bytes: Buffer,
  { base, settled }: { readonly base: number; readonly settled: boolean },
  found: (stretch: SegmentStretch) => void | Promise<void>,
): Promise<void> {
  const parser = new SegmentParser(base, decodePlace)
  for (const piece of pieces(bytes)) {
    parser.feed(piece)
    await found(parser.take())
    await disk.turn()
  }
  parser.finish(settled)
  await found(parser.take())
}
