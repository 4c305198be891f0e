import type { Batch, RunRow } from '../../ports/store.ts'
import { copyRow } from '../row-list.ts'
import { EntryTexts } from './entry-texts.ts'
import type { RunHeads } from './run-heads.ts'
import type { LineBuffer } from './line-buffer.ts'
import { entryBody, entryTop } from './segment-line.ts'
import type { PlacedLine } from './segment-parse.ts'

/** A line of a batch, as text, but for its place. */
export interface PreparedLine {
  /** How many sequences it takes. */
  readonly count: number
  readonly body: string
}

/** A batch whose entries are text already. */
export interface PreparedBatch {
  readonly run: string
  readonly first: number
  readonly lines: readonly PreparedLine[]
  readonly row?: RunRow
  readonly removed?: number
}

/** What one write holds. Offsets of the lines count from the write's beginning. */
export interface Group {
  /** Good until the next group is assembled in the same buffer. */
  readonly bytes: Buffer
  readonly lines: readonly PlacedLine[]
  /** How many entries, and tombstones, they hold together. */
  readonly count: number
}

/** A line is read whole, so it takes no more entries once they make this much text: a tenth of a millisecond's worth. */
export const usualLineChars = 16 * 1024

/** Makes text of a batch, at the time of the call: what the caller does with its objects later changes nothing. */
export function prepareBatch({ run, after, entries, row }: Batch, lineChars = usualLineChars): PreparedBatch {
  const lines: PreparedLine[] = []
  let line = new EntryTexts()
  for (const [index, entry] of entries.entries()) {
    line.add(entry)
    const isLast = index === entries.length - 1
    if (line.length < lineChars && !isLast) continue
    lines.push({ count: line.texts.length, body: entryBody({ row: isLast ? row : undefined, entries: line.texts }) })
    line = new EntryTexts()
  }
  return { run, first: after + 1, lines, ...(row !== undefined && { row: copyRow(row) }) }
}

/** The tombstone of a run, at a sequence (RU8). */
export function prepareRemoval(run: string, seq: number, removed: number): PreparedBatch {
  return { run, first: seq, lines: [{ count: 1, body: entryBody({ removed }) }], removed }
}

/** The lines of batches that are written together at an offset, each chained to its run's line before (VE7). */
export function assembleGroup(batches: readonly PreparedBatch[], heads: RunHeads, offset: number, buffer: LineBuffer): Group {
  const hashes = new Map<string, string>()
  const lines: PlacedLine[] = []
  let entries = 0
  buffer.clear()
  for (const { run, first, lines: prepared, row, removed } of batches) {
    let prev = hashes.get(run) ?? heads.get(run)?.hash ?? ''
    let seq = first
    for (const [index, { count, body }] of prepared.entries()) {
      const isLast = index === prepared.length - 1
      const place = {
        run,
        seq,
        last: seq + count - 1,
        prev,
        batch: [index + 1, prepared.length] as const,
        offset: lines.length === 0 ? offset : undefined,
      }
      const { byte, hash } = buffer.add(entryTop(place), body)
      lines.push({ kind: 'entries', ...place, row: isLast ? row : undefined, removed, hash, byte })
      prev = hash
      seq += count
    }
    hashes.set(run, prev)
    entries += seq - first
  }
  return { bytes: buffer.bytes, lines, count: entries }
}
