import { expect, test } from 'vitest'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { noIndex } from '../../../../src/store/json/doctor/examined-store.ts'
import { HeadShards } from '../../../../src/store/json/head-shards.ts'
import type { HeadsIndex } from '../../../../src/store/json/journal-reader.ts'
import { JournalReader } from '../../../../src/store/json/journal-reader.ts'
import type { RunHead } from '../../../../src/store/json/run-heads.ts'
import { RunHeads } from '../../../../src/store/json/run-heads.ts'
import { encodeClosed } from '../../../../src/store/json/segment-line.ts'
import { parseSegment } from '../../../../src/store/json/segment-parse.ts'
import type { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { HandwrittenJournal, headerLine, journal, tombstone } from './handwritten-journal.ts'
import { afterCrash, batch, rowOf } from './store-folder.ts'

const [a1, a2, a3, b1] = ['00000001.0001', '00000001.0002', '00000001.0003', '00000002.0001'] as const
const pathOf = (segment: string) => `${journal}/${segment}.jsonl`
const base = { run: 'fleet', seq: 2, hash: 'f2', snapshot: { seq: 2, records: [] } }

/** A reader, and from where to where it read which segment. */
function readerOf(
  written: HandwrittenJournal,
  changes: { isAlive?: boolean; index?: HeadsIndex; over?: (disk: ModelDisk) => Partial<Disk> } = {},
) {
  const reads: [string, number, number | undefined][] = []
  const { disk } = written
  const over = changes.over?.(disk) ?? {}
  const read: Disk['read'] = (path, from = 0, to) => {
    reads.push([path.slice(journal.length + 1).replace('.jsonl', ''), from, to])
    return (over.read ?? disk.read)(path, from, to)
  }
  const host = { self: afterCrash().self, isAlive: () => changes.isAlive }
  const reader = new JournalReader({ ...disk, ...over, read }, journal, host, changes.index ?? noIndex)
  const seqs = async (run: string, from = 1, limit = 99) => (await reader.read(run, { from, limit })).map(({ seq }) => seq)
  return { reader, reads, seqs }
}

/** An index that stands for the journal up to a place, with runs that ended in a shard of its own. */
function indexOf(written: HandwrittenJournal, position: { segment: string; byte: number }, shard?: readonly RunHead[]) {
  const asked: string[] = []
  let loads = 0
  const ref = { file: 'shard.json', runs: 1, newest: 1, stale: [] }
  const shards = new HeadShards(shard === undefined ? [] : [ref])
  const index: HeadsIndex = {
    load: async () => {
      loads += 1
      const { reader } = readerOf(written)
      await reader.refresh()
      const heads = [...reader.heads.all()].filter(({ run }) => shard === undefined || !shard.some((one) => one.run === run))
      return { heads: new RunHeads({ shards, heads, segments: reader.heads.segments, created: reader.heads.created }), position }
    },
    shard: async ({ file }) => (asked.push(file), shard),
  }
  return { index, asked, loads: () => loads }
}

test('ST6 a reader goes on where it was, and leaves what is not whole for the next time', async () => {
  const written = new HandwrittenJournal()
  const { reader, reads, seqs } = readerOf(written)
  await reader.refresh()
  expect([reader.position, await seqs('run-1')]).toEqual([undefined, []])
  const first = await written.segment(a1, { batches: [batch('run-1', 0)] })
  await reader.refresh()
  expect([reader.position, await seqs('run-1')]).toEqual([{ segment: a1, byte: first.end }, [1]])
  const second = await written.append(a1, batch('run-1', 1, 2))
  const whole = written.bytes(a1) ?? Buffer.alloc(0)
  await written.put(a1, whole.subarray(0, -1))
  await reader.refresh()
  expect(reader.position?.byte).toBe(first.end)
  await written.put(a1, whole)
  reads.length = 0
  await reader.refresh()
  expect(reads).toEqual([[a1, first.end, undefined]])
  expect([reader.position?.byte, await seqs('run-1')]).toEqual([second.end, [1, 2, 3]])
  const third = await written.segment(a2, { previous: [second], batches: [batch('run-1', 3, 9)] })
  await Promise.all([reader.refresh(), reader.refresh()])
  expect([reader.position, reader.ends]).toEqual([{ segment: a2, byte: third.end }, [second]])
  expect(await seqs('run-1')).toHaveLength(12)
  reads.length = 0
  await reader.refresh()
  expect(reads).toEqual([[a2, third.end, undefined]])
})

test('ST6 the owner looks for nothing, since it knows what it wrote; once it is none it reads again', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('run-1', 0)] })
  const { reader, reads } = readerOf(written)
  await reader.refresh()
  await reader.own([first], { segment: a2, byte: 7 })
  expect([reader.position, reader.ends]).toEqual([{ segment: a2, byte: 7 }, [first]])
  await written.append(a1, batch('run-1', 1))
  reads.length = 0
  await reader.refresh()
  expect([reads, reader.heads.seq('run-1')]).toEqual([[], 1])
  reader.disown()
  await reader.refresh()
  expect(reader.heads.seq('run-1')).toBe(2)
})

