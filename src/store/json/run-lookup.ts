import type { Batch, RunRow, Store } from '../../ports/store.ts'
import { hasEnded, listRows } from '../row-list.ts'
import type { JournalReader } from './journal-reader.ts'

/** Finds runs among those that are known, and loads what the index keeps apart only when that may hold what is asked for. */
export class RunLookup {
  readonly #reader: JournalReader

  constructor(reader: JournalReader) {
    this.#reader = reader
  }

  /** Makes the run's head known, if there is one. */
  find(run: string): Promise<void> {
    return this.#reader.load(() => !this.#reader.heads.lacks(run))
  }

  async row(query: Parameters<Store['row']>[0]): Promise<RunRow | undefined> {
    if ('id' in query) await this.find(query.id)
    else await this.#reader.load(() => !this.#reader.heads.lacksKey(query.key))
    const { heads } = this.#reader
    const run = 'id' in query ? query.id : heads.keyHolder(query.key)
    return run === undefined ? undefined : heads.get(run)?.row
  }

  async rows(query: Parameters<Store['runs']>[0]): Promise<readonly RunRow[]> {
    const list = () => listRows(this.#reader.heads.rows(), query)
    const mayEnd = query?.status === undefined || query.status.some((status) => hasEnded({ status }))
    await this.#reader.load(() => !mayEnd || (query?.limit !== undefined && this.#isEnough(list(), query.limit)))
    return list()
  }

  /** Whether an append may concern runs or keys that are not known, so that it cannot be admitted yet. */
  isLacking(batches: readonly Batch[]): boolean {
    const { heads } = this.#reader
    return batches.some(({ run, row }) => heads.lacks(run) || (row?.key !== undefined && heads.lacksKey(row.key)))
  }

  /** Whether no run that is not known comes before the last row. */
  #isEnough(rows: readonly RunRow[], limit: number): boolean {
    const next = this.#reader.heads.shards.nextApart
    const last = rows[limit - 1]
    return limit < 1 || (last !== undefined && next !== undefined && last.createdAt > next.newest)
  }
}
