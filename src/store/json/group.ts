import type { Batch, RunRow, StoredEntry } from '../../ports/store.ts'
import { copyRow } from '../row-list.ts'
import type { RunHeads } from './run-heads.ts'
import type { LineBuffer } from './line-buffer.ts'
import { entryBody, entryTop } from './segment-line.ts'
import type { PlacedLine } from './segment-parse.ts'

/** A batch whose entries are text already. */
export interface PreparedBatch {
  readonly run: string
  readonly first: number
  readonly bodies: readonly string[]
  readonly row?: RunRow
  readonly removed?: number
}

/** What one write holds. Offsets of the lines count from the write's beginning. */
export interface Group {
  /** Good until the next group is assembled in the same buffer. */
  readonly bytes: Buffer
  readonly lines: readonly PlacedLine[]
}

/** Makes text of a batch, at the time of the call: what the caller does with its objects later changes nothing. */
export function prepareBatch({ run, after, entries, row }: Batch): PreparedBatch {
  const last = entries.length - 1
  const bodies = entries.map((entry: StoredEntry, index) =>
    entryBody(index === last && row !== undefined ? { row, entry } : { entry }),
  )
  return { run, first: after + 1, bodies, ...(row !== undefined && { row: copyRow(row) }) }
}

/** The lines of batches that are written together at an offset, each chained to its run's line before (VE7). */
export function assembleGroup(batches: readonly PreparedBatch[], heads: RunHeads, offset: number, buffer: LineBuffer): Group {
  const hashes = new Map<string, string>()
  const lines: PlacedLine[] = []
  buffer.clear()
  for (const { run, first, bodies, row, removed } of batches) {
    let prev = hashes.get(run) ?? heads.get(run)?.hash ?? ''
    for (const [index, body] of bodies.entries()) {
      const isLast = index === bodies.length - 1
      const place = {
        run,
        seq: first + index,
        prev,
        batch: [index + 1, bodies.length] as const,
        offset: lines.length === 0 ? offset : undefined,
      }
      const { byte, hash } = buffer.add(entryTop(place), body)
      lines.push({ kind: 'entry', ...place, row: isLast ? row : undefined, removed, hash, byte })
      prev = hash
    }
    hashes.set(run, prev)
  }
  return { bytes: buffer.bytes, lines }
}
