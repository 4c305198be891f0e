import type { Batch, RunRow, StoredEntry } from '../../ports/store.ts'
import type { RunHeads } from './run-heads.ts'
import { encodeEntry, entryBody } from './segment-line.ts'
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
  readonly bytes: Buffer
  readonly lines: readonly PlacedLine[]
}

/** Makes text of a batch, at the time of the call: what the caller does with its objects later changes nothing. */
export function prepareBatch({ run, after, entries, row }: Batch): PreparedBatch {
  const last = entries.length - 1
  const bodies = entries.map((entry: StoredEntry, index) =>
    entryBody({ entry, ...(index === last && row !== undefined && { row }) }),
  )
  return { run, first: after + 1, bodies, ...(row !== undefined && { row: structuredClone(row) }) }
}

/** The lines of batches that are written together, each chained to its run's line before (VE7). */
export function assembleGroup(batches: readonly PreparedBatch[], heads: RunHeads, turn: number): Group {
  const hashes = new Map<string, string>()
  const texts: string[] = []
  const lines: PlacedLine[] = []
  let byte = 0
  for (const { run, first, bodies, row, removed } of batches) {
    bodies.forEach((body, index) => {
      const isLast = index === bodies.length - 1
      const place = {
        run,
        seq: first + index,
        prev: hashes.get(run) ?? heads.get(run)?.hash ?? '',
        batch: [index + 1, bodies.length] as const,
        ...(byte === 0 && { turn }),
      }
      const { text, hash } = encodeEntry({ ...place, body })
      texts.push(text)
      hashes.set(run, hash)
      lines.push({
        kind: 'entry',
        ...place,
        hash,
        byte,
        ...(isLast && row && { row }),
        ...(removed !== undefined && { removed }),
      })
      byte += Buffer.byteLength(text)
    })
  }
  return { bytes: Buffer.from(texts.join('')), lines }
}
