import type { Batch, RunRow } from '../ports/store.ts'
import type { RunFacts } from './admission.ts'
import { copyRow, hasEnded } from './row-list.ts'

interface KeptRun {
  /** Entries as text, so that nobody's later changes reach them. */
  readonly entries: string[]
  row: RunRow | undefined
}

/** A batch as it is kept. */
export interface TextBatch {
  readonly run: string
  readonly entries: readonly string[]
  readonly row: RunRow | undefined
}

export function textOf({ run, entries, row }: Batch): TextBatch {
  return { run, entries: entries.map((entry) => JSON.stringify(entry)), row: row && copyRow(row) }
}

/** The durable runs of a memory store. */
export class MemoryRuns implements RunFacts {
  readonly #keep: number
  readonly #runs = new Map<string, KeptRun>()
  readonly #keys = new Map<string, string>()
  readonly #removed = new Set<string>()
  /** In the order of their ends. */
  readonly #ended = new Set<string>()

  constructor(keepEndedRuns: number) {
    this.#keep = keepEndedRuns
  }

  seq(run: string): number {
    return this.#runs.get(run)?.entries.length ?? 0
  }

  removed(run: string): boolean {
    return this.#removed.has(run)
  }

  keyHolder(key: string): string | undefined {
    return this.#keys.get(key)
  }

  row(run: string): RunRow | undefined {
    return this.#runs.get(run)?.row
  }

  names(): readonly string[] {
    return [...this.#runs.keys()]
  }

  *rows(): Generator<RunRow> {
    for (const { row } of this.#runs.values()) if (row !== undefined) yield row
  }

  read(run: string, from: number, limit: number): readonly string[] {
    const start = Math.max(1, from) - 1
    return this.#runs.get(run)?.entries.slice(start, start + Math.max(0, limit)) ?? []
  }

  add({ run, entries, row }: TextBatch): void {
    const kept = this.#runs.get(run) ?? { entries: [], row: undefined }
    this.#runs.set(run, kept)
    for (const entry of entries) kept.entries.push(entry)
    if (row === undefined) return
    kept.row = row
    if (row.key !== undefined) this.#keys.set(row.key, run)
    if (!hasEnded(row)) this.#ended.delete(run)
    else this.#ended.add(run)
  }

  remove(run: string): void {
    const key = this.#runs.get(run)?.row?.key
    if (key !== undefined) this.#keys.delete(key)
    this.#runs.delete(run)
    this.#ended.delete(run)
    this.#removed.add(run)
  }

  /** Forgets the runs that ended first, where too many have; gives their names. */
  forgetEnded(): readonly string[] {
    const forgotten = [...this.#ended].slice(0, Math.max(0, this.#ended.size - this.#keep))
    for (const run of forgotten) this.remove(run)
    return forgotten
  }
}
