import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { Store } from '../../../../src/ports/store.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { afterCrash, batch, seqs, storeFolder, unsyncedDisk } from './store-folder.ts'

const shardsOf = (folder: string) => readdir(join(folder, 'index'))
const idOf = (index: number) => `run-${String(index).padStart(5, '0')}`

/** Runs of two entries that have ended; the one of a higher number is newer. */
async function fillEnded(store: Store, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 250)
    await store.append(
      Array.from({ length: Math.min(250, to - index) }, (_, more) =>
        batch(idOf(index + more), 0, 2, { status: 'completed', createdAt: index + more, key: `key-${index + more}` }),
      ),
    )
}

/** What a store says when asked for everything. */
async function allOf(store: Store): Promise<unknown> {
  const rows = await store.runs()
  const keyed = await Promise.all(rows.map(async ({ key }) => (key === undefined ? undefined : store.row({ key }))))
  const lasts = await Promise.all(rows.map(({ id }) => store.last(id)))
  return { rows, keyed, lasts }
}

/** A disk that tells what is read of it. */
function watched(): { readonly disk: Disk; readonly read: { shards: number; bytes: number } } {
  const read = { shards: 0, bytes: 0 }
  const disk: Disk = {
    ...unsyncedDisk,
    read: async (path, from, to) => {
      const bytes = await unsyncedDisk.read(path, from, to)
      read.bytes += bytes.length
      if (dirname(path).endsWith('index')) read.shards += 1
      return bytes
    },
  }
  return { disk, read }
}

test('CO9 opening reads no more of the index when more runs have ended', async () => {
  const bytes: number[] = []
  for (const ended of [1_000, 4_000]) {
    const { folder, store } = await storeFolder()
    const owner = store({ disk: unsyncedDisk })
    await owner.open({ instance: 'owner' })
    await fillEnded(owner, 0, ended)
    await owner.append([batch('run-live', 0, 1, { createdAt: 99_999 })])
    await owner.close()
    expect(await shardsOf(folder)).toHaveLength(ended / 500)
    const { disk, read } = watched()
    const next = store({ disk })
    await next.open({ instance: 'next' })
    expect(read.shards).toBe(0)
    bytes.push(read.bytes)
    expect(await seqs(next, 'run-live')).toEqual([1])
    await next.append([batch('run-live', 1)])
    expect(read.shards).toBe(0)
    await next.close()
  }
  const [few = 0, many = 0] = bytes
  expect(many).toBeLessThan(few * 1.5)
})

test('ST2 a list of the newest runs reads only the shards that may hold them', async () => {
  const { store } = await storeFolder()
  const owner = store({ disk: unsyncedDisk })
  await owner.open({ instance: 'owner' })
  await fillEnded(owner, 0, 3_000)
  await owner.append([batch('run-live', 0, 1, { createdAt: 99_999, status: 'running' })])
  await owner.close()
  const { disk, read } = watched()
  const reader = store({ disk })
  expect((await reader.runs({ status: ['running'] })).map(({ id }) => id)).toEqual(['run-live'])
  expect(read.shards).toBe(0)
  expect((await reader.runs({ limit: 3 })).map(({ id }) => id)).toEqual(['run-live', idOf(2_999), idOf(2_998)])
  expect(read.shards).toBe(1)
  expect(await reader.runs({ status: ['completed'], limit: 700 })).toHaveLength(700)
  expect(read.shards).toBe(2)
  expect((await reader.row({ id: idOf(7) }))?.key).toBe('key-7')
  expect(await reader.runs()).toHaveLength(3_001)
  expect(read.shards).toBe(6)
})

