import assert from 'node:assert/strict'
import type { Store } from '../../ports/store.ts'
import type { StoreCheck } from './sample.ts'
import { batch, claimed, rejects, row, seqs, taken } from './sample.ts'

/** Rows, keys and tombstones. */
export const runChecks: Readonly<Record<string, StoreCheck>> = {
  'ST2 rows are listed newest first, by status, up to a limit': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    const batches = [3, 1, 2, 2].map((createdAt, index) => ({
      ...batch(`run-${index}`, 0, 1),
      row: row(`run-${index}`, { createdAt, status: index === 0 ? 'completed' : 'running' }),
    }))
    await store.append(batches)
    const ids = async (from: Store, query?: Parameters<Store['runs']>[0]) => (await from.runs(query)).map(({ id }) => id)
    assert.deepEqual(await ids(store), ['run-0', 'run-3', 'run-2', 'run-1'])
    assert.deepEqual(await ids(store, { status: ['running', 'failed'], limit: 2 }), ['run-3', 'run-2'])
    await store.append([{ ...batch('run-1', 1, 1), row: row('run-1', { createdAt: 1, status: 'failed' }) }])
    assert.deepEqual(await ids(store, { status: ['failed'] }), ['run-1'])
    await store.close()
    assert.deepEqual(await ids(await reopen()), ['run-0', 'run-3', 'run-2', 'run-1'])
  },

  'ST2 runs that ended long ago are listed, found, refused and restarted like any other': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    const ended = Array.from({ length: 620 }, (_, index) => ({
      ...batch(`run-${index}`, 0, 1),
      row: row(`run-${index}`, { createdAt: index >> 1, key: `key-${index}`, status: 'completed' }),
    }))
    await store.append([...ended, { ...batch('run-live', 0, 1), row: row('run-live', { createdAt: 100 }) }])
    await store.remove('run-0')
    await store.close()
    const again = await reopen()
    await again.open({ instance: 'two' })
    const ids = async (query: Parameters<Store['runs']>[0]) => (await again.runs(query)).map(({ id }) => id)
    assert.deepEqual(await ids({ limit: 3 }), ['run-619', 'run-618', 'run-617'])
    assert.deepEqual(await ids({ status: ['running'] }), ['run-live'])
    await rejects(again.append([batch('run-0', 0, 1)]), 'run_exists')
    await rejects(again.append([batch('run-5', 0, 1)]), 'run_exists')
    const taken = { ...batch('run-new', 0, 1), row: row('run-new', { key: 'key-5' }) }
    await rejects(again.append([taken]), 'run_conflict')
    assert.deepEqual([await again.last('run-5'), (await again.row({ key: 'key-5' }))?.id], [1, 'run-5'])
    await again.append([{ ...batch('run-5', 1, 1), row: row('run-5', { createdAt: 2, key: 'key-5' }) }])
    assert.deepEqual(await ids({ status: ['running'] }), ['run-live', 'run-5'])
    assert.equal((await ids({})).length, 620)
    assert.deepEqual((await ids({})).slice(-3), ['run-3', 'run-2', 'run-1'])
    await again.close()
  },

  'RU2 an idempotency key belongs to one run': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    const keyed = (id: string) => ({ ...batch(id, 0, 1), row: row(id, { key: 'nightly', digest: 'd' }) })
    const both = await Promise.allSettled([store.append([keyed('run-1')]), store.append([keyed('run-2')])])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    await rejects(store.append([keyed('run-3')]), 'run_conflict')
    await rejects(
      store.append([
        { ...batch('run-4', 0, 1), row: row('run-4', { key: 'a' }) },
        { ...batch('run-5', 0, 1), row: row('run-5', { key: 'a' }) },
      ]),
      'run_conflict',
    )
    assert.equal((await store.row({ key: 'nightly' }))?.id, 'run-1')
    assert.equal(await store.row({ key: 'other' }), undefined)
    await store.append([{ ...batch('run-1', 1, 1), row: row('run-1', { key: 'nightly', status: 'completed' }) }])
    await store.close()
    const again = await reopen()
    await again.open({ instance: 'two' })
    await rejects(again.append([keyed('run-6')]), 'run_conflict')
    assert.equal((await again.row({ key: 'nightly' }))?.status, 'completed')
    await again.close()
  },

  'RU8 a removed run is gone, and its id is not used again': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    await store.append([{ ...batch('run-1', 0, 2), row: row('run-1', { key: 'k', status: 'completed' }) }, batch('run-2', 0, 1)])
    await store.saveSnapshot('run-1', taken(1, []))
    const { sha256 } = await store.blobs.put('run-1', Buffer.from('bytes'))
    await store.remove('run-1')
    await store.remove('run-1')
    await rejects(store.remove('run-9'), 'unknown_run')
    const isGone = async (from: Store) => {
      assert.deepEqual(await seqs(from, 'run-1'), [])
      assert.equal(await from.last('run-1'), 0)
      assert.equal(await from.row({ id: 'run-1' }), undefined)
      assert.notEqual((await from.row({ key: 'k' }))?.id, 'run-1')
      assert.equal(await from.loadSnapshot('run-1'), undefined)
      assert.equal(await from.blobs.open('run-1', sha256), undefined)
      await rejects(from.append([batch('run-1', 0, 1)]), 'run_exists')
      await rejects(from.append([batch('run-1', 2, 1)]), 'store_conflict')
      assert.deepEqual(await seqs(from, 'run-2'), [1])
    }
    await isGone(store)
    await store.append([{ ...batch('run-3', 0, 1), row: row('run-3', { key: 'k' }) }])
    await store.close()
    const again = await reopen()
    await again.open({ instance: 'two' })
    await isGone(again)
    assert.deepEqual((await claimed(again)).sort(), ['fleet', 'run-2', 'run-3'])
    await again.close()
  },
}