test('ST6 what an owner goes on to write counts until somebody who may live is taking over', async () => {
  for (const [taker, isAlive, seq] of [
    [undefined, true, 2],
    [headerLine(b1), true, 1],
    [headerLine(b1), undefined, 1],
    [headerLine(b1), false, 2],
    ['', false, 1],
  ] as const) {
    const written = new HandwrittenJournal()
    const first = await written.segment(a1, { batches: [batch('run-1', 0)] })
    await written.segment(a2, { previous: [first], batches: [batch('run-1', 1)] })
    if (taker !== undefined) await written.put(b1, taker)
    const { reader } = readerOf(written, { ...(isAlive !== undefined && { isAlive }) })
    await reader.refresh()
    expect([reader.heads.seq('run-1'), written.asked('list')], `${taker} ${isAlive}`).toEqual([seq, 1])
    // Whoever took over counts all of it.
    expect((await reader.measure()).ends).toMatchObject([first, { segment: a2 }])
    expect(reader.heads.seq('run-1')).toBe(2)
  }
})

test('ST6 bytes that were read while a newer epoch began do not count', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('run-1', 0)] })
  const last = await written.segment(a2, { previous: [first], batches: [batch('run-1', 1)] })
  let begins = true
  const over = (disk: ModelDisk): Partial<Disk> => ({
    read: async (path, from, to) => {
      const bytes = await disk.read(path, from, to)
      if (begins && to === first.end && path === pathOf(a1)) await written.put(b1, '')
      return bytes
    },
  })
  const { reader } = readerOf(written, { over })
  await reader.refresh()
  // What lies before the growing end cannot change.
  expect(reader.heads.seq('run-1')).toBe(1)
  begins = false
  await written.segment(b1, { previous: [first, last] })
  await reader.refresh()
  expect(reader.heads.seq('run-1')).toBe(2)
})

test('ST6 a reader that read further than an older owner counts forgets that', async () => {
  const written = new HandwrittenJournal()
  const counted = await written.segment(a1, { batches: [batch('run-1', 0)] })
  const further = await written.append(a1, batch('run-1', 1), batch('run-2', 0))
  let loads = 0
  const load = async () => ((loads += 1), undefined)
  const { reader } = readerOf(written, { index: { ...noIndex, load } })
  await reader.refresh()
  expect([reader.heads.seq('run-1'), reader.heads.seq('run-2')]).toEqual([2, 1])
  await written.segment(b1, { previous: [counted] })
  await reader.refresh()
  expect([reader.heads.seq('run-1'), reader.heads.seq('run-2'), reader.ends]).toEqual([1, 0, [counted]])
  expect(loads).toBe(2)
  // Where it ends just there, nothing is read twice.
  const other = readerOf(written)
  await written.disk.remove(pathOf(b1))
  await other.reader.refresh()
  await written.segment(b1, { previous: [further] })
  other.reads.length = 0
  await other.reader.refresh()
  expect(other.reads.filter(([segment, from]) => segment === a1 && from < further.end)).toEqual([])
  expect(other.reader.heads.seq('run-1')).toBe(2)
})

