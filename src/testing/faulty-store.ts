import type { Batch, Store } from '../ports/store.ts'
import { FleetError } from '../protocol/errors.ts'
import type { Fault, FaultKind } from './faults.ts'

/** What may go wrong with an append, and what comes of it. */
export interface AppendHazards {
  strike(): Fault | undefined
  /** The process dies at once. */
  crash(): void
  jump(ms: number): void
  /** The caller will be told that it failed. */
  rejected(): void
  /** The store was asked, and did or did not. */
  appended(batches: readonly Batch[]): Promise<void>
}

type Row = (
  append: () => Promise<void>,
  hazards: AppendHazards,
  batches: readonly Batch[],
  fault: Fault,
  store: Store,
) => Promise<void>

/** What a dead process waits for never comes. */
const never = (): Promise<never> => new Promise(() => undefined)

const rows: Partial<Record<FaultKind, Row>> = {
  async 'crash.before-append'(_, hazards) {
    hazards.crash()
    return never()
  },
  async 'crash.after-append'(append, hazards) {
    await append()
    hazards.crash()
    return never()
  },
  async 'store.torn'(_, hazards, batches, __, store) {
    await store.append(batches.slice(0, Math.floor(batches.length / 2)))
    hazards.crash()
    return never()
  },
  async 'store.failing'() {
    throw new FleetError('not_stored', 'Nothing was stored: the disk was made to fail. Try again.')
  },
  async 'store.unknown'(append) {
    await append()
    throw unknown()
  },
  async 'store.lost'() {
    throw unknown()
  },
  async 'clock.jump'(append, hazards, _, fault) {
    hazards.jump(fault.ms ?? 0)
    return append()
  },
}

/** The same store, whose appends go wrong as they are told to. */
export function faultyStore(store: Store, hazards: AppendHazards): Store {
  async function append(batches: readonly Batch[]): Promise<void> {
    const fault = hazards.strike()
    const row = fault && rows[fault.kind]
    const keep = (): Promise<void> => store.append(batches)
    try {
      await (row === undefined || fault === undefined ? keep() : row(keep, hazards, batches, fault, store))
    } catch (error) {
      hazards.rejected()
      throw error
    } finally {
      await hazards.appended(batches)
    }
  }
  return new Proxy(store, {
    get(target, name) {
      if (name === 'append') return append
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function unknown(): FleetError {
  return new FleetError('outcome_unknown', 'The append may be stored or not. Read the run to learn which.')
}