test('ST2 RU2 RU8 ids and keys that only a shard knows are refused, and removed ones too', async () => {
  const { store } = await storeFolder()
  const owner = store({ disk: unsyncedDisk })
  await owner.open({ instance: 'owner' })
  await fillEnded(owner, 0, 1_500)
  for (let index = 0; index < 500; index += 1) await owner.remove(idOf(index))
  await owner.close()
  const opened = async () => {
    const next = store({ disk: unsyncedDisk })
    await next.open({ instance: 'next' })
    return next
  }
  for (const [code, refused] of [
    ['run_exists', batch(idOf(3), 0)],
    ['run_exists', batch(idOf(1_003), 0)],
    ['run_conflict', batch('run-new', 0, 1, { key: 'key-1003' })],
    ['store_conflict', batch(idOf(1_003), 1)],
  ] as const) {
    const next = await opened()
    await expect(next.append([refused]), code).rejects.toMatchObject({ code })
    await next.append([batch(`run-${code}-${refused.run}`, 0, 1, { key: `key-3`, status: 'completed' })])
    await next.remove(`run-${code}-${refused.run}`)
    await next.close()
  }
})

test('ST2 what the caller changes while shards are loaded for an append changes nothing', async () => {
  const { store } = await storeFolder()
  const owner = store({ disk: unsyncedDisk })
  await owner.open({ instance: 'owner' })
  await fillEnded(owner, 0, 500)
  await owner.close()
  const next = store({ disk: unsyncedDisk })
  await next.open({ instance: 'next' })
  const entry = { seq: 1, text: 'as it was' }
  const appends = [next.append([{ run: 'run-new', after: 0, entries: [entry] }]), next.append([batch('run-new', 1)])]
  entry.text = 'changed'
  await Promise.all(appends)
  expect(await next.read('run-new', { from: 1, limit: 1 })).toEqual([{ seq: 1, text: 'as it was' }])
  expect(await seqs(next, 'run-new')).toEqual([1, 2])
})

test('ST2 a run of a shard that is restarted is read on, here, elsewhere, and after the next opening', async () => {
  const { store } = await storeFolder()
  const owner = store({ disk: unsyncedDisk })
  await owner.open({ instance: 'owner' })
  await fillEnded(owner, 0, 1_000)
  await owner.close()
  const [before, next] = [store({ disk: unsyncedDisk }), store({ disk: unsyncedDisk })]
  expect(await before.runs({ limit: 1 })).toHaveLength(1)
  await next.open({ instance: 'next' })
  await next.append([batch(idOf(3), 2, 3, { status: 'running', createdAt: 3 })])
  for (const store of [before, next]) {
    expect(await seqs(store, idOf(3))).toEqual([1, 2, 3, 4, 5])
    expect((await store.runs({ status: ['running'] })).map(({ id }) => id)).toEqual([idOf(3)])
  }
  await next.close()
  const again = store({ disk: unsyncedDisk })
  await again.open({ instance: 'again' })
  const claims: string[] = []
  for await (const { run } of again.claim({})) claims.push(run)
  expect(claims).toEqual(['fleet', idOf(3)])
  expect(await again.runs()).toHaveLength(1_000)
  expect((await again.row({ id: idOf(3) }))?.status).toBe('running')
})

test.for<[string, (path: string) => Promise<void>]>([
  ['is missing', (path) => rm(path)],
  ['was changed', async (path) => writeFile(path, (await readFile(path, 'utf8')).replace('"completed"', '"cancelled"'))],
  ['is empty', (path) => writeFile(path, '')],
])('ST2 when a shard of the index %s, the journal says the same', async ([, spoil]) => {
  const { folder, store } = await storeFolder()
  const owner = store({ disk: unsyncedDisk })
  await owner.open({ instance: 'owner' })
  await fillEnded(owner, 0, 1_200)
  await owner.remove(idOf(20))
  await owner.append([batch(idOf(30), 2, 1, { status: 'running', createdAt: 30 })])
  const before = await allOf(owner)
  await owner.close()
  const [shard = ''] = await shardsOf(folder)
  await spoil(join(folder, 'index', shard))
  expect(await allOf(store())).toEqual(before)
  const next = store({ disk: unsyncedDisk })
  await next.open({ instance: 'next' })
  await next.append([batch(idOf(31), 2, 1, { status: 'running', createdAt: 31 })])
  await expect(next.append([batch(idOf(20), 0)])).rejects.toMatchObject({ code: 'run_exists' })
  expect(await next.runs()).toHaveLength(1_199)
  await next.close()
  await rm(join(folder, 'index'), { recursive: true })
  await rm(join(folder, 'index.json'))
  expect(await store().runs()).toHaveLength(1_199)
})