test('ST7 a reader from under whom segments go starts again, and finds what is left', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('fleet', 0, 2), batch('gone', 0), tombstone('gone', 2)] })
  const second = await written.segment(a2, { previous: [first], batches: [batch('fleet', 2), batch('kept', 0)] })
  const record = { segments: [a1], removed: ['gone'], base: { ...base, hash: written.hash('fleet', 2) ?? '' } }
  let goes = true
  const over = (disk: ModelDisk): Partial<Disk> => ({
    read: async (path, from = 0, to) => {
      if (goes && path === pathOf(a1) && to === first.end) {
        goes = false
        await written.segment(a3, { previous: [second], dropped: record })
        await disk.remove(path)
      }
      return disk.read(path, from, to)
    },
  })
  const { reader, seqs } = readerOf(written, { over })
  await reader.refresh()
  expect(goes).toBe(false)
  expect([reader.heads.damages, reader.heads.seq('fleet'), reader.heads.seq('kept')]).toEqual([[], 3, 1])
  expect([reader.heads.removed('gone'), await seqs('fleet', 3)]).toEqual([true, [3]])
})

test('ST4 ST7 a segment that is missing for good is looked for three times; what is left is read', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('lost', 0)] })
  await written.segment(a2, { previous: [first], batches: [batch('run-1', 0)] })
  await written.disk.remove(pathOf(a1))
  const { reader } = readerOf(written)
  written.disk.calls.length = 0
  await reader.refresh()
  expect(written.asked('list')).toBe(3)
  expect([reader.heads.seq('lost'), reader.heads.seq('run-1')]).toEqual([0, 1])
  // From then on it is no news.
  const second = await written.append(a2, batch('run-1', 1))
  await reader.refresh()
  await reader.refresh()
  expect(written.asked('list')).toBe(2)
  await written.segment(a3, { previous: [second], batches: [batch('run-1', 2)] })
  await reader.refresh()
  expect([written.asked('list'), reader.heads.seq('run-1')]).toEqual([1, 3])
})

test('ST4 ST6 a measurement tells where each segment ends, and what stands behind the last whole batch', async () => {
  const written = new HandwrittenJournal()
  expect(await readerOf(written).reader.measure()).toEqual({ ends: [], warnings: [] })
  const first = await written.segment(a1, { batches: [batch('run-1', 0)] })
  // What a fenced owner appended past its end is none of it.
  await written.append(a1, batch('fenced', 0))
  const second = await written.segment(a2, { previous: [first] })
  const begun = await written.segment(a3, { previous: [second] })
  const { reader } = readerOf(written)
  expect(await reader.measure()).toEqual({ ends: [first, second, begun], warnings: [], synced: { segment: a3, byte: 0 } })
  const next = await written.append(a3, batch('run-1', 1))
  const last = await written.append(a3, batch('run-1', 2))
  const synced = { segment: a3, byte: next.end }
  for (const one of [reader, readerOf(written).reader])
    expect(await one.measure()).toEqual({ ends: [first, second, last], warnings: [], synced })
  const whole = written.bytes(a3) ?? Buffer.alloc(0)
  await written.put(a3, Buffer.concat([whole, Buffer.from('{"run')]))
  expect(await readerOf(written).reader.measure()).toMatchObject({
    ends: [first, second, last],
    tail: { segment: a3, byte: last.end, bytes: Buffer.from('{"run') },
  })
  const dropped = { segments: ['00000000.0001'], removed: ['old'] }
  const other = new HandwrittenJournal()
  await other.segment(a1, { dropped })
  expect(await readerOf(other).reader.measure()).toMatchObject({ dropped, warnings: [] })
  await other.segment(a2, { previous: [{ segment: a1, end: 9_999 }] })
  expect((await readerOf(other).reader.measure()).warnings).toHaveLength(1)
})

test('ST4 ST6 where the record of ends is damaged, a segment ends where its file does', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('run-1', 0)] })
  await written.put(b1, `${headerLine(b1)}spoilt\n${encodeClosed(1, 0)}`)
  await written.put(a2, '')
  const { ends, warnings, tail } = await readerOf(written).reader.measure()
  expect(ends).toMatchObject([first, { segment: a2, end: 0 }, { segment: b1 }])
  expect([warnings.length, tail]).toEqual([1, undefined])
  written.disk.calls.length = 0
  await readerOf(written).reader.refresh()
  expect(written.asked('list')).toBe(1)
})

