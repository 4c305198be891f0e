import { expect, test } from 'vitest'
import { encodePrevious } from '../../../../src/store/json/segment-line.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { HandwrittenJournal, headerLine, journal } from './handwritten-journal.ts'
import { journalParts } from './journal-parts.ts'
import { batch } from './store-folder.ts'

const [a1, a2, a3] = ['00000001.0001', '00000001.0002', '00000001.0003'] as const
const [b1, b2, c1, d1] = ['00000002.0001', '00000002.0002', '00000003.0001', '00000004.0001'] as const

/** The retention of whoever writes to `own`, behind the segments that count. */
async function retentionOf(written: HandwrittenJournal, own: string, ends: readonly string[] = []) {
  const { reader, retention } = journalParts(written.disk)
  const previous = ends.map((segment) => ({ segment, end: written.bytes(segment)?.length ?? 0 }))
  await reader.own(previous, { segment: own, byte: 0 })
  return { reader, retention }
}

test('ST7 the files go that a record names, and their names with them; what no record names stays', async () => {
  const written = new HandwrittenJournal()
  await written.segment(a1, { batches: [batch('gone', 0)] })
  // What an owner wrote that was fenced out belongs to no history, but nobody said that it may go.
  await written.segment(a2, { batches: [batch('fenced', 0)] })
  await written.put(a3, headerLine(a3))
  await written.segment(b1)
  const { retention } = await retentionOf(written, b1)
  await retention.sweep([a1], 2)
  expect(written.segments()).toEqual([a2, a3, b1])
  expect(written.asked('syncFolder')).toBe(1)
  await retention.sweep([], 2)
  expect(written.segments()).toEqual([a2, a3, b1])
  expect(written.asked('syncFolder')).toBe(1)
})

test('ST6 ST7 the name of an epoch stays, and nothing but its header, while a segment of an older epoch does', async () => {
  const written = new HandwrittenJournal()
  await written.segment(a1, { batches: [batch('kept', 0)] })
  await written.segment(b1, { batches: [batch('gone', 0)] })
  await written.segment(b2, { batches: [batch('gone', 1)] })
  await written.put(c1, headerLine(c1))
  await written.segment(d1)
  const { reader, retention } = await retentionOf(written, d1, [a1])
  await retention.sweep([b1, b2], 4)
  expect(written.segments()).toEqual([a1, b1, c1, d1])
  expect(written.bytes(b1)?.toString()).toBe(headerLine(b1))
  expect(written.bytes(c1)?.toString()).toBe(headerLine(c1))
  expect(written.asked('rename')).toBe(1)
  await retention.sweep([b1], 4)
  expect(written.asked('rename')).toBe(1)
  reader.follow([], { segment: d1, byte: 0 }, { segments: [a1], removed: [] })
  await retention.sweep([a1], 4)
  expect(written.segments()).toEqual([d1])
})

test('ST6 ST7 the name of an epoch whose header cannot be read is left as it is while it is needed', async () => {
  const written = new HandwrittenJournal()
  await written.segment(a1, { batches: [batch('kept', 0)] })
  const unreadable = '#'.repeat(3_000)
  await written.put(b1, unreadable)
  await written.segment(c1)
  const { retention } = await retentionOf(written, c1, [a1])
  await retention.sweep([b1], 3)
  expect(written.segments()).toEqual([a1, b1, c1])
  expect(written.bytes(b1)?.toString()).toBe(unreadable)
})

test('ST6 ST7 the name of an epoch goes unrecorded when nothing but its header is there, and only then', async () => {
  const large = `{"x":"${'x'.repeat(3_000)}"}\n`
  const contents = [
    { text: headerLine(a1), goes: true },
    { text: headerLine(a1) + encodePrevious([]), goes: false },
    { text: headerLine(a1) + large, goes: false },
    { text: headerLine(a1).replace('ship', 'shop'), goes: false },
    { text: encodePrevious([]), goes: false },
    { text: '', goes: false },
  ]
  for (const { text, goes } of contents) {
    const written = new HandwrittenJournal()
    await written.put(a1, text)
    await written.segment(b1)
    const { retention } = await retentionOf(written, b1)
    await retention.sweep([], 2)
    expect(written.segments(), text).toEqual(goes ? [b1] : [a1, b1])
    // Where a segment is large its size says enough.
    expect(written.asked('read', a1)).toBe(text.endsWith(large) ? 0 : 1)
  }
})

