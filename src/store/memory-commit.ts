import { FleetError } from '../protocol/errors.ts'
import type { Batch } from '../ports/store.ts'
import { Admission } from './admission.ts'
import { textOf } from './memory-runs.ts'
import type { MemoryRuns, TextBatch } from './memory-runs.ts'

/**
 * What becomes of a group of batches: stored; refused (`not_stored`); or the caller does not learn it (`outcome_unknown`), stored or
 * not.
 */
export type AppendFate = 'store' | 'refuse' | 'store-then-unknown' | 'drop-then-unknown'

type Work = { readonly batches: readonly Batch[]; readonly texts: readonly TextBatch[] } | { readonly removed: string }
type Call = Work & { resolve(): void; reject(error: FleetError): void }

/** Makes batches durable in groups, in order, as a disk would. */
export class MemoryCommit {
  readonly #runs: MemoryRuns
  readonly #decide: (batches: readonly Batch[]) => AppendFate | Promise<AppendFate>
  readonly #onDurable: () => void
  readonly #turn: () => Promise<void>
  readonly #admission: Admission
  #waiting: Call[] = []
  #current: readonly Call[] = []
  #working: Promise<void> | undefined
  #isDropped = false

  constructor(
    runs: MemoryRuns,
    decide: (batches: readonly Batch[]) => AppendFate | Promise<AppendFate>,
    onDurable: () => void,
    turn: () => Promise<void>,
  ) {
    this.#runs = runs
    this.#decide = decide
    this.#onDurable = onDurable
    this.#turn = turn
    this.#admission = new Admission(runs)
  }

  async append(batches: readonly Batch[]): Promise<void> {
    const admitted = this.#admission.admit(batches)
    // As text at once: what the caller does with its objects later changes nothing.
    if (admitted.length > 0) await this.#enqueue({ batches: admitted, texts: admitted.map(textOf) })
  }

  async remove(run: string): Promise<void> {
    if (this.#admission.admitRemoval(run) !== undefined) await this.#enqueue({ removed: run })
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#working
  }

  /** Loses everything that waits. */
  drop(): void {
    this.#isDropped = true
    const lost = [...this.#current, ...this.#waiting]
    this.#current = []
    this.#waiting = []
    const error = new FleetError(
      'store_conflict',
      'The owner of this store crashed before this was stored. Open the store again.',
    )
    for (const call of lost) call.reject(error)
  }

  #enqueue(work: Work): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...work, resolve, reject })
      // Never rejects: every group hands its outcome to its callers.
      this.#working ??= this.#work().finally(() => (this.#working = undefined))
    })
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      // As a disk would: without a turn of the event loop, work that ends at once would keep everything else from running.
      await this.#turn()
      this.#current = this.#waiting
      this.#waiting = []
      const fate = await this.#decide(this.#current.flatMap((call) => ('batches' in call ? call.batches : [])))
      if (this.#isDropped) return
      if (fate === 'store' || fate === 'store-then-unknown') this.#store(this.#current)
      if (fate === 'store') for (const call of this.#current) call.resolve()
      else this.#fail(this.#current, fate)
      this.#current = []
    }
  }

  #store(calls: readonly Call[]): void {
    for (const call of calls) {
      if ('removed' in call) this.#runs.remove(call.removed)
      else for (const batch of call.texts) this.#runs.add(batch)
      this.#admission.settle('batches' in call ? call.batches : [{ run: call.removed }])
    }
    this.#onDurable()
  }

  /** What was queued meanwhile was decided upon what failed: it is refused (CO1). */
  #fail(calls: readonly Call[], fate: AppendFate): void {
    const later = this.#waiting
    this.#waiting = []
    this.#admission.reset()
    const refused = new FleetError('not_stored', 'Nothing was stored: the memory store was told to refuse. Try again.')
    const unknown = new FleetError('outcome_unknown', 'The append may be stored or not. Read the run to learn which.')
    for (const call of calls) call.reject(fate === 'refuse' ? refused : unknown)
    for (const call of later) call.reject(refused)
  }
}
