import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { afterCrash, batch, seqs, storeFolder } from './store-folder.ts'
import { modelStore } from './witness.ts'

const records = (count: number, seq: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `task:${index}`, seq, value: { index } }))

test('ST2 a snapshot of a journal that went another way is not believed', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ host: afterCrash() })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 2)])
  const segment = join(folder, 'journal', '00000001.0001.jsonl')
  const older = await readFile(segment)
  await owner.append([batch('run-1', 2, 2)])
  await owner.saveSnapshot('run-1', taken(4, records(3, 4)))
  expect(await owner.loadSnapshot('run-1')).toEqual({ seq: 4, records: records(3, 4) })
  await writeFile(segment, older)
  const next = store({ host: afterCrash() })
  await next.open({ instance: 'next' })
  expect(await next.loadSnapshot('run-1')).toBeUndefined()
  for (const after of [2, 3, 4]) await next.append([{ run: 'run-1', after, entries: [{ seq: after + 1, other: true }] }])
  expect(await next.loadSnapshot('run-1')).toBeUndefined()
  await next.saveSnapshot('run-1', taken(4, [{ key: 'run', seq: 4, value: 'other' }]))
  expect(await next.loadSnapshot('run-1')).toEqual({ seq: 4, records: [{ key: 'run', seq: 4, value: 'other' }] })
})

test('ST7 a snapshot stays good while its run goes on, and when its line is far behind', async () => {
  const { store } = await storeFolder()
  const owner = store({ segmentBytes: 4096 })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 5)])
  await owner.saveSnapshot('run-1', taken(5, records(3, 5)))
  for (let after = 5; after < 305; after += 10) await owner.append([batch('run-1', after, 10)])
  expect(await owner.loadSnapshot('run-1')).toEqual({ seq: 5, records: records(3, 5) })
  expect(await store().loadSnapshot('run-1')).toEqual({ seq: 5, records: records(3, 5) })
})

test('ST7 snapshots of one run that are saved at once follow one another, and the last one stays', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 9)])
  await Promise.all([3, 4, 5].map((seq) => owner.saveSnapshot('run-1', taken(seq, records(1200, seq)))))
  expect(await owner.loadSnapshot('run-1')).toEqual({ seq: 5, records: records(1200, 5) })
  expect(await readdir(join(folder, 'runs', 'run-1', 'snapshot'))).toEqual([
    'shard-0000-5.json',
    'shard-0001-5.json',
    'shard-0002-5.json',
  ])
})

test('ST7 ST8 a shard that goes by another name, as those of earlier builds, is written anew and not taken into the next snapshot', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 9)])
  await owner.saveSnapshot('run-1', taken(5, records(700, 5)))
  await owner.close()
  const path = (...names: string[]) => join(folder, 'runs', 'run-1', ...names)
  // As it was before: the same document, under the name of then.
  for (const name of ['0000-5.json', '0001-5.json']) {
    const data = (await readFile(path('snapshot', `shard-${name}`), 'utf8')).replace(`"file":"shard-${name}"`, `"file":"${name}"`)
    await writeFile(path('snapshot', name), sealedDocument(data))
    await rm(path('snapshot', `shard-${name}`))
  }
  const manifest = await readFile(path('snapshot.json'), 'utf8')
  await writeFile(path('snapshot.json'), sealedDocument(manifest.replaceAll('shard-', '')))
  const next = store()
  await next.open({ instance: 'next' })
  expect(await next.loadSnapshot('run-1')).toEqual({ seq: 5, records: records(700, 5) })
  await next.saveSnapshot('run-1', taken(5, records(1_100, 5)))
  expect(await readdir(path('snapshot'))).toEqual(['shard-0000-5.json', 'shard-0001-5.json', 'shard-0002-5.json'])
  expect(await next.loadSnapshot('run-1')).toEqual({ seq: 5, records: records(1_100, 5) })
})

/** A document with the checksum of what it holds. */
function sealedDocument(text: string): string {
  const data = text.slice(text.indexOf('"data":') + 7, -2)
  return text.replace(/"crc":"[0-9a-f]{8}"/, `"crc":"${crc32(data).toString(16).padStart(8, '0')}"`)
}

test('ST7 a snapshot that is given up leaves nothing behind', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 9)])
  const shards = () => readdir(join(folder, 'runs', 'run-1', 'snapshot'))
  await owner.saveSnapshot('run-1', { ...taken(9, records(700, 9)), through: () => Promise.resolve(undefined) })
  expect(await shards()).toEqual([])
  await owner.saveSnapshot('run-1', taken(3, records(700, 3)))
  await owner.saveSnapshot('run-1', { ...taken(9, records(700, 9)), through: () => Promise.resolve(undefined) })
  expect(await shards()).toEqual(['shard-0000-3.json', 'shard-0001-3.json'])
  expect((await owner.loadSnapshot('run-1'))?.seq).toBe(3)
})

