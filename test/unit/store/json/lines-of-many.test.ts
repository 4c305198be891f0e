import { expect, test } from 'vitest'
import type { Batch, EntryRange, Store, StoredEntry } from '../../../../src/ports/store.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import type { EntryLine } from '../../../../src/store/json/segment-line.ts'
import { decodeLine } from '../../../../src/store/json/segment-line.ts'
import type { JsonStoreParts } from '../../../../src/store/json/store-parts.ts'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { journalFolder } from './journal-changes.ts'
import { spoil } from './spoil.ts'
import { rowOf } from './store-folder.ts'
import { modelFolder, modelStore } from './witness.ts'

const first = '00000001.0001.jsonl'
const usualChars = 16 * 1024
const large = { segmentBytes: 1_000_000, indexDelayMs: 3_600_000 }

/** An entry that is for the most part like the one before. */
const stepped = (run: string, seq: number): StoredEntry => ({
  ...{ seq, kind: 'task.stepped', task: `${run} ${seq}` },
  ...{ set: { status: 'running', heard: { attempt: 1, at: seq } }, events: [{ state: 'leased', texts: ['a'] }] },
})
const upTo = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
const entriesOf = (run: string, from: number, to: number) => upTo(from, to).map((seq) => stepped(run, seq))
const stepping = (run: string, after: number, count: number): Batch => ({
  ...{ run, after },
  entries: entriesOf(run, after + 1, after + count),
})
const seqsOf = (entries: readonly { readonly seq: number }[]) => entries.map(({ seq }) => seq)
const allOf = (store: Store, run: string) => store.read(run, { from: 1, limit: 1_000 })

/** A store that is open, on a disk in memory, and what it reads of its journal. */
async function owning(parts: Partial<JsonStoreParts> = {}, model = new ModelDisk()) {
  const reads: { readonly from: number; readonly to: number }[] = []
  const read: Disk['read'] = (path, from = 0, to = Infinity) => {
    if (path.startsWith(journalFolder)) reads.push({ from, to })
    return model.read(path, from, to)
  }
  const store = modelStore({ ...model, read }, { lineChars: usualChars, ...large, ...parts })
  const { warnings } = await store.open({ instance: 'owner' })
  const bytes = (segment = first) => model.tree.bytes(`${journalFolder}/${segment}`) ?? Buffer.alloc(0)
  /** The lines of a run, and where each begins. */
  const linesOf = (run: string, segment = first) => {
    let byte = 0
    const lines = bytes(segment)
      .toString()
      .split('\n')
      .map((text) => {
        const placed = { byte, ...(decodeLine(Buffer.from(text)) as EntryLine | undefined) }
        byte += Buffer.byteLength(text) + 1
        return placed
      })
    return lines.filter((line) => line.kind === 'entries' && line.run === run)
  }
  const readOf = async (run: string, range: EntryRange) => {
    reads.length = 0
    return { entries: await store.read(run, range), reads: [...reads] }
  }
  return { model, store, warnings, bytes, linesOf, readOf }
}

test('ST2 what whoever reads does with what it read changes nothing of what is read next', async () => {
  const { store, linesOf } = await owning()
  await store.append([stepping('run-1', 0, 20)])
  expect(linesOf('run-1')).toMatchObject([{ seq: 1, last: 20 }])
  const ranges = [
    [1, 20],
    [1, 3],
    [2, 5],
    [7, 1],
    [19, 2],
  ] as const
  for (const [from, limit] of [...ranges, ...ranges]) {
    const found = await store.read('run-1', { from, limit })
    expect(found).toStrictEqual(entriesOf('run-1', from, from + limit - 1))
    spoil(found)
  }
  // Nor do two entries of one reading share anything.
  const [one, other] = await store.read('run-1', { from: 1, limit: 2 })
  spoil(one)
  expect(other).toStrictEqual(stepped('run-1', 2))
  expect(await store.read('run-1', { from: 1, limit: 20, mayShare: true })).toStrictEqual(entriesOf('run-1', 1, 20))
})

test('ST2 what was read to be shared is shared with nobody who reads the same again', async () => {
  const { store } = await owning()
  await store.append([stepping('run-1', 0, 20)])
  for (const [from, limit] of [
    [1, 20],
    [20, 1],
    [19, 2],
    [5, 3],
    [7, 1],
    [1, 1],
  ] as const) {
    const found = await store.read('run-1', { from, limit, mayShare: true })
    expect(found, `from ${from}`).toStrictEqual(entriesOf('run-1', from, from + limit - 1))
    spoil(found)
  }
})

