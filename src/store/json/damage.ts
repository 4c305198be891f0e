import { FleetError } from '../../protocol/errors.ts'
import type { Disk } from './disk.ts'
import { readJournal } from './journal-bytes.ts'
import type { Place } from './marks.ts'
import { segmentPath } from './segment-chain.ts'

/** The error that stops a run whose history breaks, naming file, line and byte (ST4). */
export async function damageError(
  disk: Disk,
  journal: string,
  run: string,
  place: Place,
  readableTo: number,
): Promise<FleetError> {
  const { file, line, byte } = await locate(disk, journal, place)
  return new FleetError(
    'store_damaged',
    `The history of run ${run} breaks at ${file}, line ${line}, byte ${byte}: what stands there is not what was written. ` +
      `Entries up to ${readableTo} can be read; restore the file from a copy, or remove the run.`,
    { details: { run, file, line, byte, readableTo } },
  )
}

/** A place in terms of a person's editor: lines count from 1, bytes from 0. */
export async function locate(
  disk: Disk,
  journal: string,
  { segment, byte }: Place,
): Promise<{ readonly file: string; readonly line: number; readonly byte: number }> {
  const file = segmentPath(journal, segment)
  const before = await readJournal(disk, file, 0, byte)
  let line = 1
  for (let feed = before.indexOf(10); feed >= 0; feed = before.indexOf(10, feed + 1)) line += 1
  return { file, line, byte }
}
