import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { StoreCheck } from './sample.ts'
import { answerTo, batch, command, rejects, seqs, taken } from './sample.ts'

/** What lies beside the entries: snapshots, commands, watches, blobs. */
export const besideChecks: Readonly<Record<string, StoreCheck>> = {
  'ST7 a snapshot is loaded as it was saved, the newest one': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 9)])
    const records = Array.from({ length: 1203 }, (_, index) => ({
      key: `task:${index}`,
      seq: 1 + (index % 8),
      value: { index, text: 'ü' },
    }))
    assert.equal(await store.loadSnapshot('run-1'), undefined)
    await store.saveSnapshot('run-1', taken(8, records))
    const changed = records.map((record, index) => (index === 700 ? { ...record, seq: 9, value: 'changed' } : record))
    await store.saveSnapshot('run-1', taken(9, changed))
    const never = records.map((record) => ({ ...record, seq: 10 }))
    await store.saveSnapshot('run-1', { ...taken(10, never), through: () => Promise.resolve(undefined) })
    assert.deepEqual(await store.loadSnapshot('run-1'), { seq: 9, records: changed })
    await store.close()
    assert.deepEqual(await (await reopen()).loadSnapshot('run-1'), { seq: 9, records: changed })
    await rejects(store.saveSnapshot('run-1', taken(9, [])), 'not_stored')
  },

  'ST10 a posted command is taken once and answered': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    const poster = await reopen()
    const stop = new AbortController()
    const seen: string[] = []
    const owner = (async () => {
      for await (const { command, answer } of store.inbox({ signal: stop.signal })) {
        seen.push(command.id)
        await answer(answerTo(command))
      }
    })()
    const answers = await Promise.all(['a', 'b', 'c'].map((id) => poster.post(command(id), { waitMs: 10_000 })))
    assert.deepEqual(
      answers,
      ['a', 'b', 'c'].map((id) => answerTo(command(id))),
    )
    stop.abort()
    await owner
    assert.deepEqual(seen.sort(), ['a', 'b', 'c'])
    await store.close()
  },

  'ST10 a command that nobody takes stays posted for the next owner': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 1)])
    await store.close()
    const poster = await reopen()
    assert.equal(await poster.post(command('later'), { waitMs: 1 }), undefined)
    await store.open({ instance: 'two' })
    const stop = new AbortController()
    for await (const item of store.inbox({ signal: stop.signal })) {
      assert.deepEqual(item.command, command('later'))
      await item.answer(answerTo(item.command))
      stop.abort()
    }
    await store.close()
  },

  'ST10 whoever posts can give up waiting': async ({ store }) => {
    await store.open({ instance: 'one' })
    const giveUp = new AbortController()
    const posted = store.post(command('a'), { waitMs: 60_000, signal: giveUp.signal })
    giveUp.abort(new Error('enough'))
    await assert.rejects(posted, /enough/)
    await store.close()
  },

  'EV2 a watch tells of growth, to the owner and to others, and ends with its signal': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    await store.append([batch('run-1', 0, 2)])
    for (const watcher of [store, await reopen()]) {
      const stop = new AbortController()
      const { length } = await seqs(store, 'run-1')
      const heard: number[] = []
      for await (const seq of watcher.watch('run-1', { from: length - 1, signal: stop.signal })) {
        heard.push(seq)
        if (heard.length === 1) await store.append([batch('run-1', length, 3)])
        else stop.abort()
      }
      assert.deepEqual(heard, [length, length + 3])
    }
    await store.close()
  },

  'AR1 bytes are kept by content': async ({ store, reopen }) => {
    await store.open({ instance: 'one' })
    const bytes = Buffer.from([0, 255, 1, 10])
    const { sha256, size } = await store.blobs.put('run-1', bytes)
    assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'))
    assert.equal(size, 4)
    bytes.fill(7)
    assert.equal((await store.blobs.put('run-1', Buffer.from([0, 255, 1, 10]))).sha256, sha256)
    const other = await reopen()
    assert.deepEqual([...((await other.blobs.open('run-1', sha256)) ?? [])], [0, 255, 1, 10])
    assert.equal(await other.blobs.open('run-2', sha256), undefined)
    assert.equal(await other.blobs.open('run-1', '../../index.json'), undefined)
    await store.blobs.remove('run-1')
    assert.equal(await store.blobs.open('run-1', sha256), undefined)
    await store.close()
  },
}
