import { expect, test } from 'vitest'
import type { DiskFile } from '../../../../src/store/json/disk.ts'
import { SegmentFile, writeAll } from '../../../../src/store/json/segment-file.ts'

/** A file in memory, and what was done to it. `most`: so many bytes it takes at once; `room`: so large may it grow. */
function memoryFile({ most = Infinity, room = Infinity } = {}) {
  let bytes = Buffer.alloc(0)
  const done: string[] = []
  const file: DiskFile = {
    write(given, at) {
      const taken = Math.max(0, Math.min(given.length, most, room - at))
      done.push(`write ${taken}@${at}`)
      const grown = Buffer.alloc(Math.max(bytes.length, at + taken))
      bytes.copy(grown)
      Buffer.from(given).copy(grown, at, 0, taken)
      bytes = grown
      return taken
    },
    truncate: async (size) => {
      done.push(`truncate ${size}`)
      bytes = bytes.subarray(0, size)
    },
    sync: async () => void done.push('sync'),
    syncNow: () => void done.push('sync now'),
    close: async () => void done.push('close'),
  }
  return { file, done, bytes: () => bytes }
}

test('ST5 a short write goes on where it stopped, and a disk that takes nothing more is told with how far it came', () => {
  const short = memoryFile({ most: 3 })
  writeAll(short.file, Buffer.from('0123456789'), 2)
  expect(short.done).toEqual(['write 3@2', 'write 3@5', 'write 3@8', 'write 1@11'])
  expect(short.bytes().subarray(2).toString()).toBe('0123456789')
  const full = memoryFile({ room: 4 })
  expect(() => writeAll(full.file, Buffer.from('0123456789'), 0)).toThrow('the disk took 4 of 10 bytes')
  writeAll(full.file, Buffer.alloc(0), 99)
})

test('ST3 room is made once for many appends: as much as there is, at least 16 KiB, at most what is allowed', () => {
  const { file, done, bytes } = memoryFile()
  const segment = new SegmentFile(file, 0, 40_000)
  segment.append(Buffer.from('abc'))
  expect(done.splice(0)).toEqual([`write ${3 + 16_384}@0`, 'write 3@0'])
  segment.append(Buffer.from('d'.repeat(16_384)))
  expect(done.splice(0)).toEqual(['write 16384@3'])
  // The room is filled to its last byte; the next byte makes more of it.
  segment.append(Buffer.from('e'))
  expect(done.splice(0)).toEqual([`write ${1 + 16_387}@16387`, 'write 1@16387'])
  segment.append(Buffer.from('f'.repeat(100_000)))
  expect(done.splice(0)).toEqual([`write ${16_388 + 100_000 + 16_388 - 32_775}@32775`, 'write 100000@16388'])
  segment.append(Buffer.from('g'.repeat(20_000)))
  expect(done.splice(0)).toEqual([`write ${116_388 + 20_000 + 40_000 - 132_776}@132776`, 'write 20000@116388'])
  expect(
    bytes()
      .subarray(136_388)
      .every((byte) => byte === 0),
  ).toBe(true)
})

test('ST3 ST5 where no room is allowed, or the disk gives none, a segment grows as it is written', () => {
  const without = memoryFile()
  const segment = new SegmentFile(without.file, 0, 0)
  segment.append(Buffer.from('abc'))
  segment.append(Buffer.from('d'))
  expect(without.done).toEqual(['write 3@0', 'write 1@3'])
  const full = memoryFile({ room: 100 })
  const other = new SegmentFile(full.file, 10, 40_000)
  other.append(Buffer.from('abc'))
  expect(full.done.splice(0)).toEqual(['write 90@10', 'write 0@100', 'write 3@10'])
  other.append(Buffer.from('d'))
  expect(full.done).toEqual(['write 1@13'])
})

test('ST3 room is given back at the close, and what is cut off takes it along', async () => {
  const { file, done, bytes } = memoryFile()
  const segment = new SegmentFile(file, 0, 40_000)
  segment.append(Buffer.from('abcdef'))
  done.length = 0
  await segment.truncate(3)
  expect([done.splice(0), bytes().toString()]).toEqual([['truncate 3'], 'abc'])
  await segment.trim()
  expect(done).toEqual([])
  segment.append(Buffer.from('d'))
  done.length = 0
  await segment.close()
  expect([done, bytes().toString()]).toEqual([['truncate 4', 'close'], 'abcd'])
})

test('ST3 a segment that cannot be cut is closed all the same, and syncs are handed on', async () => {
  const { file, done } = memoryFile()
  const segment = new SegmentFile({ ...file, truncate: () => Promise.reject(new Error('EIO')) }, 0, 40_000)
  segment.append(Buffer.from('a'))
  done.length = 0
  await segment.sync()
  segment.syncNow()
  await segment.close()
  expect(done).toEqual(['sync', 'sync now', 'close'])
})