test('EV7 whoever reads on in the middle of a line, or around there, reads it from the disk once', async () => {
  const { store, linesOf, readOf } = await owning()
  await store.append([stepping('run-1', 0, 100)])
  await store.append([stepping('run-1', 100, 100)])
  const [before, line, ...none] = linesOf('run-1')
  expect([before, line, none]).toMatchObject([{ seq: 1, last: 100 }, { seq: 101, last: 200 }, []])
  expect((await readOf('run-1', { from: 1, limit: 30 })).reads).toHaveLength(1)
  for (const [from, limit] of [
    [31, 30],
    [61, 40],
    [10, 20],
    [1, 100],
    [100, 1],
  ] as const)
    expect(await readOf('run-1', { from, limit })).toEqual({ entries: entriesOf('run-1', from, from + limit - 1), reads: [] })
  // Over the end of the line, only what is behind it is read.
  const over = await readOf('run-1', { from: 90, limit: 30 })
  expect(over.entries).toEqual(entriesOf('run-1', 90, 119))
  expect(over.reads.map(({ from }) => from)).toEqual([line?.byte])
  expect(await readOf('run-1', { from: 120, limit: 99 })).toEqual({ entries: entriesOf('run-1', 120, 200), reads: [] })
  expect(await readOf('run-1', { from: 201, limit: 9 })).toEqual({ entries: [], reads: [] })
  // What is before the line that was read last is not in it.
  expect((await readOf('run-1', { from: 95, limit: 10 })).entries).toEqual(entriesOf('run-1', 95, 104))
})

test('EV7 a page that ends with its line is read on from the next one', async () => {
  const { store, linesOf, readOf } = await owning({ lineChars: 2_000 })
  await store.append([stepping('run-1', 0, 300)])
  const lines = linesOf('run-1')
  expect(lines.length).toBeGreaterThan(5)
  let from = 1
  for (const { last = 0, byte } of lines) {
    const { entries, reads } = await readOf('run-1', { from, limit: last - from + 1 })
    expect([seqsOf(entries), reads.map((one) => one.from)]).toEqual([upTo(from, last), [byte]])
    from = last + 1
  }
})

test('EV7 reading elsewhere in between, in this run or another, gives and leaves the right entries', async () => {
  const { store, linesOf } = await owning({ lineChars: 2_000 })
  for (let after = 0; after < 120; after += 40) await store.append([stepping('run-1', after, 40), stepping('run-2', after, 40)])
  expect(linesOf('run-1').length).toBeGreaterThan(4)
  const read = async (run: string, from: number, limit: number, mayShare = false) =>
    expect(await store.read(run, { from, limit, mayShare }), `${run} from ${from}`).toEqual(
      entriesOf(run, from, Math.min(120, from + limit - 1)),
    )
  for (let from = 1; from <= 120; from += 7) {
    await read('run-1', from, 7)
    await read('run-2', from, 7, true)
    await read('run-1', 1 + ((from * 31) % 120), 9)
    await read('run-2', 121 - from, 3)
  }
  // Also at the same time.
  await Promise.all(upTo(1, 60).map((n) => read(n % 2 === 0 ? 'run-1' : 'run-2', 1 + ((n * 31) % 120), n, n % 3 === 0)))
})

test('ST4 a batch of more lines than one is whole or not there, wherever the file is cut', async () => {
  const { store, model, bytes, linesOf } = await owning({ lineChars: 300, roomBytes: 0 })
  await store.append([stepping('run-1', 0, 3), stepping('run-2', 0, 2)])
  const begun = bytes().length
  await store.append([stepping('run-1', 3, 12), stepping('run-2', 2, 7)])
  const whole = bytes()
  const lines = [...linesOf('run-1'), ...linesOf('run-2')].filter(({ byte }) => byte >= begun)
  expect(lines.map(({ seq, last }) => [seq, last])).toEqual([
    [4, 8],
    [9, 13],
    [14, 15],
    [3, 7],
    [8, 9],
  ])
  const ends = [...lines.map(({ byte }) => byte), whole.length]
  const between = ends[3] ?? 0
  for (let cut = begun; cut <= whole.length; cut += 1) {
    const disk = new ModelDisk(model.tree)
    const file = await disk.open(`${journalFolder}/${first}`, { create: false })
    await file.truncate(cut)
    const there = { 'run-1': cut >= between ? 15 : 3, 'run-2': cut >= whole.length ? 9 : 2 }
    const examine = async (one: Store, more = 0) => {
      for (const run of ['run-1', 'run-2'] as const)
        expect(await allOf(one, run), `cut at ${cut}`).toEqual(entriesOf(run, 1, there[run] + more))
    }
    await examine(modelStore(disk))
    // To open it takes longer than to read it.
    if (cut % 7 !== 0 && !ends.some((end) => Math.abs(end - cut) <= 2)) continue
    const next = modelStore(disk, { lineChars: 300, ...large })
    const { warnings } = await next.open({ instance: 'next' })
    expect(warnings.length, `cut at ${cut}`).toBe([begun, between, whole.length].includes(cut) ? 0 : 1)
    await examine(next)
    // Whoever goes on goes on behind what is there.
    await next.append(Object.entries(there).map(([run, last]) => stepping(run, last, 5)))
    for (const one of [next, modelStore(disk)]) await examine(one, 5)
    await next.close()
  }
})

