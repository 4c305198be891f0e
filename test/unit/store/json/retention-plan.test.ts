import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { HandwrittenJournal, tombstone } from './handwritten-journal.ts'
import { journalParts } from './journal-parts.ts'
import { batch } from './store-folder.ts'

const [a1, a2, a3, a4] = ['00000001.0001', '00000001.0002', '00000001.0003', '00000001.0004'] as const
const fleetAt = (seq: number) => ({ seq, records: [{ key: 'worker:a', seq, value: { id: 'a' } }] })
/** A record of segments that went before, which carries the reserved stream on. */
const earlier = { segments: ['00000000.0009'], removed: [], base: { run: 'fleet', seq: 4, hash: 'f4', snapshot: fleetAt(4) } }

test('ST7 segments that nothing needs are recorded with the runs whose tombstones go, once they hold enough together', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('gone', 0, 3)] })
  const second = await written.segment(a2, { previous: [first], batches: [tombstone('gone', 4)] })
  const third = await written.segment(a3, { previous: [second], batches: [batch('kept', 0)] })
  const { reader, retention } = journalParts(written.disk)
  const { ends } = await reader.measure()
  expect(ends).toEqual([first, second, third])
  const enough = first.end + second.end
  expect(await retention.plan(ends, enough)).toEqual({ segments: [a1, a2], removed: ['gone'] })
  written.disk.calls.length = 0
  expect(await retention.plan(ends, enough + 1)).toBeUndefined()
  // Every removal asks.
  expect(written.asked('read')).toBe(0)
  expect(await retention.plan([third], 0)).toBeUndefined()
})

test('ST7 what the reserved stream said goes when its snapshot covers it, and its state is carried on', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('fleet', 0, 2), batch('gone', 0)] })
  const second = await written.segment(a2, { previous: [first], batches: [tombstone('gone', 2)] })
  const third = await written.segment(a3, { previous: [second], batches: [batch('fleet', 2)] })
  const ends = [first, second, third]
  const planned = async (snapshotAt: number | undefined, from = ends, least = 0) => {
    let asked = 0
    const streamSnapshot = async () => ((asked += 1), snapshotAt === undefined ? undefined : fleetAt(snapshotAt))
    const { reader, retention } = journalParts(written.disk, { streamSnapshot })
    await reader.measure()
    return { record: await retention.plan(from, least), asked }
  }
  const gone = { removed: ['gone'] }
  const base = (seq: number, snapshotAt: number) => ({
    base: { run: 'fleet', seq, hash: written.hash('fleet', seq), snapshot: fleetAt(snapshotAt) },
  })
  expect(await planned(2)).toEqual({ record: { segments: [a1, a2], ...gone, ...base(2, 2) }, asked: 1 })
  expect(await planned(3)).toEqual({ record: { segments: [a1, a2, a3], ...gone, ...base(3, 3) }, asked: 1 })
  expect(await planned(1)).toEqual({ record: { segments: [a2], ...gone }, asked: 1 })
  expect(await planned(undefined)).toEqual({ record: { segments: [a2], ...gone }, asked: 1 })
  // Where the stream has no lines nobody asks for its snapshot.
  expect(await planned(undefined, [second])).toEqual({ record: { segments: [a2], ...gone }, asked: 0 })
  // What may go counts, not what might.
  expect((await planned(undefined, ends, second.end)).record).toEqual({ segments: [a2], ...gone })
  expect((await planned(undefined, ends, second.end + 1)).record).toBeUndefined()
  expect((await planned(undefined, [first], 0)).record).toBeUndefined()
  expect((await planned(undefined, [first], 1)).record).toBeUndefined()
})

test('ST7 an opening carries the state of the reserved stream on though no segment goes; later that is not worth a record', async () => {
  const written = new HandwrittenJournal()
  await written.segment(a1, { dropped: earlier, batches: [batch('kept', 0)] })
  const { reader, retention } = journalParts(written.disk)
  const { ends } = await reader.measure()
  expect(await retention.plan(ends, 0)).toEqual({ segments: [], removed: [], base: earlier.base })
  expect(await retention.plan(ends, 1)).toBeUndefined()
  // Lines of the stream that no snapshot covers hold their segment, however much it is.
  const other = new HandwrittenJournal()
  const held = await other.segment(a1, { dropped: earlier, batches: [batch('fleet', 4)] })
  const parts = journalParts(other.disk)
  await parts.reader.measure()
  expect(parts.reader.heads.damages).toEqual([])
  expect(await parts.retention.plan([held], held.end)).toBeUndefined()
})

