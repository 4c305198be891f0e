import { expect, test } from 'vitest'
import type { Store } from '../../../src/ports/store.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { systemIds } from '../../../src/host/ids.ts'
import { deferredStore } from '../../../src/store/deferred.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'

const facts = { name: 'a store', folder: '/runs', home: '/', recordings: '/recordings' }

function deferred(failures = 0) {
  const loads: Store[] = []
  let left = failures
  const store = deferredStore(facts, async () => {
    if ((left -= 1) >= 0) throw new Error('it cannot be read')
    return () => {
      const created = createMemoryStore({ clock: systemClock(), ids: systemIds() })
      loads.push(created)
      return created
    }
  })
  return { store, loads }
}

test('ST1 what is asked at once is asked of one store', async () => {
  const { store, loads } = deferred()
  expect(store).toMatchObject(facts)
  expect(loads).toEqual([])
  await Promise.all([store.runs(), store.open({ instance: 'i' }), store.owner(), store.blobs.open('r', 'x')])
  expect(loads).toHaveLength(1)
  await store.close()
})

test('DE1 a store that is there is asked without waiting for a load again', async () => {
  let loads = 0
  const store = deferredStore(facts, async () => {
    loads += 1
    return () => createMemoryStore({ clock: systemClock(), ids: systemIds() })
  })
  await store.open({ instance: 'i' })
  await store.runs()
  await store.last('run-1')
  expect(loads).toBe(1)
  await store.close()
})

test('ST1 a load that failed is tried again', async () => {
  const { store, loads } = deferred(1)
  await expect(store.open({ instance: 'i' })).rejects.toThrow('it cannot be read')
  await expect(store.open({ instance: 'i' })).resolves.toMatchObject({ epoch: 1 })
  expect(loads).toHaveLength(1)
  await store.close()
})

test('ST1 appending to a store that nobody opened is refused, whether it is loaded or not', async () => {
  const { store } = deferred()
  const batch = { run: 'r', after: 0, entries: [] }
  const [first, second] = [store.append([batch]), store.append([batch])]
  await expect(first).rejects.toMatchObject({ code: 'not_stored' })
  await expect(second).rejects.toMatchObject({ code: 'not_stored' })
  await expect(store.append([batch])).rejects.toMatchObject({ code: 'not_stored' })
})

test('CO7 closing what was asked nothing loads nothing', async () => {
  const { store, loads } = deferred()
  await store.close()
  expect(loads).toEqual([])
})