test('ST7 a segment that counts stays, whatever a record names, and though nothing stands in it', async () => {
  const written = new HandwrittenJournal()
  await written.segment(a1, { batches: [batch('kept', 0)] })
  await written.put(b1, headerLine(b1))
  await written.segment(c1)
  const { retention } = await retentionOf(written, c1, [b1])
  await retention.sweep([a1, b1, c1], 3)
  expect(written.segments()).toEqual([b1, c1])
})

test('ST6 ST7 an owner that was fenced out removes nothing of a newer epoch', async () => {
  const written = new HandwrittenJournal()
  await written.put(b1, headerLine(b1))
  const { retention } = await retentionOf(written, a1)
  await retention.sweep([b1], 1)
  expect(written.segments()).toEqual([b1])
  // Whoever came after it does, once it has a journal of its own.
  const next = await retentionOf(written, c1)
  await next.retention.sweep([], 3)
  expect(written.segments()).toEqual([])
})

test('ST6 ST7 a first opening that came no further than its name leaves nothing to the next', async () => {
  const written = new HandwrittenJournal()
  await written.put(a1, headerLine(a1))
  const { reader, retention } = journalParts(written.disk)
  await reader.measure()
  expect(reader.position).toBeUndefined()
  await retention.sweep([], 2)
  expect(written.segments()).toEqual([])
})

test('ST7 a file that cannot be removed is named by the next record too, until it is gone', async () => {
  const written = new HandwrittenJournal()
  const ends = [await written.segment(a1), await written.segment(a2)]
  await written.segment(b1)
  let isStuck = true
  const remove = (path: string) => (isStuck ? Promise.reject(new Error('EBUSY')) : written.disk.remove(path))
  const { reader, retention } = journalParts({ ...written.disk, remove })
  await reader.own([], { segment: b1, byte: 0 })
  await retention.sweep([a1], 2)
  expect(written.segments()).toEqual([a1, a2, b1])
  expect(await retention.plan(ends.slice(1), 0)).toEqual({ segments: [a1, a2], removed: [] })
  isStuck = false
  await retention.sweep([], 2)
  expect(written.segments()).toEqual([a2, b1])
  expect(await retention.plan(ends.slice(1), 0)).toEqual({ segments: [a2], removed: [] })
})

test('ST7 space is given back while the owner works, unless it ends, and whoever closes can wait for that', async () => {
  const disk = new ModelDisk()
  const { open, writerOf, retention, reader } = journalParts(disk)
  const writer = writerOf(await open(), { segmentBytes: 400 })
  for (let after = 0; after < 4; after += 1) await writer.append([batch('gone', after)])
  await writer.remove('gone')
  const segments = () => disk.tree.list(journal)
  const before = segments()
  expect(before.length).toBeGreaterThan(3)
  const giveBack = (least: number, signal: AbortSignal) => retention.giveBack(writer, { epoch: 1, least, signal })
  await giveBack(1, AbortSignal.abort())
  expect(segments()).toEqual(before)
  const ended = reader.ends.reduce((sum, { end }) => sum + end, 0)
  await giveBack(ended + 1, new AbortController().signal)
  expect(segments()).toEqual(before)
  const going = giveBack(ended, new AbortController().signal)
  await retention.idle()
  // The last of them holds the tombstone still: it was not ended.
  expect(segments()).toEqual([before.at(-1), expect.stringMatching(/^00000001\.\d+\.jsonl$/)])
  await going
  await writer.append([batch('more', 0)])
  expect(reader.heads.seq('more')).toBe(1)
  await writer.close()
  expect(disk.handles).toBe(0)
})
