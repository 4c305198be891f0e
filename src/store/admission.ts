import { FleetError } from '../protocol/errors.ts'
import type { Batch, RunRow } from '../ports/store.ts'

/** What a store durably knows of its runs. */
export interface RunFacts {
  /** The run's last durable sequence, 0 when there is none. */
  seq(run: string): number
  removed(run: string): boolean
  /** The run that an idempotency key belongs to. */
  keyHolder(key: string): string | undefined
}

/**
 * Decides whether batches may be queued, against what is durable and what is queued before them. Queued batches count as stored
 * until `reset`, so that callers need not wait for each other.
 */
export class Admission {
  readonly #facts: RunFacts
  readonly #seqs = new Map<string, number>()
  readonly #keys = new Map<string, string>()
  readonly #removed = new Set<string>()

  constructor(facts: RunFacts) {
    this.#facts = facts
  }

  /** The batches, one per run; or a rejection that leaves everything as it was. */
  admit(batches: readonly Batch[]): readonly Batch[] {
    const merged = mergeByRun(batches)
    for (const batch of merged) this.#check(batch)
    checkKeysAmong(merged)
    for (const batch of merged) {
      this.#seqs.set(batch.run, batch.after + batch.entries.length)
      if (batch.row?.key !== undefined) this.#keys.set(batch.row.key, batch.run)
    }
    return merged
  }

  /** The sequence of a run's tombstone, or undefined when the run is removed already. Rejects `unknown_run`. */
  admitRemoval(run: string): number | undefined {
    if (this.#isRemoved(run)) return undefined
    const seq = this.#seq(run)
    if (seq === 0) throw new FleetError('unknown_run', `No run ${run} in this store. List the runs with fleet.runs().`)
    this.#removed.add(run)
    this.#seqs.set(run, seq + 1)
    return seq + 1
  }

  /** Forgets what is durable by now. */
  settle(batches: readonly { readonly run: string; readonly row?: RunRow }[]): void {
    for (const { run, row } of batches) {
      if (row?.key !== undefined) this.#keys.delete(row.key)
      if (!this.#facts.removed(run) && this.#facts.seq(run) !== this.#seqs.get(run)) continue
      this.#seqs.delete(run)
      this.#removed.delete(run)
    }
  }

  /** Forgets everything that was queued. */
  reset(): void {
    this.#seqs.clear()
    this.#keys.clear()
    this.#removed.clear()
  }

  #check({ run, after, entries, row }: Batch): void {
    const seq = this.#seq(run)
    if (after === 0 && (seq > 0 || this.#isRemoved(run)))
      throw new FleetError('run_exists', `Run ${run} exists, or existed, in this store. Leave the id out, or choose another.`, {
        details: { run },
      })
    if (after !== seq || this.#isRemoved(run))
      throw new FleetError(
        'store_conflict',
        `Run ${run} is at sequence ${seq}, not at ${after}. Read the run again before appending.`,
        {
          details: { run, seq, after },
        },
      )
    const gap = entries.findIndex((entry, index) => entry.seq !== after + 1 + index)
    if (gap >= 0)
      throw new FleetError(
        'store_conflict',
        `The entries of run ${run} are not dense after ${after}. Number them from ${after + 1}.`,
        {
          details: { run, seq, after },
        },
      )
    const holder = row?.key === undefined ? undefined : (this.#keys.get(row.key) ?? this.#facts.keyHolder(row.key))
    if (holder !== undefined && holder !== run) throw keyTaken(run, holder)
  }

  #seq(run: string): number {
    return this.#seqs.get(run) ?? this.#facts.seq(run)
  }

  #isRemoved(run: string): boolean {
    return this.#removed.has(run) || this.#facts.removed(run)
  }
}

function mergeByRun(batches: readonly Batch[]): readonly Batch[] {
  const merged = new Map<string, Batch>()
  for (const batch of batches) {
    const before = merged.get(batch.run)
    if (before === undefined) merged.set(batch.run, batch)
    else if (batch.after === before.after + before.entries.length)
      merged.set(batch.run, { ...before, ...batch, after: before.after, entries: [...before.entries, ...batch.entries] })
    else
      throw new FleetError('store_conflict', `Two batches of run ${batch.run} do not follow one another. Append them in order.`, {
        details: { run: batch.run, after: batch.after },
      })
  }
  return [...merged.values()].filter((batch) => batch.entries.length > 0)
}

function checkKeysAmong(batches: readonly Batch[]): void {
  const holders = new Map<string, string>()
  for (const { run, row } of batches) {
    if (row?.key === undefined) continue
    const holder = holders.get(row.key)
    if (holder !== undefined) throw keyTaken(run, holder)
    holders.set(row.key, run)
  }
}

function keyTaken(run: string, holder: string): FleetError {
  return new FleetError(
    'run_conflict',
    `The idempotency key of run ${run} belongs to run ${holder}. Use another key, or go on with that run.`,
    {
      details: { run, holder },
    },
  )
}