test('ST4 a recorded end turns what does not read in front of it into damage', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('run-1', 0), batch('run-1', 1)] })
  await written.put(a1, Buffer.from(written.bytes(a1)?.toString().replace('run-1 2', 'run-1 #') ?? ''))
  await written.segment(a2, { previous: [first], batches: [batch('run-2', 0)] })
  const { reader } = readerOf(written)
  await reader.refresh()
  expect(reader.heads.damages).toMatchObject([{ run: 'run-1', place: { segment: a1 } }])
  expect(reader.heads.seq('run-2')).toBe(1)
})

test('EV2 ST4 a read gives what of a range is there, and refuses what went or cannot be read', async () => {
  const written = new HandwrittenJournal()
  await written.segment(a1, { batches: [batch('run-1', 0, 5), batch('gone', 0), tombstone('gone', 2), batch('broken', 0, 3)] })
  await written.append(a1, batch('broken', 3), batch('run-2', 0))
  await written.put(a1, Buffer.from(written.bytes(a1)?.toString().replace('broken 4', 'broken #') ?? ''))
  const { reader, seqs } = readerOf(written)
  await reader.refresh()
  expect(await seqs('run-1')).toEqual([1, 2, 3, 4, 5])
  expect([await seqs('run-1', 2, 2), await seqs('run-1', -3, 2), await seqs('run-1', 5, 1)]).toEqual([[2, 3], [1, 2], [5]])
  for (const [run, from, limit] of [
    ['run-1', 6, 3],
    ['run-1', 1, 0],
    ['gone', 1, 9],
    ['never', 1, 9],
  ] as const)
    expect(await seqs(run, from, limit), run).toEqual([])
  expect(await seqs('broken', 1, 3)).toEqual([1, 2, 3])
  for (const [from, limit] of [
    [1, 4],
    [4, 1],
  ] as const)
    await expect(seqs('broken', from, limit)).rejects.toMatchObject({
      code: 'store_damaged',
      details: { run: 'broken', readableTo: 3 },
    })
})

test('ST7 a stream whose first entries went is read from its base on', async () => {
  const written = new HandwrittenJournal()
  await written.segment(a1, { dropped: { segments: [], removed: [], base }, batches: [batch('fleet', 2, 2)] })
  const { reader, seqs } = readerOf(written)
  await reader.refresh()
  expect([await seqs('fleet', 3), await seqs('fleet', 1, 0)]).toEqual([[3, 4], []])
  await expect(seqs('fleet', 2)).rejects.toMatchObject({ code: 'cursor_unavailable', details: { run: 'fleet', readableFrom: 3 } })
})

test('VE7 the hash of a line is told, unless it is not there or cannot be read', async () => {
  const written = new HandwrittenJournal()
  await written.segment(a1, { batches: [batch('run-1', 0, 3)] })
  const { reader, reads } = readerOf(written)
  await reader.refresh()
  reads.length = 0
  expect(await reader.hashAt('run-1', 3)).toBe(written.hash('run-1', 3))
  expect(reads).toEqual([])
  expect([await reader.hashAt('run-1', 1), await reader.hashAt('run-1', 2)]).toEqual([
    written.hash('run-1', 1),
    written.hash('run-1', 2),
  ])
  for (const [run, seq] of [
    ['run-1', 0],
    ['run-1', 4],
    ['never', 1],
  ] as const)
    expect(await reader.hashAt(run, seq)).toBeUndefined()
  expect(reads).toHaveLength(2)
  await written.put(a1, Buffer.from(written.bytes(a1)?.toString().replace('run-1 1', 'run-1 #') ?? ''))
  expect(await reader.hashAt('run-1', 1)).toBeUndefined()
})