test('ST7 shards go to the disk two at once, and their names are stored, together, before the manifest has them', async () => {
  const disk = new ModelDisk()
  let [writing, most] = [0, 0]
  const open: Disk['open'] = async (path, options) => {
    const file = await disk.open(path, options)
    if (!path.includes('/snapshot/')) return file
    writing += 1
    most = Math.max(most, writing)
    const sync = async () => {
      for (let turns = 0; turns < 20; turns += 1) await disk.turn()
      await file.sync()
    }
    return { ...file, sync, close: () => ((writing -= 1), file.close()) }
  }
  const owner = modelStore({ ...disk, open })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 9)])
  disk.calls.length = 0
  await owner.saveSnapshot('run-1', taken(9, records(3000, 9)))
  const order = disk.calls.filter(({ operation, path }) => path.includes('/run-1') && /^(rename|syncFolder)$/.test(operation))
  expect(order.map(({ operation, path }) => `${operation} ${basename(path).replace(/-9.*|\.json.*/, '')}`)).toEqual([
    'syncFolder run-1',
    ...['0000', '0001', '0002', '0003', '0004', '0005'].map((shard) => `rename shard-${shard}`),
    'syncFolder snapshot',
    'rename snapshot',
    'syncFolder run-1',
  ])
  expect([most, writing]).toEqual([2, 0])
})

test('ST5 ST7 a shard that cannot be written ends the saving when the others are settled, and the snapshot before stays', async () => {
  for (const failing of ['0000', '0003', '0007']) {
    let isFailing = false
    const disk = new ModelDisk(undefined, ({ operation, path }) =>
      isFailing && operation === 'sync' && path.includes(`/snapshot/shard-${failing}`) ? { code: 'EIO' } : undefined,
    )
    const owner = modelStore(disk)
    await owner.open({ instance: 'owner' })
    await owner.append([batch('run-1', 0, 9)])
    await owner.saveSnapshot('run-1', taken(8, records(4000, 8)))
    isFailing = true
    const handles = disk.handles
    await expect(owner.saveSnapshot('run-1', taken(9, records(4000, 9)))).rejects.toThrow('EIO')
    const calls = disk.calls.length
    expect(disk.handles).toBe(handles)
    await disk.turn()
    expect(disk.calls).toHaveLength(calls)
    expect((await owner.loadSnapshot('run-1'))?.seq).toBe(8)
    isFailing = false
    await owner.saveSnapshot('run-1', taken(9, records(4000, 9)))
    expect((await owner.loadSnapshot('run-1'))?.seq).toBe(9)
    await owner.close()
  }
})

test('RU8 a run that is removed while its snapshot is saved leaves no folder', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 2, { status: 'completed' })])
  await owner.saveSnapshot('run-1', { ...taken(2, records(600, 2)), through: () => owner.remove('run-1').then(() => 2) })
  expect(await readdir(join(folder, 'runs'))).toEqual([])
})

test('ST7 appends go between the shards of a snapshot that is saved, and of one that is loaded', async () => {
  const { store } = await storeFolder()
  const faulty = new FaultyDisk()
  let turns = 0
  const owner = store({ disk: { ...faulty.disk, turn: () => ((turns += 1), faulty.disk.turn()) } })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 9)])
  const some = records(5000, 9)
  const source = taken(9, some)
  const appends: Promise<void>[] = []
  const shards = source.shards as readonly { readonly seq: number; records(): typeof some }[]
  const whileAppending = shards.map(({ seq, records: take }, place) => ({
    seq,
    records: () => {
      appends.push(owner.append([batch('run-2', place)]))
      return take()
    },
  }))
  turns = 0
  await owner.saveSnapshot('run-1', { ...source, shards: whileAppending })
  expect(turns).toBeGreaterThanOrEqual(10)
  await Promise.all(appends)
  expect(await seqs(owner, 'run-2')).toHaveLength(10)
  turns = 0
  expect((await owner.loadSnapshot('run-1'))?.records).toHaveLength(5000)
  expect(turns).toBe(10)
})

test('ST7 the reserved stream has a snapshot like any run, in runs/fleet', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('fleet', 0, 3)])
  await owner.saveSnapshot('fleet', taken(3, records(2, 3)))
  await owner.close()
  expect(await readdir(join(folder, 'runs'))).toEqual(['fleet'])
  expect(await store().loadSnapshot('fleet')).toEqual({ seq: 3, records: records(2, 3) })
})