test('ST2 the index says what the journal says, whatever became of the runs', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ disk: unsyncedDisk, indexDelayMs: 1, segmentBytes: 60_000 })
  await owner.open({ instance: 'owner' })
  for (let round = 0; round < 6; round += 1) {
    await fillEnded(owner, round * 400, round * 400 + 400)
    for (let index = round; index < round * 400; index += 37) {
      const id = idOf(index)
      const seq = await owner.last(id)
      if (index % 2 === 0) await owner.remove(id)
      else if (seq > 0)
        await owner.append([batch(id, seq, 1, { createdAt: index, status: index % 3 === 0 ? 'running' : 'failed' })])
    }
    await owner.close()
    await owner.open({ instance: 'owner' })
  }
  await owner.close()
  const byIndex = await allOf(store())
  await rm(join(folder, 'index.json'))
  expect(await allOf(store())).toEqual(byIndex)
})

test('CO9 a run that has ended keeps one mark for each segment that it has lines in', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ disk: unsyncedDisk, segmentBytes: 30_000 })
  await owner.open({ instance: 'owner' })
  for (let after = 0; after < 500; after += 100) await owner.append([batch('run-1', after, 100, { status: 'running' })])
  await owner.append([batch('run-1', 500, 1, { status: 'completed' })])
  await owner.close()
  const { data } = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as {
    data: { runs: { run: string; marks: { segment: string }[] }[] }
  }
  const marks = data.runs.find(({ run }) => run === 'run-1')?.marks.map(({ segment }) => segment) ?? []
  expect(marks.length).toBeGreaterThan(2)
  expect(new Set(marks).size).toBe(marks.length)
  expect(await seqs(store(), 'run-1')).toHaveLength(501)
})

test('ST2 a shard of which most is stale goes, and the index stays small', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ disk: unsyncedDisk })
  await owner.open({ instance: 'owner' })
  await fillEnded(owner, 0, 1_000)
  await owner.close()
  const before = await shardsOf(folder)
  await owner.open({ instance: 'owner' })
  for (let index = 0; index < 400; index += 1) await owner.remove(idOf(index))
  await owner.close()
  expect(before).toHaveLength(2)
  expect(await shardsOf(folder)).not.toContain(before[0])
  expect((await stat(join(folder, 'index.json'))).size).toBeLessThan(200_000)
  expect((await store().runs()).map(({ id }) => id)).toEqual(Array.from({ length: 600 }, (_, index) => idOf(999 - index)))
})

test('ST2 a run that goes on while its shard is written is not lost', async () => {
  const { store } = await storeFolder()
  let goingOn: Promise<void> | undefined
  const disk: Disk = {
    ...unsyncedDisk,
    rename: async (from, to) => {
      if (dirname(to).endsWith('index')) goingOn ??= owner.append([batch(idOf(8), 2, 1, { status: 'running', createdAt: 8 })])
      await goingOn
      await unsyncedDisk.rename(from, to)
    },
  }
  const owner = store({ disk, indexDelayMs: 1, host: afterCrash() })
  await owner.open({ instance: 'owner' })
  await fillEnded(owner, 0, 500)
  while (goingOn === undefined) await disk.turn()
  await goingOn
  await owner.append([batch(idOf(9), 2, 1, { status: 'running', createdAt: 9 })])
  await owner.close()
  const next = store({ disk: unsyncedDisk })
  expect((await next.runs({ status: ['running'] })).map(({ id }) => id)).toEqual([idOf(9), idOf(8)])
  expect(await seqs(next, idOf(8))).toEqual([1, 2, 3])
  expect(await next.runs()).toHaveLength(500)
})