test('EV2 whoever reads page by page begins where the page before ended', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('other', 0)] })
  await written.segment(a2, { previous: [first], batches: [batch('run-1', 0, 40)] })
  const { reader, reads, seqs } = readerOf(written)
  await reader.refresh()
  await seqs('run-1', 1, 10)
  reads.length = 0
  expect(await seqs('run-1', 11, 10)).toHaveLength(10)
  expect(reads.map(([segment, from]) => [segment, from])).toEqual([[a2, written.bytes(a2)?.indexOf('{"run":"run-1","seq":11,')]])
})

test('ST3 an owner reads what it wrote where it wrote it', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('run-1', 0)] })
  const { reader, seqs } = readerOf(written)
  await reader.refresh()
  const begun = await written.segment(a2, { previous: [first] })
  await reader.own([first], { segment: a2, byte: begun.end })
  const end = await written.append(a2, batch('run-1', 1, 2))
  const { items } = parseSegment(written.bytes(a2) ?? Buffer.alloc(0), 0, true)
  const lines = items.flatMap((item) => (item.kind === 'batch' ? item.lines : []))
  reader.wrote(lines, 0, { segment: a2, byte: end.end })
  expect([reader.position, await seqs('run-1')]).toEqual([{ segment: a2, byte: end.end }, [1, 2, 3]])
})

test('ST7 an owner that follows a record knows of no segments but those that are left', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('run-1', 0), tombstone('run-1', 2)] })
  const second = await written.segment(a2, { previous: [first], batches: [batch('run-2', 0)] })
  const { reader } = readerOf(written)
  await reader.refresh()
  await reader.own([first, second], { segment: a3, byte: 5 })
  expect(reader.ends).toEqual([first, second])
  reader.follow([second, { segment: a3, end: 9 }], { segment: '00000001.0004', byte: 3 }, { segments: [a1], removed: ['run-1'] })
  expect(reader.ends).toEqual([second, { segment: a3, end: 9 }])
  expect(reader.heads.segments.of('00000001.0004')).toEqual({ runs: 0, tombstones: 1 })
  expect(reader.heads.segments.of(a1)).toEqual({ runs: 0, tombstones: 0 })
  reader.follow([{ segment: '00000001.0004', end: 8 }], { segment: '00000001.0005', byte: 0 })
  expect(reader.ends.map(({ segment, end }) => `${segment} ${end}`)).toEqual([
    `${a2} ${second.end}`,
    `${a3} 9`,
    '00000001.0004 8',
  ])
})

test('ST2 an index spares the reading of what it stands for, and is asked once', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('run-1', 0)] })
  const { index, loads } = indexOf(written, { segment: a1, byte: first.end })
  const { reader, reads } = readerOf(written, { index })
  await reader.refresh()
  expect(reads.filter(([segment, from, to]) => segment === a1 && from === 0 && to === undefined)).toEqual([])
  await reader.refresh()
  expect([reader.heads.seq('run-1'), reader.position, loads()]).toEqual([1, { segment: a1, byte: first.end }, 1])
  expect(await reader.measure()).toMatchObject({ synced: { segment: a1, byte: first.end } })
})

test('ST2 ST7 an index that is older than the base of the stream is not gone on from', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, {
    dropped: { segments: [], removed: [], base },
    batches: [batch('fleet', 2), batch('run-1', 0)],
  })
  for (const seq of [1, 2]) {
    const head = { run: 'fleet', order: 0, seq, hash: `f${seq}`, marks: [] }
    const state = { heads: new RunHeads({ heads: [head] }), position: { segment: a1, byte: first.end } }
    const { reader } = readerOf(written, { index: { ...noIndex, load: async () => state } })
    await reader.refresh()
    expect([reader.heads.seq('fleet'), reader.heads.seq('run-1')]).toEqual(seq === 1 ? [3, 1] : [2, 0])
  }
})

