import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { batch, storeFolder } from './store-folder.ts'

const records = (count: number, seq: (index: number) => number) =>
  Array.from({ length: count }, (_, index) => ({ key: `task:${index}`, seq: seq(index), value: { index } }))

test('ST2 a snapshot is kept in shards of 500 records, and a shard without changes is not written again', async () => {
  const { folder, store } = await storeFolder()
  const faulty = new FaultyDisk()
  const owner = store({ disk: faulty.disk })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 9)])
  const shards = () => readdir(join(folder, 'runs', 'run-1', 'snapshot'))
  await owner.saveSnapshot(
    'run-1',
    taken(
      8,
      records(1100, () => 1),
    ),
  )
  expect(await shards()).toHaveLength(3)
  faulty.log.length = 0
  const changed = records(1100, (index) => (index === 700 ? 9 : 1))
  await owner.saveSnapshot('run-1', taken(9, changed))
  expect(faulty.count('rename')).toBe(2)
  expect(await shards()).toHaveLength(3)
  expect(await store().loadSnapshot('run-1')).toEqual({ seq: 9, records: changed })
})

test('ST7 a snapshot that is not whole, or ahead of the journal, is not used', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 2), batch('run-2', 0, 2)])
  await owner.saveSnapshot(
    'run-1',
    taken(
      2,
      records(3, () => 1),
    ),
  )
  expect(await owner.loadSnapshot('run-1')).toBeDefined()
  const [shard = ''] = await readdir(join(folder, 'runs', 'run-1', 'snapshot'))
  const path = join(folder, 'runs', 'run-1', 'snapshot', shard)
  await writeFile(path, (await readFile(path, 'utf8')).replace('"index":2', '"index":3'))
  expect(await owner.loadSnapshot('run-1')).toBeUndefined()
  await owner.saveSnapshot('run-2', taken(3, []))
  expect(await owner.loadSnapshot('run-2')).toBeUndefined()
})

test('ST2 a snapshot whose writing fails leaves the one before', async () => {
  const { store } = await storeFolder()
  const faulty = new FaultyDisk()
  const owner = store({ disk: faulty.disk })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 2)])
  await owner.saveSnapshot(
    'run-1',
    taken(
      1,
      records(2, () => 1),
    ),
  )
  faulty.failNext('rename', /^snapshot\.json$/, 'EIO')
  await expect(
    owner.saveSnapshot(
      'run-1',
      taken(
        2,
        records(3, () => 2),
      ),
    ),
  ).rejects.toThrow('EIO')
  expect(await owner.loadSnapshot('run-1')).toEqual({ seq: 1, records: records(2, () => 1) })
})

test('RU8 removing a run deletes its folder, also after a crash between tombstone and deletion', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 1, { status: 'completed' }), batch('run-2', 0, 1, {})])
  for (const run of ['run-1', 'run-2']) await owner.blobs.put(run, Buffer.from('bytes'))
  await mkdir(join(owner.folder ?? '', 'run-1', 'attempts', 'task', '1'), { recursive: true })
  await owner.remove('run-1')
  expect(await readdir(join(folder, 'runs'))).toEqual(['run-2'])
  await owner.close()
  await mkdir(join(folder, 'runs', 'run-1', 'blobs'), { recursive: true })
  await owner.open({ instance: 'owner' })
  expect(await readdir(join(folder, 'runs'))).toEqual(['run-2'])
})

test('AR1 a blob that does not hold what it is named by is refused', async () => {
  const { folder, store } = await storeFolder()
  const { blobs } = store()
  const { sha256 } = await blobs.put('run-1', Buffer.from('bytes'))
  await writeFile(join(folder, 'runs', 'run-1', 'blobs', sha256), 'other')
  await expect(blobs.open('run-1', sha256)).rejects.toMatchObject({ code: 'store_damaged' })
})

test('ST2 a run lies in a folder that a person can read', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ lineChars: 45 })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0, 3, { name: 'nightly' })])
  await owner.close()
  const lines = (await readFile(join(folder, 'journal', '00000001.0001.jsonl'), 'utf8')).trimEnd().split('\n')
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(parsed.map((line) => Object.keys(line))).toEqual([
    ['flotilla', 'crc'],
    ['previous', 'crc'],
    ['run', 'seq', 'last', 'prev', 'batch', 'offset', 'entries', 'crc'],
    ['run', 'seq', 'last', 'prev', 'batch', 'row', 'entries', 'crc'],
    ['closed', 'at', 'offset', 'crc'],
  ])
  expect(parsed[2]).toMatchObject({
    ...{ run: 'run-1', seq: 1, last: 2, batch: [1, 2] },
    entries: [{ seq: 1, kind: 'test', text: 'run-1 1' }, [0, { text: 'run-1 2' }]],
  })
  expect(JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'))).toMatchObject({
    flotilla: { format: 2, document: 'index' },
    data: { runs: [{ run: 'run-1', seq: 3, row: { name: 'nightly' } }] },
  })
})
