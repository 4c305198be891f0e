import { expect, test } from 'vitest'
import { damageError } from '../../../../src/store/json/damage.ts'
import { readJournal } from '../../../../src/store/json/journal-bytes.ts'
import { lossBehind, lossWarnings } from '../../../../src/store/json/segment-loss.ts'
import { memoryDisk } from './memory-disk.ts'

const disk = memoryDisk({ 'j/s1.jsonl': '0123456789', 'j/s2.jsonl': 'a\nbc\n\nd\n', 'j/room.jsonl': Buffer.alloc(9_000) })

test('ST4 a segment that is missing, or shorter than it was, is told with its file; whole ones, and the last, are not', async () => {
  const told = await lossWarnings(disk, 'j', [
    { segment: 's0', end: 7 },
    { segment: 's1', end: 10 },
    { segment: 's2', end: 9 },
    // Their ends are not recorded: whatever is there is all.
    { segment: 's3', end: Number.MAX_SAFE_INTEGER },
    { segment: 's4' },
  ])
  expect(told).toEqual([
    'j/s0.jsonl is missing. It held 7 bytes of the history: restore it from a copy.',
    'j/s2.jsonl ends at byte 8, where 9 were written: restore it from a copy.',
  ])
})

test('ST4 a journal that ends before what the index knows of is told; one that goes on behind it is not', () => {
  const ends = [
    { segment: 's1', end: 10 },
    { segment: 's2', end: 20 },
  ]
  expect(lossBehind('j', ends, undefined)).toEqual([])
  expect(lossBehind('j', ends, { segment: 's2', byte: 20 })).toEqual([])
  // A segment that was dropped since is older than those that are there.
  expect(lossBehind('j', ends, { segment: 's0', byte: 99 })).toEqual([])
  expect(lossBehind('j', ends, { segment: 's2', byte: 21 })).toEqual([
    'The index knows of 21 bytes of j/s2.jsonl, which can be read up to byte 20: restore it from a copy.',
  ])
  expect(lossBehind('j', ends, { segment: 's3', byte: 1 })).toEqual([
    'The index knows of 1 bytes of j/s3.jsonl, which is missing: restore it from a copy.',
  ])
  expect(lossBehind('j', [], { segment: 's1', byte: 1 })).toHaveLength(1)
  const [, ...later] = [...ends, { segment: 's4', end: 5 }]
  // It lies between those that are there: dropped as well.
  expect(lossBehind('j', later, { segment: 's3', byte: 1 })).toEqual([])
  expect(lossBehind('j', later.slice(1), { segment: 's3', byte: 1 })).toEqual([])
})

test('ST4 the error of a run whose history breaks names file, line and byte, and how far it can be read', async () => {
  const errors = [0, 2, 6].map((byte) => damageError(disk, 'j', 'run-1', { segment: 's2', byte }, 3))
  expect(await Promise.all(errors)).toMatchObject(
    [
      [1, 0],
      [2, 2],
      [4, 6],
    ].map(([line, byte]) => ({
      code: 'store_damaged',
      details: { run: 'run-1', file: 'j/s2.jsonl', line, byte, readableTo: 3 },
    })),
  )
})

test('ST3 the room behind the end of a journal is not read, however much it is; a part of it is given as it lies there', async () => {
  const text = 'x'.repeat(5_000)
  for (const room of [0, 1, 4_095, 4_096, 4_097, 8_192, 20_000]) {
    const path = 'j/s.jsonl'
    const filled = memoryDisk({ [path]: Buffer.concat([Buffer.from(text), Buffer.alloc(room)]) })
    expect((await readJournal(filled, path, 0)).toString(), `${room} bytes of room`).toBe(text)
    expect((await readJournal(filled, path, 4_999, 5_001)).length).toBe(room === 0 ? 1 : 2)
  }
  expect(await readJournal(disk, 'j/room.jsonl', 0)).toHaveLength(0)
})

test('ST5 a file that the disk does not give is told with path, byte and reason', async () => {
  const failing = { ...disk, read: () => Promise.reject(new Error('EIO: i/o error')) }
  await expect(readJournal(failing, 'j/s1.jsonl', 5)).rejects.toMatchObject({
    code: 'unreadable_file',
    details: { file: 'j/s1.jsonl', byte: 5 },
    message: expect.stringContaining('EIO: i/o error') as string,
    cause: { message: 'EIO: i/o error' },
  })
  const odd = { ...disk, read: () => Promise.reject('gone' as never) }
  await expect(readJournal(odd, 'j/s1.jsonl', 0)).rejects.toThrow(/from byte 0: gone/)
  expect((await readJournal(disk, 'j/s1.jsonl', 5)).toString()).toBe('56789')
})
