import { expect, test } from 'vitest'
import { assembleGroup, prepareBatch, prepareRemoval } from '../../../../src/store/json/group.ts'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import { RunHeads } from '../../../../src/store/json/run-heads.ts'
import type { EntryLine } from '../../../../src/store/json/segment-line.ts'
import { decodeLine } from '../../../../src/store/json/segment-line.ts'
import { batch, rowOf } from './store-folder.ts'

const segment = '00000001.0001'
const linesOf = (bytes: Buffer) =>
  bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((text) => decodeLine(Buffer.from(text)) as EntryLine)

test('VE7 ST3 the lines of a group are chained run by run, to what was before and to one another', () => {
  const heads = new RunHeads()
  const first = assembleGroup([prepareBatch(batch('a', 0, 2), 1)], heads, 0, new LineBuffer())
  for (const line of first.lines) heads.foldLine(line, segment)
  const batches = [batch('a', 2, 1), batch('b', 0, 2), batch('a', 3, 1)]
  const { bytes, lines, count } = assembleGroup(
    batches.map((one) => prepareBatch(one, 1)),
    heads,
    700,
    new LineBuffer(),
  )
  expect([first.count, count]).toEqual([2, 4])
  const read = linesOf(bytes)
  expect(read.map(({ run, seq, batch: place, offset }) => [run, seq, place, offset])).toEqual([
    ['a', 3, [1, 1], 700],
    ['b', 1, [1, 2], undefined],
    ['b', 2, [2, 2], undefined],
    ['a', 4, [1, 1], undefined],
  ])
  expect(read.map(({ prev }) => prev)).toEqual([first.lines[1]?.hash, '', read[1]?.hash, read[0]?.hash])
  // What is kept of the lines is what is read of them, and where each begins.
  const kept = JSON.parse(JSON.stringify(lines)) as object[]
  expect(read.map((line, index) => ({ ...line, byte: lines[index]?.byte }))).toMatchObject(kept)
  expect(lines.map(({ byte, run, seq }) => bytes.subarray(byte).toString().startsWith(`{"run":"${run}","seq":${seq},`))).toEqual([
    true,
    true,
    true,
    true,
  ])
})

test('ST2 the row of a run is in the last line of its batch, as it was when it was appended', () => {
  const given = batch('a', 0, 2, { status: 'running' })
  const prepared = prepareBatch(given, 1)
  ;(given.row as { status: string }).status = 'failed'
  const { bytes, lines } = assembleGroup([prepared], new RunHeads(), 0, new LineBuffer())
  expect(linesOf(bytes).map(({ row }) => row)).toEqual([undefined, rowOf('a')])
  expect(lines.map(({ row }) => row)).toEqual([undefined, rowOf('a')])
  expect(prepareBatch(batch('a', 4))).not.toHaveProperty('row')
})

test('RU8 a tombstone says when the run was removed', () => {
  const tombstone = prepareRemoval('a', 3, 77)
  const { bytes, lines } = assembleGroup([tombstone], new RunHeads(), 0, new LineBuffer())
  expect(linesOf(bytes)).toMatchObject([{ run: 'a', seq: 3, removed: 77 }])
  expect(lines).toMatchObject([{ run: 'a', seq: 3, removed: 77 }])
})

test('ST4 one buffer makes group after group, however large their lines', () => {
  const buffer = new LineBuffer()
  expect(buffer.bytes).toHaveLength(0)
  const sizes = [10, 70_000, 64 * 1024, 300_000, 3]
  for (const size of sizes) {
    const entries = [{ seq: 1, text: 'ü'.repeat(size) }, { seq: 2 }]
    const { bytes, lines } = assembleGroup([prepareBatch({ run: 'a', after: 0, entries }, 1)], new RunHeads(), 0, buffer)
    expect(linesOf(bytes)).toMatchObject([{ entries: entries.slice(0, 1) }, { seq: 2, prev: lines[0]?.hash }])
  }
  buffer.clear()
  expect(buffer.bytes).toHaveLength(0)
})

test('ST4 a line that fills the buffer to its last byte is whole', () => {
  for (let size = 64 * 1024 - 60; size <= 64 * 1024; size += 1) {
    const buffer = new LineBuffer()
    buffer.add('{"closed":true,', `"x":"${'y'.repeat(size - 20)}"`)
    expect(decodeLine(buffer.bytes.subarray(0, -1))?.kind, `${size} bytes`).toBe('closed')
  }
})
