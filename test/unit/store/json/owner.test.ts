import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import { ownerProcess } from './owner-process.ts'
import { afterCrash, batch, edit, segments, seqs, storeFolder } from './store-folder.ts'

test('ST6 of two processes that race for a folder one wins, and the other is told', async () => {
  const { folder, store } = await storeFolder()
  const racers = [ownerProcess(folder, 'when-told'), ownerProcess(folder, 'when-told')]
  await Promise.all(racers.map(({ heard }) => heard()))
  for (const { tell } of racers) tell('go')
  const outcomes = await Promise.all(racers.map(({ heard }) => heard()))
  expect(outcomes.toSorted()).toEqual(['opened 1', 'refused store_owned'])
  const winner = racers[outcomes.indexOf('opened 1')]
  const owner = await store().owner()
  expect(owner).toMatchObject({ pid: winner?.child.pid, epoch: 1, alive: true })
  await expect(store().open({ instance: 'here' })).rejects.toMatchObject({
    code: 'store_owned',
    message: expect.stringContaining(`process ${owner?.pid}`) as string,
  })
})

test('ST6 ST1 after kill -9 of the owner the next one takes over and finds all that was acknowledged', async () => {
  const { folder, store } = await storeFolder()
  const owner = ownerProcess(folder)
  expect(await owner.heard()).toBe('opened 1')
  const reader = store()
  for (let seq = 1; seq <= 3; seq += 1) {
    owner.tell('append')
    expect(await owner.heard()).toBe(`durable ${seq}`)
    expect(await seqs(reader, 'run-1')).toHaveLength(seq)
  }
  owner.tell('append')
  owner.tell('append')
  await owner.killed()
  expect(await reader.owner()).toMatchObject({ alive: false })
  const next = store()
  expect(await next.open({ instance: 'next' })).toMatchObject({ epoch: 2 })
  const found = await seqs(next, 'run-1')
  expect(found.length).toBeGreaterThanOrEqual(3)
  await next.append([batch('run-1', found.length)])
  expect(await seqs(reader, 'run-1')).toHaveLength(found.length + 1)
})

test('ST6 an owner that was stalled while another took over is fenced out, and what it wrote is never read', async () => {
  const { folder, store } = await storeFolder()
  const stalled = store({ host: afterCrash() })
  await stalled.open({ instance: 'stalled' })
  await stalled.append([batch('run-1', 0, 2)])
  const claims = []
  for await (const claim of stalled.claim({ runs: [] })) claims.push(claim)
  const next = store({ host: afterCrash() })
  await next.open({ instance: 'next' })
  await expect(stalled.append([batch('run-1', 2), batch('run-2', 0)])).rejects.toMatchObject({ code: 'store_conflict' })
  expect((await readFile(join(folder, 'journal', '00000001.0001.jsonl'))).includes('run-2')).toBe(true)
  expect(claims.map(({ lost }) => lost.aborted)).toEqual([true])
  await expect(stalled.append([batch('run-1', 2)])).rejects.toMatchObject({ code: 'store_conflict' })
  await expect(stalled.saveSnapshot('run-1', taken(2, []))).rejects.toMatchObject({ code: 'store_conflict' })
  await next.append([batch('run-1', 2), batch('run-3', 0)])
  const readers = [next, stalled, store()]
  for (const reader of readers) {
    expect(await seqs(reader, 'run-1')).toEqual([1, 2, 3])
    expect(await reader.read('run-1', { from: 3, limit: 1 })).toMatchObject([{ text: 'run-1 3' }])
    expect([await seqs(reader, 'run-2'), await seqs(reader, 'run-3')]).toEqual([[], [1]])
  }
  await stalled.close()
  await next.close()
  const last = store({ host: afterCrash() })
  expect((await last.open({ instance: 'last' })).warnings).toEqual([])
  expect([await seqs(last, 'run-1'), await seqs(last, 'run-2'), await seqs(last, 'run-3')]).toEqual([[1, 2, 3], [], [1]])
})

test('ST6 a stalled owner that goes on in a new segment is fenced out as well', async () => {
  const { folder, store } = await storeFolder()
  const stalled = store({ host: afterCrash(), segmentBytes: 600 })
  await stalled.open({ instance: 'stalled' })
  await stalled.append([batch('run-1', 0, 4)])
  const next = store({ host: afterCrash() })
  await next.open({ instance: 'next' })
  await expect(stalled.append([batch('run-1', 4)])).rejects.toMatchObject({ code: 'store_conflict' })
  expect(await segments(folder)).toEqual(['00000001.0001.jsonl', '00000001.0002.jsonl', '00000002.0001.jsonl'])
  await next.append([batch('run-1', 4)])
  await next.close()
  const last = store({ host: afterCrash() })
  await last.open({ instance: 'last' })
  expect(await seqs(last, 'run-1')).toEqual([1, 2, 3, 4, 5])
})

test('ST6 an owner on another host, or in another pid namespace, is refused unless told to take over', async () => {
  for (const elsewhere of [{ host: 'other-ship' }, { pidNamespace: 'pid:[2]' }]) {
    const { store } = await storeFolder()
    const far = store({ host: afterCrash(elsewhere) })
    await far.open({ instance: 'far' })
    await far.append([batch('run-1', 0)])
    const near = store({ host: afterCrash() })
    await expect(near.open({ instance: 'near' })).rejects.toMatchObject({
      code: 'store_owned',
      message: expect.stringContaining('cannot be told') as string,
      details: { owner: { instance: 'far', alive: undefined } },
    })
    await near.open({ instance: 'near', takeOver: true })
    expect(await seqs(near, 'run-1')).toEqual([1])
  }
})

