import { setImmediate } from 'node:timers/promises'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../../src/host/clock.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { nodeDisk } from '../../../../src/store/json/disk.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { modelStore } from './witness.ts'
import { batch, segments, seqs, storeFolder } from './store-folder.ts'

const journal = /\.jsonl$/

test('ST3 64 appends at once share at most three syncs; one after the other they take one each', async () => {
  const { store } = await storeFolder()
  const faulty = new FaultyDisk()
  const owner = store({ disk: faulty.disk })
  await owner.open({ instance: 'owner' })
  const before = faulty.count('sync', journal)
  await Promise.all(Array.from({ length: 64 }, (_, index) => owner.append([batch(`run-${index}`, 0)])))
  expect(faulty.count('sync', journal) - before).toBeLessThanOrEqual(3)
  const middle = faulty.count('sync', journal)
  for (let after = 1; after <= 5; after += 1) await owner.append([batch('run-0', after)])
  expect(faulty.count('sync', journal) - middle).toBe(5)
})

test('ST3 callers that go on when their append resolves share their next write', async () => {
  const { store } = await storeFolder()
  const faulty = new FaultyDisk()
  const owner = store({ disk: faulty.disk })
  await owner.open({ instance: 'owner' })
  const before = faulty.count('sync', journal)
  const slot = async (index: number) => {
    for (let after = 0; after < 10; after += 1) {
      for (let hop = 0; hop < index % 9; hop += 1) await Promise.resolve()
      await owner.append([batch(`run-${index}`, after)])
    }
  }
  await Promise.all(Array.from({ length: 64 }, (_, index) => slot(index)))
  expect(faulty.count('sync', journal) - before).toBeLessThanOrEqual(12)
})

test('ST1 an append resolves after its bytes are synced, and a new name after its folder is', async () => {
  const { folder, store } = await storeFolder()
  const faulty = new FaultyDisk()
  const synced: string[] = []
  const owner = store({
    disk: {
      ...faulty.disk,
      syncFolder: async (path) => {
        faulty.log.push(`folder ${path.slice(folder.length)}`)
        await faulty.disk.syncFolder(path)
      },
    },
  })
  await owner.open({ instance: 'owner' })
  const opening = faulty.log
    .filter((line) => /^(open|write|sync|link|folder) /.test(line) && /jsonl|journal/.test(line))
    .map((line) => line.split(' ')[0])
  expect(opening).toEqual(['open', 'write', 'sync', 'link', 'folder', 'open', 'write', 'sync'])
  faulty.log.length = 0
  await owner.append([batch('run-1', 0)]).then(() => synced.push(...faulty.log))
  expect(synced).toEqual(['write 00000001.0001.jsonl', 'sync 00000001.0001.jsonl'])
})

test('ST3 a segment is followed by another at its size, and all of them are read', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ segmentBytes: 2000 })
  await owner.open({ instance: 'owner' })
  for (let after = 0; after < 40; after += 1) await owner.append([batch('run-1', after)])
  expect((await segments(folder)).length).toBeGreaterThan(3)
  const all = Array.from({ length: 40 }, (_, index) => index + 1)
  expect(await seqs(owner, 'run-1')).toEqual(all)
  expect(await seqs(store(), 'run-1')).toEqual(all)
  expect((await owner.read('run-1', { from: 33, limit: 2 })).map(({ seq }) => seq)).toEqual([33, 34])
})

test('ST1 ST3 appends that come while a segment begins lose nothing', async () => {
  const { folder, store } = await storeFolder()
  const appends: Promise<void>[] = []
  let begun = 0
  const disk: Disk = {
    ...nodeDisk,
    link: async (from, to) => {
      if (to.endsWith('.jsonl')) begun += 1
      if (begun > 1) appends.push(owner.append([batch(`beside-${begun}`, 0, 3)]))
      await nodeDisk.turn()
      await nodeDisk.link(from, to)
      await nodeDisk.turn()
    },
  }
  const owner = store({ segmentBytes: 2000, disk })
  await owner.open({ instance: 'owner' })
  for (let after = 0; after < 40; after += 1) await owner.append([batch('run-1', after)])
  await Promise.all(appends)
  expect(appends.length).toBeGreaterThan(3)
  const all = Array.from({ length: 40 }, (_, index) => index + 1)
  for (const reader of [owner, store()]) {
    expect(await seqs(reader, 'run-1')).toEqual(all)
    for (let number = 2; number <= appends.length + 1; number += 1)
      expect(await seqs(reader, `beside-${number}`)).toEqual([1, 2, 3])
  }
  await owner.close()
  await rm(join(folder, 'index.json'))
  const next = store()
  expect((await next.open({ instance: 'next' })).warnings).toEqual([])
  expect(await seqs(next, 'run-1')).toEqual(all)
})

test('ST1 an append that comes while the store closes is stored, or refused', async () => {
  const { store } = await storeFolder()
  const late: Promise<unknown>[] = []
  const disk: Disk = {
    ...nodeDisk,
    rename: async (from, to) => {
      late.push(owner.append([batch('late', 0)]).catch((error: unknown) => error))
      await nodeDisk.rename(from, to)
    },
  }
  const owner = store({ disk, indexDelayMs: 60_000 })
  await owner.open({ instance: 'owner' })
  const early = owner.append([batch('early', 0)])
  await Promise.all([early, owner.close()])
  expect(await Promise.all(late)).toEqual([expect.objectContaining({ code: 'not_stored' })])
  expect([await seqs(store(), 'early'), await seqs(store(), 'late')]).toEqual([[1], []])
})

test('ST3 a slow disk is never waited for on the main thread', async () => {
  const { store } = await storeFolder()
  const faulty = new FaultyDisk()
  const clock = systemClock()
  let monotonic = 0
  let direct = 0
  const counting = faulty.disk.open
  faulty.disk.open = async (path, options) => {
    const file = await counting(path, options)
    return { ...file, syncNow: () => ((direct += 1), file.syncNow()) }
  }
  const owner = store({ clock: { ...clock, monotonic: () => (monotonic += 50) }, disk: faulty.disk })
  await owner.open({ instance: 'owner' })
  for (let after = 0; after < 5; after += 1) await owner.append([batch('run-1', after)])
  expect(direct).toBeLessThanOrEqual(1)
})

test('ST3 ST1 appends that come while the journal goes on in another segment are not lost', async () => {
  const disk = new ModelDisk()
  const slow = async (from: string, to: string) => {
    for (let turn = 0; turn < 5; turn += 1) await setImmediate()
    await disk.link(from, to)
  }
  const owner = modelStore({ ...disk, link: slow }, { segmentBytes: 1500 })
  await owner.open({ instance: 'owner' })
  const runs = Array.from({ length: 8 }, (_, index) => `run-${index}`)
  await Promise.all(
    runs.map(async (run, index) => {
      for (let after = 0; after < 12; after += 1) {
        for (let turn = 0; turn < (index * 7 + after) % 5; turn += 1) await setImmediate()
        await owner.append([batch(run, after)])
      }
    }),
  )
  const all = Array.from({ length: 12 }, (_, index) => index + 1)
  for (const store of [owner, modelStore(new ModelDisk(disk.tree))])
    for (const run of runs) expect(await seqs(store, run)).toEqual(all)
})
