import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FaultyDisk } from './faulty-disk.ts'
import { afterCrash, batch, segments, seqs, storeFolder } from './store-folder.ts'

const journal = /\.jsonl$/

async function faultyStore() {
  const { folder, store } = await storeFolder()
  const faulty = new FaultyDisk()
  const owner = store({ disk: faulty.disk, host: afterCrash() })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0)])
  return { folder, store, faulty, owner }
}

test('ST5 a full disk refuses the append, leaves nothing of it, and the next one goes on', async () => {
  const { folder, store, faulty, owner } = await faultyStore()
  const before = await readFile(join(folder, 'journal', '00000001.0001.jsonl'))
  faulty.limitRoom(100)
  const refused = await Promise.allSettled([owner.append([batch('run-1', 1)]), owner.append([batch('run-2', 0)])])
  expect(refused).toMatchObject([
    { status: 'rejected', reason: { code: 'not_stored', retryable: true } },
    { status: 'rejected', reason: { code: 'not_stored' } },
  ])
  expect(await readFile(join(folder, 'journal', '00000001.0001.jsonl'))).toEqual(before)
  expect(await seqs(owner, 'run-1')).toEqual([1])
  faulty.limitRoom(Number.POSITIVE_INFINITY)
  await owner.append([batch('run-1', 1), batch('run-2', 0)])
  expect(await segments(folder)).toHaveLength(1)
  expect([await seqs(store(), 'run-1'), await seqs(store(), 'run-2')]).toEqual([[1, 2], [1]])
})

test('ST5 a short write is completed', async () => {
  const { store, faulty, owner } = await faultyStore()
  const appends = faulty.count('write', journal)
  faulty.limitRoom(60)
  faulty.roomAfterShortWrite = 10_000
  await owner.append([batch('run-1', 1)])
  expect(faulty.count('write', journal) - appends).toBe(2)
  expect(await seqs(store(), 'run-1')).toEqual([1, 2])
})

test('ST5 what a failed write left behind and could not be cut is settled before the next append', async () => {
  const { folder, store, faulty, owner } = await faultyStore()
  faulty.limitRoom(100)
  faulty.failNext('truncate', journal, 'EIO')
  await expect(owner.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'outcome_unknown' })
  faulty.limitRoom(Number.POSITIVE_INFINITY)
  expect(await seqs(owner, 'run-1')).toEqual([1])
  await owner.append([batch('run-1', 1)])
  expect(await segments(folder)).toEqual(['00000001.0001.jsonl', '00000001.0002.jsonl'])
  expect(await seqs(store(), 'run-1')).toEqual([1, 2])
})

test('ST5 a failed sync is never repeated on its file: what is there is read, and a new segment goes on', async () => {
  const { folder, store, faulty, owner } = await faultyStore()
  faulty.failNext('sync', journal, 'EIO')
  const outcomes = await Promise.allSettled([
    owner.append([batch('run-1', 1, 2)]),
    owner.append([batch('run-2', 0, 1, { key: 'k' })]),
  ])
  expect(outcomes).toMatchObject([{ reason: { code: 'outcome_unknown' } }, { reason: { code: 'outcome_unknown' } }])
  const syncs = faulty.count('sync', /^sync 00000001\.0001\.jsonl$/)
  expect([await seqs(owner, 'run-1'), await seqs(owner, 'run-2')]).toEqual([[1, 2, 3], [1]])
  expect((await owner.row({ key: 'k' }))?.id).toBe('run-2')
  await expect(owner.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'store_conflict' })
  await owner.append([batch('run-1', 3)])
  expect(faulty.count('sync', /^sync 00000001\.0001\.jsonl$/)).toBe(syncs)
  expect(await segments(folder)).toHaveLength(2)
  for (const reader of [store(), owner])
    expect([await seqs(reader, 'run-1'), await seqs(reader, 'run-2')]).toEqual([[1, 2, 3, 4], [1]])
  await owner.close()
  const next = store({ host: afterCrash() })
  expect((await next.open({ instance: 'next' })).warnings).toEqual([])
  expect(await seqs(next, 'run-1')).toEqual([1, 2, 3, 4])
})

test('ST5 while the disk goes on failing appends are refused in order, and go through when it is back', async () => {
  const { store, faulty, owner } = await faultyStore()
  faulty.failNext('sync', /jsonl/, 'EIO', 3)
  await expect(owner.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'outcome_unknown' })
  await expect(owner.append([batch('run-1', 2)])).rejects.toMatchObject({ code: 'not_stored' })
  await expect(seqs(owner, 'run-1')).rejects.toMatchObject({ code: 'outcome_unknown' })
  const results = [owner.append([batch('run-1', 2)]), owner.append([batch('run-1', 3)]), owner.append([batch('run-1', 4)])]
  await Promise.all(results)
  expect(await seqs(store(), 'run-1')).toEqual([1, 2, 3, 4, 5])
})

test('ST5 a reader that saw what was never acknowledged reads again what counts', async () => {
  const { store, faulty, owner } = await faultyStore()
  const reader = store()
  faulty.failNext('sync', journal, 'EIO')
  await expect(owner.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'outcome_unknown' })
  expect(await seqs(reader, 'run-1')).toEqual([1, 2])
  await owner.append([batch('run-2', 0)])
  await owner.append([batch('run-1', 2)])
  expect([await seqs(reader, 'run-1'), await seqs(reader, 'run-2')]).toEqual([[1, 2, 3], [1]])
})

test('ST5 a disk that cannot be read says so, and nothing is taken for damage', async () => {
  const { store, faulty, owner } = await faultyStore()
  await owner.close()
  const reader = store({ disk: faulty.disk })
  faulty.failNext('read', journal, 'EIO')
  await expect(seqs(reader, 'run-1')).rejects.toMatchObject({
    code: 'unreadable_file',
    details: { file: expect.stringContaining('jsonl') as string },
  })
  expect(await seqs(reader, 'run-1')).toEqual([1])
})

test('ST5 a disk that is full at the opening refuses, and leaves the store as it was', async () => {
  const { store, faulty, owner } = await faultyStore()
  await owner.close()
  const next = store({ disk: faulty.disk, host: afterCrash() })
  faulty.limitRoom(50)
  await expect(next.open({ instance: 'next' })).rejects.toMatchObject({ code: 'not_stored' })
  faulty.limitRoom(Number.POSITIVE_INFINITY)
  await next.open({ instance: 'next' })
  expect(await seqs(next, 'run-1')).toEqual([1])
})

test('ST2 an index that cannot be written holds nothing up', async () => {
  const { store, faulty, owner } = await faultyStore()
  faulty.failNext('rename', /^index\.json$/, 'EIO')
  await owner.close()
  expect(faulty.count('rename', /index\.json/)).toBe(1)
  const next = store({ host: afterCrash() })
  await next.open({ instance: 'next' })
  expect(await seqs(next, 'run-1')).toEqual([1])
})