test('ST4 ST7 a segment whose tombstones cannot be read stays, and so does the stream without the hash of its last line', async () => {
  const spoilt = (bytes: Buffer, text: string, by: number) =>
    bytes.fill('#', bytes.indexOf(text) + by, bytes.indexOf(text) + by + 1)
  const cut = (bytes: Buffer, text: string) => bytes.subarray(0, bytes.indexOf(text) + 12)
  for (const spoil of [(bytes: Buffer) => spoilt(bytes, '"prev":', 10), (bytes: Buffer) => cut(bytes, '"removed":')]) {
    const written = new HandwrittenJournal()
    const first = await written.segment(a1, { batches: [batch('gone', 0), batch('late', 0), tombstone('late', 2)] })
    await written.segment(a2, { previous: [first], batches: [tombstone('gone', 2)] })
    const { reader, retention } = journalParts(written.disk)
    const { ends } = await reader.measure()
    expect(await retention.plan(ends, 0)).toEqual({ segments: [a1, a2], removed: ['late', 'gone'] })
    await written.put(a2, spoil(Buffer.from(written.bytes(a2) ?? '')))
    expect(await retention.plan(ends, 0)).toEqual({ segments: [a1], removed: ['late'] })
  }
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('fleet', 0, 2)] })
  await written.segment(a2, { previous: [first], batches: [batch('fleet', 2)] })
  const { reader, retention } = journalParts(written.disk, { streamSnapshot: async () => fleetAt(3) })
  await reader.measure()
  expect(await retention.plan([first], 0)).toMatchObject({ segments: [a1], base: { seq: 2 } })
  await written.put(a1, spoilt(Buffer.from(written.bytes(a1) ?? ''), '"seq":2', 20))
  expect(await retention.plan([first], 0)).toBeUndefined()
})

test('RU8 ST7 only tombstones, and records of them, name removed runs, whatever entries say', async () => {
  const written = new HandwrittenJournal()
  const dropped = { segments: ['00000000.0001'], removed: ['old', 'older'] }
  const sly = {
    run: 'sly',
    after: 0,
    entries: [
      { seq: 1, removed: 'nothing' },
      { seq: 2, text: '"removed":1' },
    ],
  }
  const first = await written.segment(a1, { dropped, batches: [sly, batch('gone', 0), tombstone('gone', 2)] })
  const second = await written.segment(a2, { previous: [first], batches: [tombstone('sly', 3)] })
  const third = await written.segment(a3, { previous: [second] })
  const { reader, retention } = journalParts(written.disk)
  const { ends } = await reader.measure()
  expect(await retention.plan([first], 0)).toEqual({ segments: [a1], removed: ['old', 'older', 'gone'] })
  expect(await retention.plan(ends, 0)).toEqual({ segments: [a1, a2, a3], removed: ['old', 'older', 'gone', 'sly'] })
  written.disk.calls.length = 0
  // Where no tombstone is, none is looked for.
  expect(await retention.plan([third], 0)).toEqual({ segments: [a3], removed: [] })
  expect(written.asked('read', a3)).toBe(0)
})

test('ST7 more than 500 tombstones are carried on only from a segment that holds twice as much as they take', async () => {
  const recordedIn = async (removed: number, end: number) => {
    const written = new HandwrittenJournal()
    const dropped = { segments: [], removed: Array.from({ length: removed }, (_, index) => `r${index}`) }
    const { end: own } = await written.segment(a1, { dropped })
    expect(own).toBeLessThan(end)
    const { reader, retention } = journalParts(written.disk)
    await reader.measure()
    return (await retention.plan([{ segment: a1, end }], 0))?.removed.length
  }
  expect(await recordedIn(500, 6_000)).toBe(500)
  expect(await recordedIn(501, 6_000)).toBeUndefined()
  expect(await recordedIn(501, 501 * 80 - 1)).toBeUndefined()
  expect(await recordedIn(501, 501 * 80)).toBe(501)
})

test('ST4 ST7 what lies before a damage goes; the damaged segment and those behind it stay', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('one', 0), tombstone('one', 2)] })
  const second = await written.segment(a2, { previous: [first], batches: [batch('two', 0)] })
  const third = await written.segment(a3, { previous: [second], batches: [tombstone('two', 2)] })
  const fourth = await written.segment(a4, { previous: [third] })
  const plan = async () => {
    const { reader, retention } = journalParts(written.disk)
    await reader.measure()
    return (await retention.plan([first, second, third, fourth], 0))?.segments
  }
  expect(await plan()).toEqual([a1, a2, a3, a4])
  // Whose line that was cannot be told any more.
  const bytes = Buffer.from(written.bytes(a2) ?? '')
  await written.put(a2, bytes.fill('#', bytes.indexOf('"run"'), bytes.indexOf('"prev"')))
  expect(await plan()).toEqual([a1])
})

test('ST7 a segment that is missing without a record gets one only from whoever gives up what was in it', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1)
  const second = await written.segment(a2, { previous: [first] })
  await written.segment(a3, { previous: [second] })
  await written.disk.remove(`/journal/${a1}.jsonl`)
  const plan = async (givesUpMissing: boolean) => {
    const { reader, retention } = journalParts(written.disk, { givesUpMissing })
    const { ends } = await reader.measure()
    expect(ends.slice(0, 2)).toEqual([first, second])
    return (await retention.plan(ends.slice(0, 2), 0))?.segments
  }
  expect(await plan(false)).toEqual([a2])
  expect(await plan(true)).toEqual([a1])
})

test('ST7 whoever reads many tombstones lets others run now and then', async () => {
  const written = new HandwrittenJournal()
  const runs = Array.from({ length: 2_000 }, (_, index) => `run-${index}`)
  const first = await written.segment(a1, { batches: runs.flatMap((run) => [batch(run, 0), tombstone(run, 2)]) })
  let turns = 0
  const { reader, retention } = journalParts({ ...written.disk, turn: () => ((turns += 1), setImmediate()) })
  await reader.measure()
  turns = 0
  expect((await retention.plan([first], 0))?.removed).toEqual(runs)
  expect(turns).toBeGreaterThan(0)
  expect(turns).toBeLessThan(runs.length / 100)
})