test('CO9 shards of the index are read only for lines that go on with their runs', async () => {
  const shard = [{ run: 'old', order: 9, seq: 1, hash: '', marks: [], row: rowOf('old', { status: 'completed' }) }]
  const begin = async () => {
    const written = new HandwrittenJournal()
    const first = await written.segment(a1, { batches: [batch('old', 0, 1, { status: 'completed' }), batch('run-1', 0)] })
    const { index, asked } = indexOf(written, { segment: a1, byte: first.end }, [
      { ...shard[0], hash: written.hash('old', 1) } as RunHead,
    ])
    const { reader } = readerOf(written, { index })
    await reader.refresh()
    expect([asked, reader.heads.lacks('old')]).toEqual([[], true])
    return { written, reader, asked, first }
  }
  const none = await begin()
  await none.written.append(a1, batch('new', 0), batch('run-1', 1), batch('new', 1), batch('other', 0, 3))
  await none.reader.refresh()
  expect([none.reader.heads.seq('new'), none.reader.heads.seq('other'), none.asked]).toEqual([2, 3, []])
  const end = await none.written.append(a1, tombstone('new', 3))
  await none.written.segment(a2, { previous: [end], dropped: { segments: [], removed: ['new'] } })
  await none.reader.refresh()
  expect(none.asked).toEqual([])
  await none.written.segment(a3, {
    previous: [{ segment: a2, end: none.written.bytes(a2)?.length ?? 0 }],
    batches: [batch('newer', 0)],
  })
  await none.reader.refresh()
  expect([none.reader.heads.seq('newer'), none.asked]).toEqual([1, []])
  const goesOn = await begin()
  await goesOn.written.append(a1, batch('run-1', 1), batch('old', 1))
  await goesOn.reader.refresh()
  expect([goesOn.reader.heads.seq('old'), goesOn.reader.heads.damages, goesOn.asked]).toEqual([2, [], ['shard.json']])
  const removed = await begin()
  await removed.written.segment(a2, { previous: [removed.first], dropped: { segments: [], removed: ['run-1', 'old'] } })
  await removed.reader.refresh()
  expect([removed.reader.heads.removed('old'), removed.reader.heads.get('old')?.order, removed.asked]).toEqual([
    true,
    9,
    ['shard.json'],
  ])
  const spoilt = await begin()
  await spoilt.written.append(a1, batch('old', 1), batch('run-1', 1))
  await spoilt.written.put(a1, Buffer.from(spoilt.written.bytes(a1)?.toString().replace('old 2', 'old #') ?? ''))
  await spoilt.reader.refresh()
  expect([spoilt.reader.heads.damages.map(({ run }) => run), spoilt.asked]).toEqual([['old'], ['shard.json']])
})

test('ST2 a shard that cannot be read is made good for by the journal, up to where it was read', async () => {
  for (const withBase of [true, false]) {
    const written = new HandwrittenJournal()
    const dropped = { segments: [], removed: [], base }
    const stream = withBase ? [batch('fleet', 2)] : []
    const first = await written.segment(a1, {
      ...(withBase && { dropped }),
      batches: [...stream, batch('old', 0, 2), batch('run-1', 0)],
    })
    const { end } = await written.segment(a2, { previous: [first], batches: [batch('old', 2)] })
    const ref = { file: 'shard.json', runs: 1, newest: 1, stale: [] }
    let fails = true
    const shard = () => (fails ? Promise.reject(new Error('EIO')) : Promise.resolve(undefined))
    const known = withBase ? [{ run: 'fleet', order: 0, seq: 3, hash: written.hash('fleet', 3) ?? '', marks: [], base }] : []
    const heads = new RunHeads({ shards: new HeadShards([ref]), heads: known })
    const { reader, seqs } = readerOf(written, {
      index: { load: async () => ({ heads, position: { segment: a2, byte: end } }), shard },
    })
    await reader.refresh()
    await written.append(a2, batch('later', 0))
    await expect(reader.load(() => false)).rejects.toThrow('EIO')
    await reader.load(() => true)
    expect(reader.heads.lacks('old')).toBe(true)
    fails = false
    await reader.load(() => false)
    expect(['old', 'run-1', 'fleet', 'later'].map((run) => reader.heads.seq(run))).toEqual([3, 1, withBase ? 3 : 0, 0])
    expect([await seqs('old'), reader.heads.lacks('old')]).toEqual([[1, 2, 3], false])
    await reader.refresh()
    expect([reader.heads.seq('later'), reader.heads.damages]).toEqual([1, []])
  }
})
