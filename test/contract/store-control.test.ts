import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { systemIds } from '../../src/host/ids.ts'
import type { Store } from '../../src/ports/store.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { storeContract } from '../../src/testing/store-contract.ts'

/** Stores with one defect each, made of the memory store. */
const defects: Readonly<Record<string, (store: Store) => Partial<Store>>> = {
  'forgets the first of several batches': (store) => ({
    append: async ([first, ...rest]) => store.append(rest.length > 0 && first ? rest : [first!]),
  }),
  'takes a second run of the same key': (store) => ({
    append: (batches) => store.append(batches.map((batch) => ({ ...batch, row: batch.row && { ...batch.row, key: undefined } }))),
  }),
  'reads one entry too late': (store) => ({ read: (run, { from, limit }) => store.read(run, { from: from + 1, limit }) }),
  'gives no limit': (store) => ({ read: (run, { from }) => store.read(run, { from, limit: 1_000 }) }),
  'lists the oldest run first': (store) => ({ runs: async (query) => [...(await store.runs(query))].reverse() }),
  'answers no command': (store) => ({ inbox: async function* () {}, post: (command) => store.post(command, { waitMs: 0 }) }),
  'loses snapshots': () => ({ loadSnapshot: async () => undefined }),
  'keeps what was removed': () => ({ remove: async () => {} }),
}

describe('the store contract', () => {
  for (const [defect, of] of Object.entries(defects)) {
    test(`ST9 the suite finds a store that ${defect}`, async () => {
      const failures = await failuresOf((store) => withOverrides(store, of(store)))
      expect(failures.length, 'no case of the suite failed').toBeGreaterThan(0)
    })
  }

  test('ST9 the suite finds nothing in the store without a defect', async () => {
    expect(await failuresOf((store) => store)).toEqual([])
  })
})

async function failuresOf(change: (store: Store) => Store): Promise<string[]> {
  const failed: string[] = []
  const cases = storeContract(async () => {
    const store = createMemoryStore({ clock: systemClock(), ids: systemIds() })
    return { store: change(store), reopen: async () => change(store.peer()), dispose: () => store.close() }
  })
  for (const { id, run } of cases) {
    const outcome = await Promise.race([
      run().then(
        () => 'passed',
        () => 'failed',
      ),
      systemClock()
        .sleep(2_000)
        .then(() => 'hung'),
    ])
    if (outcome !== 'passed') failed.push(id)
  }
  return failed
}

/** The store with some methods replaced; the others keep their `this`. */
function withOverrides(store: Store, overrides: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(overrides, name)) return overrides[name as keyof Store]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}
