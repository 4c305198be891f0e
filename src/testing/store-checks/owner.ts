import assert from 'node:assert/strict'
import type { StoreCheck } from './sample.ts'
import { batch, claimed, rejects, row, seqs } from './sample.ts'

/** Who may write, and what others see. */
export const ownerChecks: Readonly<Record<string, StoreCheck>> = {
  'ST6 a second owner is refused with the first one named, and may open after it': async ({ store, reopen }) => {
    await store.open({ instance: 'first-owner' })
    const other = await reopen()
    const refused = await rejects(other.open({ instance: 'second' }), 'store_owned')
    assert.match(refused.message, /first-owner/)
    assert.equal((await other.owner())?.instance, 'first-owner')
    assert.equal((await other.owner())?.alive, true)
    await store.close()
    assert.equal(await other.owner(), undefined)
    await other.open({ instance: 'second' })
    await rejects(store.open({ instance: 'first-owner' }), 'store_owned')
    await other.close()
    await store.open({ instance: 'third' })
    await store.close()
  },

  'ST6 a second owner may wait for the first one to go': async ({ store, reopen }) => {
    await store.open({ instance: 'first' })
    await store.append([batch('run-1', 0, 1)])
    const other = await reopen()
    const waiting = other.open({ instance: 'second', waitMs: 10_000 })
    await store.append([batch('run-1', 1, 1)])
    await store.close()
    await waiting
    assert.deepEqual(await seqs(other, 'run-1'), [1, 2])
    await other.append([batch('run-1', 2, 1)])
    await other.close()
  },

  'ST6 whoever waits for an owner can give up': async ({ store, reopen }) => {
    await store.open({ instance: 'first' })
    const other = await reopen()
    const giveUp = new AbortController()
    const waiting = other.open({ instance: 'second', waitMs: 60_000, signal: giveUp.signal })
    giveUp.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    assert.equal((await store.owner())?.instance, 'first')
    await store.close()
  },

  'ST6 a store may be closed twice, and opened again': async ({ store }) => {
    await store.close()
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 1)])
    await Promise.all([store.close(), store.close()])
    await store.close()
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 1, 1)])
    assert.deepEqual(await seqs(store, 'run-1'), [1, 2])
    await store.close()
  },

  'ST6 what another store wrote can be read beside its owner': async ({ store, reopen }) => {
    const reader = await reopen()
    assert.deepEqual(await seqs(reader, 'run-1'), [])
    await store.open({ instance: 'one' })
    for (let after = 0; after < 5; after += 1) {
      await store.append([{ ...batch('run-1', after, 1), row: row('run-1', { updatedAt: after }) }])
      assert.equal((await seqs(reader, 'run-1')).length, after + 1)
      assert.equal((await reader.row({ id: 'run-1' }))?.updatedAt, after)
    }
    await store.close()
  },

  'ST11 claims grant the runs that have not ended, and the reserved stream': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    assert.deepEqual(await claimed(store), ['fleet'])
    for (const status of ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const)
      await store.append([{ ...batch(`run-${status}`, 0, 1), row: row(`run-${status}`, { status }) }])
    await store.append([batch('fleet', 0, 1)])
    assert.deepEqual(await claimed(store), [], 'created runs are owned without a claim')
    await store.close()
    const again = await reopen()
    const { epoch } = await again.open({ instance: 'two' })
    const claims = []
    for await (const claim of again.claim({})) claims.push(claim)
    assert.deepEqual(claims.map(({ run }) => run).sort(), ['fleet', 'run-paused', 'run-pending', 'run-running'])
    assert.ok(claims.every((claim) => claim.epoch === epoch && !claim.lost.aborted))
    assert.deepEqual(await claimed(again), [], 'nothing is granted twice')
    await claims.find(({ run }) => run === 'run-paused')?.release()
    assert.deepEqual(await claimed(again, ['run-paused', 'run-completed']), ['run-paused'])
    await again.close()
  },

  'RU8 a run that has ended is granted for as long as something of it is unsettled': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    const ended = (unsettled?: number) => row('run-owing', { status: 'failed', ...(unsettled !== undefined && { unsettled }) })
    await store.append([{ ...batch('run-owing', 0, 1), row: ended(2) }])
    await store.append([{ ...batch('run-settled', 0, 1), row: row('run-settled', { status: 'failed' }) }])
    await store.close()
    const again = await reopen()
    await again.open({ instance: 'two' })
    assert.equal((await again.row({ id: 'run-owing' }))?.unsettled, 2)
    assert.deepEqual(await claimed(again), ['fleet', 'run-owing'])
    await again.append([{ ...batch('run-owing', 1, 1), row: ended() }])
    await again.close()
    const third = await reopen()
    await third.open({ instance: 'three' })
    assert.deepEqual(await claimed(third), ['fleet'])
    await third.close()
  },
}