/** Fills the segment that is open, with a run that is gone afterwards. */
async function comeAndGo(store: Store, run: string): Promise<void> {
  for (let after = 0; after < 120; after += 40) await store.append([stepping(run, after, 40)])
  await store.remove(run)
}

test('ST7 a stream whose first entries went with their segments goes on behind the line that was its last there', async () => {
  const parts = { lineChars: 600, segmentBytes: 6_000 }
  const { store, model, linesOf } = await owning(parts)
  const segments = () => model.tree.list(journalFolder).filter((name) => name.endsWith('.jsonl'))
  await store.append([stepping('fleet', 0, 15)])
  expect(linesOf('fleet').length).toBeGreaterThan(1)
  await comeAndGo(store, 'run-1')
  await store.append([stepping('fleet', 15, 15)])
  await comeAndGo(store, 'run-2')
  // A snapshot of the middle of a line covers no entry behind it, so the segment of that line stays.
  await store.saveSnapshot('fleet', taken(14, []))
  expect([segments().includes(first), seqsOf(await allOf(store, 'fleet'))]).toEqual([true, upTo(1, 30)])
  await store.saveSnapshot('fleet', taken(22, []))
  expect(segments()).not.toContain(first)
  await store.append([stepping('fleet', 30, 10)])
  for (const spoilFolder of [
    () => undefined,
    () => model.remove(`${modelFolder}/index.json`),
    () => model.removeFolder(`${modelFolder}/runs/fleet`),
  ]) {
    await spoilFolder()
    const next = (await owning(parts, model)).store
    for (const one of [next, modelStore(model, parts)]) {
      expect(await one.last('fleet')).toBe(40)
      await expect(one.read('fleet', { from: 15, limit: 1 })).rejects.toMatchObject({
        code: 'cursor_unavailable',
        details: { readableFrom: 16 },
      })
      for (const [from, limit] of [
        [16, 99],
        [20, 3],
        [16, 2],
        [18, 20],
      ] as const)
        expect(await one.read('fleet', { from, limit })).toEqual(entriesOf('fleet', from, Math.min(40, from + limit - 1)))
      expect(await one.loadSnapshot('fleet')).toEqual({ seq: 22, records: [] })
    }
    await next.close()
  }
})

test('ST7 a snapshot of the middle of a line is gone on from with the entries behind it', async () => {
  const { store, model, linesOf } = await owning()
  await store.append([stepping('run-1', 0, 50), stepping('run-2', 0, 5)])
  expect(linesOf('run-1')).toHaveLength(1)
  const records = [{ key: 'task:1', seq: 23, value: 'a' }]
  await store.saveSnapshot('run-1', taken(23, records))
  await store.append([stepping('run-1', 50, 50)])
  const examine = async (one: Store) => {
    const snapshot = await one.loadSnapshot('run-1')
    expect(snapshot).toEqual({ seq: 23, records })
    expect(await one.read('run-1', { from: 24, limit: 40 })).toEqual(entriesOf('run-1', 24, 63))
    expect(await one.read('run-1', { from: 64, limit: 99 })).toEqual(entriesOf('run-1', 64, 100))
  }
  for (const one of [store, modelStore(model)]) await examine(one)
  // After a crash, after a clean close, and without an index.
  for (const change of [() => undefined, () => undefined, () => model.remove(`${modelFolder}/index.json`)]) {
    await change()
    const next = (await owning({ segmentBytes: 10_000_000 }, model)).store
    await examine(next)
    await next.close()
  }
  // One that was taken while the run went on, up to the middle of its last line, counts; one of more than is there does not.
  const again = (await owning({ segmentBytes: 10_000_000 }, model)).store
  await again.saveSnapshot('run-1', taken(60, [], 77))
  expect(await again.loadSnapshot('run-1')).toEqual({ seq: 60, records: [] })
  await again.saveSnapshot('run-1', taken(61, [], 101))
  expect(await again.loadSnapshot('run-1')).toEqual({ seq: 60, records: [] })
  await again.close()
})

