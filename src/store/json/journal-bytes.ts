import { FleetError } from '../../protocol/errors.ts'
import type { Disk } from './disk.ts'

/** Bytes of a journal file; rejects `unreadable_file` when the disk does not give them. */
export async function readJournal(disk: Disk, path: string, from: number, to?: number): Promise<Buffer> {
  try {
    return await disk.read(path, from, to)
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

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
