import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FaultyDisk } from './faulty-disk.ts'
import { afterCrash, batch, seqs, storeFolder } from './store-folder.ts'

const journal = '00000001.0001.jsonl'
const roomBytes = 64 * 1024

test('ST3 room is set aside behind the end of a journal, is nothing to a reader, and is given back at the close', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ roomBytes })
  await owner.open({ instance: 'owner' })
  const bytes = () => readFile(join(folder, 'journal', journal))
  for (let after = 0; after < 5; after += 1) await owner.append([batch('run-1', after)])
  const open = await bytes()
  const end = open.lastIndexOf(10) + 1
  expect(open.length).toBeGreaterThanOrEqual(end + 1024)
  expect(open.subarray(end).every((byte) => byte === 0)).toBe(true)
  expect(await seqs(store(), 'run-1')).toEqual([1, 2, 3, 4, 5])
  await owner.close()
  const closed = await bytes()
  expect(closed.at(-1)).toBe(10)
  expect(closed.includes(0)).toBe(false)
  expect(await store().owner()).toBeUndefined()
})

test('ST4 the room that a crashed owner had set aside is no torn tail, and goes at the next opening', async () => {
  const { folder, store } = await storeFolder()
  const crashed = store({ roomBytes, host: afterCrash() })
  await crashed.open({ instance: 'crashed' })
  await crashed.append([batch('run-1', 0, 3)])
  const next = store({ roomBytes, host: afterCrash() })
  expect((await next.open({ instance: 'next' })).warnings).toEqual([])
  expect((await readFile(join(folder, 'journal', journal))).includes(0)).toBe(false)
  expect(await seqs(next, 'run-1')).toEqual([1, 2, 3])
  await next.append([batch('run-1', 3)])
  expect(await seqs(store(), 'run-1')).toEqual([1, 2, 3, 4])
})

test('ST5 a disk without room for it is written to all the same, and a failed append leaves nothing behind', async () => {
  const { store } = await storeFolder()
  const faulty = new FaultyDisk()
  const owner = store({ roomBytes, disk: faulty.disk })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-1', 0)])
  // The next append needs new room: that fails first, and the line is written where it would have begun.
  faulty.failNext('write', /jsonl/, 'ENOSPC')
  const large = { ...batch('run-1', 1), entries: [{ seq: 2, text: 'x'.repeat(200_000) }] }
  await owner.append([large])
  faulty.failNext('write', /jsonl/, 'ENOSPC')
  await expect(owner.append([batch('run-1', 2)])).rejects.toMatchObject({ code: 'not_stored' })
  await owner.append([batch('run-1', 2)])
  expect(await seqs(store(), 'run-1')).toEqual([1, 2, 3])
})
