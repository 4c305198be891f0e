import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Store } from '../../../../src/ports/store.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { afterCrash, batch, edit, seqs, storeFolder } from './store-folder.ts'

async function fill(store: Store): Promise<void> {
  await store.open({ instance: 'owner' })
  await store.append([
    batch('run-1', 0, 300, { key: 'k', createdAt: 5 }),
    batch('run-2', 0, 1, { createdAt: 9 }),
    batch('run-3', 0, 1, {}),
  ])
  await store.append([batch('run-1', 300, 1, { key: 'k', createdAt: 5, status: 'completed' })])
  await store.remove('run-3')
}

async function expectAll(store: Store): Promise<void> {
  expect((await store.runs()).map(({ id, status }) => `${id} ${status}`)).toEqual(['run-2 running', 'run-1 completed'])
  expect((await store.row({ key: 'k' }))?.id).toBe('run-1')
  expect((await store.read('run-1', { from: 299, limit: 9 })).map(({ seq }) => seq)).toEqual([299, 300, 301])
  expect(await seqs(store, 'run-3')).toEqual([])
}

test.for<[string, (index: string) => Promise<void>]>([
  ['missing', (index) => rm(index)],
  ['unreadable', (index) => writeFile(index, '{"flotilla":{"format":1,')],
  ['empty', (index) => writeFile(index, '')],
  ['changed', async (index) => writeFile(index, (await readFile(index, 'utf8')).replace('"seq":301', '"seq":300'))],
])('ST2 an index that is %s is made again from the journal', async ([, spoil]) => {
  const { folder, store } = await storeFolder()
  const first = store()
  await fill(first)
  await first.close()
  await spoil(join(folder, 'index.json'))
  await expectAll(store())
  const next = store()
  expect((await next.open({ instance: 'next' })).warnings).toEqual([])
  await expectAll(next)
  await expect(next.append([batch('run-3', 0)])).rejects.toMatchObject({ code: 'run_exists' })
  await next.close()
  expect(await readFile(join(folder, 'index.json'), 'utf8')).toContain('"run-1"')
})

test('ST2 an index that is behind the journal is read on from', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-0', 0, 5, { createdAt: 0 })])
  await owner.remove('run-0')
  await owner.close()
  const old = await readFile(join(folder, 'index.json'))
  await fill(owner)
  await owner.close()
  await writeFile(join(folder, 'index.json'), old)
  await expectAll(store())
})

test('ST2 an index of another journal is not believed', async () => {
  const [one, other] = [await storeFolder(), await storeFolder()]
  const stranger = other.store()
  await stranger.open({ instance: 'stranger' })
  await stranger.append([batch('run-9', 0, 3, {})])
  await stranger.close()
  const owner = one.store()
  await fill(owner)
  await owner.close()
  await cp(join(other.folder, 'index.json'), join(one.folder, 'index.json'))
  await expectAll(one.store())
})

test('ST2 an index that is ahead of the journal is not believed', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 1, {})])
  await owner.append([batch('run-1', 1, 1, {})])
  await owner.close()
  await edit(folder, '00000001.0001.jsonl', (bytes) => bytes.subarray(0, bytes.indexOf('{"run":"run-1","seq":2')))
  expect(await seqs(store(), 'run-1')).toEqual([1])
})

test('ST7 opening with an index reads what is new, not the whole journal', async () => {
  const { store } = await storeFolder()
  const owner = store({ segmentBytes: 20_000 })
  await fill(owner)
  await owner.close()
  const faulty = new FaultyDisk()
  let bytes = 0
  const counting = {
    ...faulty.disk,
    read: async (...parts: Parameters<typeof faulty.disk.read>) => {
      const read = await faulty.disk.read(...parts)
      if (parts[0].endsWith('.jsonl')) bytes += read.length
      return read
    },
  }
  const next = store({ disk: counting })
  await next.open({ instance: 'next' })
  expect(bytes).toBeLessThan(20_000)
  await expectAll(next)
})

test('ST2 the index is written behind the journal, once for many changes, and on closing', async () => {
  const { store } = await storeFolder()
  const faulty = new FaultyDisk()
  const owner = store({ disk: faulty.disk, indexDelayMs: 60_000 })
  await fill(owner)
  expect(faulty.count('rename', /index\.json/)).toBe(0)
  await owner.close()
  expect(faulty.count('rename', /index\.json/)).toBe(1)
})

test('ST8 an index of a newer format is refused', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await fill(owner)
  await owner.close()
  const path = join(folder, 'index.json')
  await writeFile(path, (await readFile(path, 'utf8')).replace('"format":2', '"format":3'))
  await expect(store().open({ instance: 'next' })).rejects.toMatchObject({ code: 'store_too_new' })
})

test('ST2 an index that was written while entries were appended fits the journal', async () => {
  const { store } = await storeFolder()
  const faulty = new FaultyDisk()
  let appending: Promise<void> | undefined
  const disk: Disk = {
    ...faulty.disk,
    read: async (path, from = 0, to) => {
      const isChecksum = to !== undefined && to - from === 256
      if (isChecksum) await (appending ??= owner.append([batch('run-1', 5)]))
      return faulty.disk.read(path, from, to)
    },
  }
  const owner = store({ disk, indexDelayMs: 0, host: afterCrash() })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 5)])
  while (faulty.count('rename', /index\.json/) === 0) await disk.turn()
  expect(appending).toBeDefined()
  const next = store({ host: afterCrash() })
  expect((await next.open({ instance: 'next' })).warnings).toEqual([])
  expect(await seqs(next, 'run-1')).toEqual([1, 2, 3, 4, 5, 6])
})
