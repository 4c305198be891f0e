import { expect } from 'vitest'
import { FleetError } from '../../../../src/protocol/errors.ts'
import type { Store, StoredEntry } from '../../../../src/ports/store.ts'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import { chosenState } from '../../../support/disk-model/crash-states.ts'
import type { DiskCall, DiskFault } from '../../../support/disk-model/model-disk.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { modelStore } from './witness.ts'

type Outcome = 'stored' | 'refused' | 'unknown'

/** Entries that were appended together, and what their caller was told. */
interface Attempt {
  readonly run: string
  readonly names: readonly string[]
  outcome: Outcome
}

const outcomes: Partial<Record<string, Outcome>> = { not_stored: 'refused', outcome_unknown: 'unknown' }
const runs = ['run-1', 'run-2', 'run-3']
const removable = 'run-3'

/** Uses a store on a disk that fails, and holds what the store gives back against what it told. */
export class Trial {
  readonly disk: ModelDisk
  readonly #store: Store
  readonly #attempts: Attempt[] = []
  readonly #blobs: { readonly sha256: string; readonly text: string }[] = []
  #removal: Outcome = 'refused'
  #opening: Promise<unknown> | undefined
  #names = 0

  constructor(fault: (call: DiskCall) => DiskFault | undefined = () => undefined) {
    this.disk = new ModelDisk(undefined, fault)
    this.#store = modelStore(this.disk, { segmentBytes: 1200 })
  }

  /** A few dozen operations, of every kind that a store has. */
  async run(): Promise<void> {
    await this.#append('run-1', 2)
    await Promise.all([this.#append('run-2', 3), this.#append(removable, 1)])
    await this.#put('a log')
    await this.#snapshot('run-1')
    await this.#append('run-1', 1, 300)
    await this.#append('run-2', 2)
    await this.#post()
    await this.#remove()
    await this.#append('run-1', 2, 300)
    await this.#append('run-2', 1)
    await this.#snapshot('run-1')
    await this.#put('a log')
    await this.#append('run-1', 1)
  }

  /** Once the disk is well: the same store goes on, and it and its successors hold what was told. */
  async conclude(): Promise<void> {
    await this.#settle()
    for (const run of ['run-1', 'run-2']) expect(await this.#append(run, 1)).toBe('stored')
    await this.#check(this.#store)
    const dark = chosenState(this.disk, this.disk.steps.length, [1]).tree
    await this.#store.close()
    expect(this.disk.handles, 'handles that were left open').toBe(0)
    expect(this.disk.resynced, 'synced again after a failed sync').toEqual([])
    for (const tree of [this.disk.tree, dark]) {
      const next = modelStore(new ModelDisk(tree))
      const { warnings } = await next.open({ instance: 'next' })
      expect(warnings.filter((warning) => !warning.startsWith('A torn tail'))).toEqual([])
      await this.#check(next)
      await next.close()
    }
  }

  async #open(): Promise<void> {
    this.#opening ??= this.#store.open({ instance: 'trial' })
    await this.#opening.catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
  }

  async #append(run: string, count: number, size = 10): Promise<Outcome> {
    const after = await this.#last(run)
    if (after === undefined) return 'refused'
    const names = Array.from({ length: count }, () => `entry ${(this.#names += 1)}`)
    const entries = names.map((name, index): StoredEntry => ({ seq: after + 1 + index, kind: name, text: 'x'.repeat(size) }))
    const attempt: Attempt = { run, names, outcome: 'unknown' }
    this.#attempts.push(attempt)
    attempt.outcome = await outcomeOf(() => this.#store.append([{ run, after, entries }]))
    return attempt.outcome
  }

  async #remove(): Promise<void> {
    if (((await this.#last(removable)) ?? 0) === 0) return
    this.#removal = 'unknown'
    this.#removal = await outcomeOf(() => this.#store.remove(removable))
  }

  async #put(text: string): Promise<void> {
    const put = await this.#store.blobs.put('run-1', Buffer.from(text)).catch(() => undefined)
    if (put !== undefined) this.#blobs.push({ text, sha256: put.sha256 })
  }

  async #snapshot(run: string): Promise<void> {
    const seq = await this.#last(run)
    if (seq !== undefined) await this.#store.saveSnapshot(run, taken(seq, [{ key: 'a', seq, value: seq }])).catch(() => undefined)
  }

  async #post(): Promise<void> {
    await this.#store.post({ id: 'one', command: { kind: 'run.pause', run_id: 'run-1' } }, { waitMs: 0 }).catch(() => undefined)
  }

  /** Reading tells what became of that whose outcome was unknown; it stays so. */
  async #settle(): Promise<void> {
    await this.#open()
    const found = await namesIn(this.#store)
    const isGone = this.#removal === 'unknown' && (await this.#store.last(removable)) === 0
    if (this.#removal === 'unknown') this.#removal = isGone ? 'stored' : 'refused'
    for (const attempt of this.#attempts)
      if (attempt.outcome === 'unknown') attempt.outcome = found.has(attempt.names[0] ?? '') ? 'stored' : 'refused'
  }

  async #check(store: Store): Promise<void> {
    const found = await namesIn(store)
    for (const { run, names, outcome } of this.#attempts) {
      const isGone = run === removable && this.#removal === 'stored'
      const there = names.filter((name) => found.has(name))
      expect(there, `${names.join()} was ${outcome}`).toEqual(outcome === 'stored' && !isGone ? names : [])
    }
    for (const { sha256, text } of this.#blobs) expect((await store.blobs.open('run-1', sha256))?.toString()).toBe(text)
  }

  /** A run's last sequence, as whoever appends has to know it; undefined while nobody can tell. */
  async #last(run: string): Promise<number | undefined> {
    try {
      await this.#open()
      return await this.#store.last(run)
    } catch (error) {
      if (!FleetError.is(error)) throw error
      expect(['not_stored', 'outcome_unknown', 'unreadable_file', 'store_conflict']).toContain(error.code)
      return undefined
    }
  }
}

async function namesIn(store: Store): Promise<ReadonlySet<string>> {
  const entries = await Promise.all(runs.map((run) => store.read(run, { from: 1, limit: 1000 })))
  return new Set(entries.flat().map(({ kind }) => kind as string))
}

async function outcomeOf(work: () => Promise<void>): Promise<Outcome> {
  try {
    await work()
    return 'stored'
  } catch (error) {
    const outcome = FleetError.is(error) ? outcomes[error.code] : undefined
    if (outcome === undefined) throw error
    return outcome
  }
}
