import { FleetError } from '../../protocol/errors.ts'
import type { Disk } from './disk.ts'

/** Bytes of a journal file, without the room behind its end; rejects `unreadable_file` when the disk does not give them. */
export async function readJournal(disk: Disk, path: string, from: number, to?: number): Promise<Buffer> {
  try {
    const bytes = await disk.read(path, from, to)
    return to === undefined ? withoutRoom(bytes) : bytes
  } catch (cause) {
    throw new FleetError(
      'unreadable_file',
      `${path} could not be read from byte ${from}: ${reasonOf(cause)}. Check the disk and its permissions.`,
      {
        details: { file: path, byte: from },
        cause,
      },
    )
  }
}

const zeros = Buffer.alloc(4096)

/** Room is zeros, which no line holds (see `SegmentFile`). */
function withoutRoom(bytes: Buffer): Buffer {
  let end = bytes.length
  // A megabyte of it is usual.
  while (end >= zeros.length && bytes.compare(zeros, 0, zeros.length, end - zeros.length, end) === 0) end -= zeros.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return bytes.subarray(0, end)
}

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
