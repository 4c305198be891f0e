import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { nodeDisk } from '../../../../src/store/json/disk.ts'
import { ownerProcess } from './owner-process.ts'
import { afterCrash, batch, edit, seqs, storeFolder } from './store-folder.ts'

test('ST6 reading a folder that is not there gives nothing, and creates nothing', async () => {
  const { folder, store } = await storeFolder()
  const nowhere = join(folder, 'deeper', 'still')
  const reader = store({ folder: nowhere })
  const stop = new AbortController()
  expect(await seqs(reader, 'run-1')).toEqual([])
  expect(await reader.last('run-1')).toBe(0)
  expect(await reader.runs()).toEqual([])
  expect(await reader.row({ id: 'run-1' })).toBeUndefined()
  expect(await reader.loadSnapshot('run-1')).toBeUndefined()
  expect(await reader.blobs.open('run-1', 'a'.repeat(64))).toBeUndefined()
  expect(await reader.owner()).toBeUndefined()
  const watching = reader.watch('run-1', { from: 0, signal: stop.signal })[Symbol.asyncIterator]().next()
  stop.abort()
  expect(await watching).toMatchObject({ done: true })
  await reader.close()
  expect(await readdir(folder)).toEqual([])
  await reader.open({ instance: 'now' })
  expect(await readdir(folder)).toEqual(['deeper'])
})

test('ST6 a reader hears of what another process writes', async () => {
  const { folder, store } = await storeFolder()
  const owner = ownerProcess(folder)
  expect(await owner.heard()).toBe('opened 1')
  const reader = store()
  const stop = new AbortController()
  const heard: number[] = []
  owner.tell('append')
  for await (const seq of reader.watch('run-1', { from: 0, signal: stop.signal })) {
    heard.push(seq)
    if (seq < 4) owner.tell('append')
    else stop.abort()
  }
  expect(heard).toEqual([1, 2, 3, 4])
  expect(await reader.read('run-1', { from: 4, limit: 1 })).toMatchObject([{ pid: owner.child.pid }])
  expect(await reader.owner()).toMatchObject({ pid: owner.child.pid, alive: true })
})

test('ST6 a reader leaves an incomplete tail as it is, and reads it when it is whole', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ host: afterCrash() })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0)])
  await owner.append([batch('run-1', 1, 2)])
  const path = join(folder, 'journal', '00000001.0001.jsonl')
  const whole = await readFile(path)
  const reader = store()
  for (const cut of [whole.length - 1, whole.length - 150, whole.length - 290]) {
    await edit(folder, '00000001.0001.jsonl', () => whole.subarray(0, cut))
    expect(await seqs(reader, 'run-1'), `cut at ${cut}`).toEqual([1])
    expect(await readFile(path)).toEqual(whole.subarray(0, cut))
  }
  await edit(folder, '00000001.0001.jsonl', () => whole)
  expect(await seqs(reader, 'run-1')).toEqual([1, 2, 3])
  expect((await readdir(join(folder, 'journal'))).length).toBe(1)
})

test('ST6 a store that is read while it opens, writes and closes never shows a gap', async () => {
  const { store } = await storeFolder()
  const [owner, reader] = [store({ segmentBytes: 3000 }), store()]
  let isDone = false
  const reading = (async () => {
    let last = 0
    while (!isDone) {
      for (const from of [owner, reader]) {
        const found = await seqs(from, 'run-1')
        expect(found).toEqual(found.map((_, index) => index + 1))
      }
      const now = await reader.last('run-1')
      expect(now).toBeGreaterThanOrEqual(last)
      last = now
    }
  })()
  for (let round = 0; round < 6; round += 1) {
    await owner.open({ instance: `round-${round}` })
    for (let after = round * 10; after < round * 10 + 10; after += 1) await owner.append([batch('run-1', after)])
    await owner.close()
  }
  isDone = true
  await reading
  expect(await reader.last('run-1')).toBe(60)
})

test('ST6 a reader does not take in what a fenced owner appends while another one is taking over', async () => {
  const { store } = await storeFolder()
  const stalled = store({ host: afterCrash() })
  await stalled.open({ instance: 'stalled' })
  await stalled.append([batch('run-1', 0)])
  const next = store({ host: afterCrash() })
  let takeover: Promise<unknown> | undefined
  const disk: Disk = {
    ...nodeDisk,
    read: async (path, from = 0, to) => {
      if (from > 0 && to === undefined)
        await (takeover ??= next
          .open({ instance: 'next' })
          .then(() => stalled.append([batch('run-1', 1)]).catch((error: unknown) => error)))
      return nodeDisk.read(path, from, to)
    },
  }
  const reader = store({ disk })
  expect(await reader.last('run-1')).toBe(1)
  expect(takeover).toBeUndefined()
  expect(await reader.last('run-1')).toBe(1)
  expect(await takeover).toMatchObject({ code: 'store_conflict' })
  await next.append([batch('run-1', 1)])
  expect(await reader.read('run-1', { from: 2, limit: 9 })).toMatchObject([{ seq: 2 }])
})
