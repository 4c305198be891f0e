import assert from 'node:assert/strict'
import type { StoreCheck } from './sample.ts'
import { batch, rejects, seqs } from './sample.ts'

/** What is stored, and when it counts as stored. */
export const appendChecks: Readonly<Record<string, StoreCheck>> = {
  'ST1 what an append resolved is there after closing and reopening': async (context) => {
    const { store, reopen } = context
    const first = await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 3)])
    await store.append([batch('run-1', 3, 2)])
    await store.close()
    const again = await reopen()
    const second = await again.open({ instance: 'two' })
    assert.deepEqual(await seqs(again, 'run-1'), [1, 2, 3, 4, 5])
    assert.equal(second.storeId, first.storeId)
    assert.ok(second.epoch > first.epoch, 'each opening has a higher epoch')
    await again.close()
  },

  'ST1 an entry comes back as it was at the time of the append': async ({ store }) => {
    await store.open({ instance: 'one' })
    const entry = { seq: 1, text: 'Zwölf\n"quoted" \u2028 \u0000 🚢', nested: { list: [1, null, true, { deep: 'x' }] } }
    const mutable = structuredClone(entry)
    const appended = store.append([{ run: 'run-1', after: 0, entries: [mutable] }])
    mutable.nested.list.length = 0
    await appended
    assert.deepEqual(await store.read('run-1', { from: 1, limit: 10 }), [entry])
    await store.close()
  },

  'ST1 reading gives at most limit entries from a sequence on': async ({ store }) => {
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 200), batch('run-2', 0, 150)])
    for (let after = 200; after < 400; after += 50) await store.append([batch('run-1', after, 50)])
    assert.deepEqual(await seqs(store, 'run-1', 65, 3), [65, 66, 67])
    assert.deepEqual(await seqs(store, 'run-1', 399, 10), [399, 400])
    assert.deepEqual(await seqs(store, 'run-1', 401, 10), [])
    assert.equal((await seqs(store, 'run-2', 1, 1000)).length, 150)
    assert.deepEqual(await seqs(store, 'run-3', 1, 10), [])
    assert.deepEqual(await Promise.all(['run-1', 'run-2', 'run-3'].map((run) => store.last(run))), [400, 150, 0])
    await store.close()
  },

  'ST1 an append is stored whole or not at all': async ({ store }) => {
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 1)])
    await rejects(store.append([batch('run-2', 0, 2), batch('run-1', 7, 1)]), 'store_conflict')
    assert.deepEqual(await seqs(store, 'run-2'), [])
    await store.append([batch('run-2', 0, 2), batch('run-1', 1, 1)])
    assert.deepEqual(
      [await seqs(store, 'run-1'), await seqs(store, 'run-2')],
      [
        [1, 2],
        [1, 2],
      ],
    )
    await store.close()
  },

  'ST1 an append must follow the last sequence of its run': async ({ store }) => {
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 2)])
    await rejects(store.append([batch('run-1', 1, 1)]), 'store_conflict')
    await rejects(store.append([batch('run-1', 3, 1)]), 'store_conflict')
    await rejects(store.append([{ run: 'run-1', after: 2, entries: [{ seq: 4 }] }]), 'store_conflict')
    await rejects(store.append([batch('run-1', 0, 1)]), 'run_exists')
    await store.append([batch('run-1', 2, 1)])
    assert.deepEqual(await seqs(store, 'run-1'), [1, 2, 3])
    await store.close()
  },

  'ST1 a store that is not open stores nothing': async ({ store }) => {
    await rejects(store.append([batch('run-1', 0, 1)]), 'not_stored')
    assert.deepEqual(await seqs(store, 'run-1'), [])
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 1)])
    await store.close()
    await rejects(store.append([batch('run-1', 1, 1)]), 'not_stored')
    assert.deepEqual(await seqs(store, 'run-1'), [1])
  },

  'ST3 appends need not wait for one another': async ({ store }) => {
    await store.open({ instance: 'one' })
    const appends = Array.from({ length: 64 }, (_, index) => [
      store.append([batch(`run-${index}`, 0, 1)]),
      store.append([batch(`run-${index}`, 1, 2)]),
      store.append([batch('shared', index, 1)]),
    ])
    await Promise.all(appends.flat())
    assert.deepEqual(await seqs(store, 'run-63'), [1, 2, 3])
    assert.equal((await seqs(store, 'shared', 1, 100)).length, 64)
    await store.close()
  },
}