test('ST6 taking over does not overrule an owner that is known to live', async () => {
  const { store } = await storeFolder()
  await store().open({ instance: 'first' })
  await expect(store().open({ instance: 'second', takeOver: true })).rejects.toMatchObject({ code: 'store_owned' })
})

test.for(['', '{"previous":[{"segm'])(
  'ST6 an owner that died before it recorded where the others end (%o) changes nothing',
  async (keep) => {
    const { folder, store } = await storeFolder()
    const first = store({ host: afterCrash() })
    await first.open({ instance: 'first' })
    await first.append([batch('run-1', 0)])
    await store({ host: afterCrash() }).open({ instance: 'second' })
    const header = (bytes: Buffer) => bytes.subarray(0, bytes.indexOf(10) + 1)
    await edit(folder, '00000002.0001.jsonl', (bytes) => Buffer.concat([header(bytes), Buffer.from(keep)]))
    expect(await seqs(store({ host: afterCrash({ host: 'far' }) }), 'run-1')).toEqual([])
    expect(await seqs(store({ host: afterCrash() }), 'run-1')).toEqual([1])
    const next = store({ host: afterCrash() })
    expect((await next.open({ instance: 'next' })).epoch).toBe(3)
    expect(await seqs(next, 'run-1')).toEqual([1])
    await next.append([batch('run-1', 1)])
    expect(await seqs(store(), 'run-1')).toEqual([1, 2])
  },
)

test('ST6 what is left of unfinished segments is removed by the next owner', async () => {
  const { folder, store } = await storeFolder()
  const first = store()
  await first.open({ instance: 'first' })
  await first.append([batch('run-1', 0)])
  await first.close()
  await writeFile(join(folder, 'journal', '00000002.0001.jsonl.77-t.tmp'), 'half')
  await first.open({ instance: 'again' })
  expect((await readdir(join(folder, 'journal'))).toSorted()).toEqual(['00000001.0001.jsonl', '00000002.0001.jsonl'])
})

test('ST6 an owner that cannot be read is not taken for dead', async () => {
  const { folder, store } = await storeFolder()
  const first = store()
  const { storeId } = await first.open({ instance: 'first' })
  await first.append([batch('run-1', 0)])
  await first.close()
  await first.open({ instance: 'again' })
  await first.append([batch('run-1', 1)])
  await edit(folder, '00000002.0001.jsonl', (bytes) => bytes.fill('#', 40, 41))
  const next = store({ host: afterCrash() })
  await expect(next.open({ instance: 'next' })).rejects.toMatchObject({ code: 'store_owned' })
  expect(await next.open({ instance: 'next', takeOver: true })).toMatchObject({ storeId, epoch: 3 })
  expect(await seqs(next, 'run-1')).toEqual([1, 2])
})

test(
  'ST6 LE10 of four processes that open a folder at the same moment one works, the others are told, and another goes on when it dies',
  { timeout: 60_000 },
  async () => {
    const { folder, store } = await storeFolder()
    const all = Array.from({ length: 4 }, () => ownerProcess(folder, 'when-told'))
    for (const one of all) expect(await one.heard()).toBe('ready')
    for (const one of all) one.tell('open')
    const heard = await Promise.all(all.map((one) => one.heard()))
    expect(heard.toSorted()).toEqual(['opened 1', ...Array.from({ length: 3 }, () => 'refused store_owned')])
    const winner = all[heard.indexOf('opened 1')]
    winner?.tell('append')
    expect(await winner?.heard()).toBe('durable 1')
    const next = store()
    const waiting = next.open({ instance: 'next', waitMs: 10_000 })
    await winner?.killed()
    await waiting
    await next.append([batch('run-1', 1)])
    expect(await seqs(store(), 'run-1')).toEqual([1, 2])
  },
)

test('ST6 an opening that waits for an owner ends when the store is closed meanwhile', async () => {
  const { store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  const next = store()
  const waiting = next.open({ instance: 'next', waitMs: 60_000 })
  await next.close()
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  await owner.close()
  expect(await next.owner()).toBeUndefined()
})

test('ST6 a store that is closed while it opens is not owned afterwards, and can be opened again', async () => {
  const { store } = await storeFolder()
  const one = store()
  const opening = one.open({ instance: 'one' })
  await Promise.all([one.close(), expect(opening).rejects.toMatchObject({ name: 'AbortError' })])
  expect(await store().owner()).toBeUndefined()
  await expect(one.append([batch('run-1', 0)])).rejects.toMatchObject({ code: 'not_stored' })
  await one.open({ instance: 'again' })
  await expect(one.open({ instance: 'twice' })).rejects.toMatchObject({ code: 'store_owned' })
  await one.append([batch('run-1', 0)])
  const closing = one.close()
  // Whoever opens it while it closes waits for that.
  const reopened = one.open({ instance: 'behind' })
  await closing
  await reopened
  expect(await seqs(one, 'run-1')).toEqual([1])
})