test('ST2 what was read to share, and changed since, is not what others read', async () => {
  const { store } = await owning()
  await store.append([stepping('run-1', 0, 20)])
  const written = entriesOf('run-1', 1, 20)
  for (const [from, limit] of [
    [1, 5],
    [6, 5],
    [3, 30],
  ] as const) {
    spoil(await store.read('run-1', { from, limit, mayShare: true }))
    const behind = from + limit
    expect(await store.read('run-1', { from: behind, limit: 99 }), `${from}, ${limit}`).toEqual(written.slice(behind - 1))
    spoil(await store.read('run-1', { from, limit, mayShare: true }))
    expect(await allOf(store, 'run-1'), `${from}, ${limit}`).toEqual(written)
  }
})

test('EV7 two runs that are read in turn, page by page, are read hardly more than once', async () => {
  const model = new ModelDisk()
  const written = await owning({ segmentBytes: 10_000_000 }, model)
  const [count, limit] = [12_000, 70]
  for (let after = 0; after < count; after += 150)
    await written.store.append([stepping('run-1', after, 150), stepping('run-2', after, 150)])
  const row = { status: 'completed' } as const
  await written.store.append(['run-1', 'run-2'].map((run) => ({ ...stepping(run, count, 1), row: rowOf(run, row) })))
  await written.store.close()
  // Of runs that have ended the index keeps one place for each segment.
  const { bytes, readOf } = await owning({ segmentBytes: 10_000_000 }, model)
  const all: Record<string, number[]> = { 'run-1': [], 'run-2': [] }
  let total = 0
  for (let from = 1; from <= count; from += limit) {
    for (const run of ['run-1', 'run-2']) {
      const { entries, reads } = await readOf(run, { from, limit })
      all[run]!.push(...seqsOf(entries))
      for (const one of reads) total += Math.min(one.to, bytes().length) - one.from
    }
  }
  expect(Object.values(all).map((seqs) => seqs.slice(0, count))).toEqual([upTo(1, count), upTo(1, count)])
  const pages = (2 * count) / limit
  // A page costs the least that is read at once, and more where its lines lie apart.
  expect(total / pages / (24 * 1024)).toBeLessThan(3)
})

test('ST2 what is read while another one is given the same line to change is as it was written', async () => {
  let held = Promise.resolve()
  let release = () => undefined as void
  const model = new ModelDisk()
  const disk: Disk = {
    ...model,
    read: async (...asked) => {
      await held
      return model.read(...asked)
    },
  }
  const store = modelStore(disk, { lineChars: usualChars, ...large })
  await store.open({ instance: 'owner' })
  await store.append([stepping('run-1', 0, 200)])
  await store.append([stepping('run-1', 200, 300)])
  const written = entriesOf('run-1', 1, 500)
  await store.read('run-1', { from: 1, limit: 3 })
  held = new Promise((resolve) => (release = resolve))
  const reading = store.read('run-1', { from: 2, limit: 499 })
  spoil(await store.read('run-1', { from: 5, limit: 3, mayShare: true }))
  release()
  expect(await reading).toEqual(written.slice(1))
})

test('EV7 readers of the same run, each page by page, read it hardly more than once each', async () => {
  const model = new ModelDisk()
  const written = await owning({ segmentBytes: 10_000_000 }, model)
  const [count, limit] = [12_000, 100]
  for (let after = 0; after < count; after += 150) await written.store.append([stepping('run-1', after, 150)])
  await written.store.append([{ ...stepping('run-1', count, 1), row: rowOf('run-1', { status: 'completed' }) }])
  await written.store.close()
  const { readOf } = await owning({ segmentBytes: 10_000_000 }, model)
  let total = 0
  for (let from = 1; from <= count; from += limit) {
    // One is as far as the other, and a third is half the run behind.
    for (const first of [from, from, ((from + count / 2 - 1) % count) + 1]) {
      const { entries, reads } = await readOf('run-1', { from: first, limit })
      expect(seqsOf(entries)[0]).toBe(first)
      for (const one of reads) total += one.to - one.from
    }
  }
  expect(total / ((3 * count) / limit) / (24 * 1024)).toBeLessThan(3)
})
