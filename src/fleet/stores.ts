import type { Store } from '../ports/store.ts'
import { systemClock } from '../host/clock.ts'
import { systemIds } from '../host/ids.ts'
import { deferredStore } from '../store/deferred.ts'
import { storeFacts } from '../store/json/store-facts.ts'

/**
 * A store in a folder of JSON files that a person can read: one journal, an index, and a folder per run (ST2). An append that resolved
 * survives `kill -9` and power loss (ST1). One process at a time writes it (ST6); any number read it.
 */
export function jsonStore(options: {
  /** The folder. It is created when a fleet first opens the store. */
  readonly folder: string
  /** Size at which the journal goes on in a new file, bytes. Default 16 MiB. */
  readonly segmentBytes?: number
}): Store {
  const facts = storeFacts(options.folder)
  const parts = { ...options, facts, clock: systemClock(), ids: systemIds() }
  return deferredStore(facts, async () => {
    const { createJsonStore } = await import('../store/json/json-store.ts')
    return () => createJsonStore(parts)
  })
}

/** A store in memory, gone with the process. It keeps the newest `keepEndedRuns` ended runs; default 1,000. */
export function memoryStore(options: { readonly keepEndedRuns?: number } = {}): Store {
  const parts = { ...options, clock: systemClock(), ids: systemIds() }
  return deferredStore({ name: 'memory store', folder: undefined }, async () => {
    const { createMemoryStore } = await import('../store/memory.ts')
    return () => createMemoryStore(parts)
  })
}
