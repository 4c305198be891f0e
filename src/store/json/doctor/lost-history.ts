import { join } from 'node:path'
import type { Disk } from '../disk.ts'
import { readJournal } from '../journal-bytes.ts'
import type { Layout } from '../layout.ts'
import { safeName } from '../layout.ts'
import type { Place } from '../marks.ts'
import type { RunHead } from '../run-heads.ts'
import { segmentPath } from '../segment-chain.ts'
import type { SegmentEnd } from '../segment-line.ts'
import { decodeLine, linePrefix } from '../segment-line.ts'
import { replaceFile } from '../whole-file.ts'

/** What a run lost when it was cut off. */
export interface LostHistory {
  readonly run: string
  /** Its last entry that counts; with 0 nothing of it could be read, and it was removed. */
  readonly after: number
  /** Where its history broke. */
  readonly file: string
  readonly line: number
  readonly byte: number
  /** The file that the lines from there on were copied to, as they are. */
  readonly aside: string
  readonly lines: number
}

/** Copies the lines of a run that count no more out of the journal, since their segments may go. Gives the file, and how many they are. */
export async function keepAside(
  { disk, layout, unique }: { readonly disk: Disk; readonly layout: Layout; readonly unique: () => string },
  { run, seq }: RunHead,
  damage: Place,
  ends: readonly SegmentEnd[],
): Promise<{ readonly aside: string; readonly lines: number }> {
  const prefix = linePrefix(run)
  const kept: Buffer[] = []
  for (const { segment, end } of ends.filter((one) => one.segment >= damage.segment)) {
    const bytes = await readJournal(disk, segmentPath(layout.journal, segment), 0, end)
    for (let start = 0, stop = bytes.indexOf(10); stop >= 0; start = stop + 1, stop = bytes.indexOf(10, start)) {
      const line = bytes.subarray(start, stop + 1)
      const isDamaged = segment === damage.segment && start === damage.byte
      if (isDamaged || (line.subarray(0, prefix.length).equals(prefix) && isBehind(line, seq))) kept.push(line)
    }
  }
  const aside = join(layout.aside, `${safeName(run)}-after-${seq}.jsonl`)
  await disk.makeFolder(layout.aside)
  await replaceFile(disk, aside, Buffer.concat(kept), unique())
  return { aside, lines: kept.length }
}

function isBehind(line: Buffer, seq: number): boolean {
  const decoded = decodeLine(line.subarray(0, -1))
  return decoded?.kind !== 'entries' || decoded.seq > seq
}
