import { expect, test } from 'vitest'
import type { Batch } from '../../../../src/ports/store.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import type { WriterParts } from '../../../../src/store/json/journal-writer.ts'
import { decodeLine } from '../../../../src/store/json/segment-line.ts'
import { createFile } from '../../../../src/store/json/whole-file.ts'
import { createVirtualClock } from '../../../../src/testing/virtual-clock.ts'
import type { DiskCall, DiskFault } from '../../../support/disk-model/model-disk.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { journal } from './handwritten-journal.ts'
import type { PartChanges } from './journal-parts.ts'
import { journalParts } from './journal-parts.ts'
import { afterCrash, batch } from './store-folder.ts'

const [first, second, newer] = ['00000001.0001.jsonl', '00000001.0002.jsonl', '00000002.0001.jsonl'] as const
const nothing = { segments: [], removed: [] }

/** A writer of a new journal, on a disk that a test may have otherwise, and that fails once `faults` says so. */
async function writing(
  changes: PartChanges & { readonly over?: (disk: ModelDisk) => Partial<Disk> } = {},
  writerParts: Partial<WriterParts> = {},
) {
  const faults: { fails?: (call: DiskCall) => DiskFault | undefined } = {}
  const disk = new ModelDisk(undefined, (call) => faults.fails?.(call))
  const parts = journalParts({ ...disk, ...changes.over?.(disk) }, changes)
  const opened = await parts.open()
  const heard = { durable: 0, fenced: 0 }
  const writer = parts.writerOf(opened, {
    onDurable: () => (heard.durable += 1),
    onFenced: () => (heard.fenced += 1),
    ...writerParts,
  })
  disk.calls.length = 0
  disk.steps.length = 0
  const asked = (name: string) => disk.calls.filter(({ path }) => path.endsWith(name)).map(({ operation }) => operation)
  return { disk, faults, writer, heard, asked, reader: parts.reader, opened, names: () => disk.tree.list(journal) }
}

/** Another process begins a newer epoch. */
const fence = (disk: ModelDisk) => createFile(disk, `${journal}/${newer}`, Buffer.alloc(0), 'other')

const recordIn = (disk: ModelDisk, name: string) =>
  decodeLine(Buffer.from(disk.tree.bytes(`${journal}/${name}`)?.toString().split('\n')[1] ?? ''))

test('ST6 a writer that was fenced out writes nothing more, not even its last line, and says so once', async () => {
  const { disk, writer, heard, names } = await writing()
  await writer.append([batch('run-1', 0), batch('gone', 0)])
  await writer.remove('gone')
  writer.refuseFenced()
  expect([writer.checkFence(), heard.fenced]).toEqual([false, 0])
  await fence(disk)
  expect(() => writer.refuseFenced()).toThrow(expect.objectContaining({ code: 'store_conflict' }) as Error)
  const steps = disk.steps.length
  const conflict = { code: 'store_conflict' }
  await expect(writer.append([batch('run-1', 1)])).rejects.toMatchObject(conflict)
  await expect(writer.remove('run-1')).rejects.toMatchObject(conflict)
  await expect(writer.remove('gone')).rejects.toMatchObject(conflict)
  await expect(writer.drop(nothing)).rejects.toMatchObject(conflict)
  await writer.close()
  expect([writer.checkFence(), heard.fenced]).toEqual([true, 1])
  expect(disk.steps.length).toBe(steps)
  expect(names()).toEqual([first, newer])
  expect(disk.handles).toBe(0)
})

test('ST6 a writer whose own segment is gone was fenced out long ago', async () => {
  const { disk, writer, heard } = await writing()
  await disk.remove(`${journal}/${first}`)
  await expect(writer.append([batch('run-1', 0)])).rejects.toMatchObject({ code: 'store_conflict' })
  expect(heard).toEqual({ durable: 0, fenced: 1 })
})

test('RU8 a run that is removed twice has one tombstone', async () => {
  const { disk, writer, reader, heard } = await writing()
  await writer.append([batch('run-1', 0)])
  await Promise.all([writer.remove('run-1'), writer.remove('run-1')])
  expect(reader.heads.removed('run-1')).toBe(true)
  const [steps, { durable }] = [disk.steps.length, heard]
  await writer.remove('run-1')
  expect([disk.steps.length, heard.durable]).toEqual([steps, durable])
  await expect(writer.remove('run-2')).rejects.toMatchObject({ code: 'unknown_run' })
})

test('RU2 a key belongs to the run that has it durably', async () => {
  const { writer } = await writing()
  await writer.append([batch('run-1', 0, 1, { key: 'nightly' })])
  await expect(writer.append([batch('run-2', 0, 1, { key: 'nightly' })])).rejects.toMatchObject({
    code: 'run_conflict',
    details: { run: 'run-2', holder: 'run-1' },
  })
  await writer.append([batch('run-2', 0, 1, { key: 'other' })])
})

test('ST1 an append of nothing has nothing to fail, whatever becomes of those beside it', async () => {
  const { writer, faults } = await writing()
  faults.fails = ({ operation }) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
  const outcomes = await Promise.allSettled([
    writer.append([batch('run-1', 0)]),
    writer.append([]),
    writer.append([batch('run-2', 0, 0)]),
  ])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
})

test('ST1 ST6 where it cannot be told whether a newer epoch has begun, an append may be stored or not, and is read again', async () => {
  const { writer, faults, reader, heard, names } = await writing()
  await writer.append([batch('run-1', 0)])
  faults.fails = ({ operation, path }) => (operation === 'exists' && path.endsWith(newer) ? { code: 'EIO' } : undefined)
  await expect(writer.append([batch('run-1', 1, 3)])).rejects.toMatchObject({ code: 'outcome_unknown' })
  expect([reader.heads.seq('run-1'), heard.durable]).toEqual([1, 1])
  delete faults.fails
  await expect(writer.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'store_conflict' })
  expect([reader.heads.seq('run-1'), names()]).toEqual([4, [first, second]])
  await writer.append([batch('run-1', 4)])
  expect(reader.heads.seq('run-1')).toBe(5)
})

test('ST1 where what a failed append left cannot be read, whoever writes next is told that nothing of theirs was stored', async () => {
  const { writer, faults, reader } = await writing()
  await writer.append([batch('run-1', 0), batch('gone', 0)])
  faults.fails = ({ operation }) => (operation === 'sync' || operation === 'read' ? { code: 'EIO' } : undefined)
  await expect(writer.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'outcome_unknown' })
  const [appended, removed] = await Promise.allSettled([writer.append([batch('run-1', 1)]), writer.remove('gone')])
  for (const outcome of [appended, removed]) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'not_stored' } })
  delete faults.fails
  await writer.settle()
  await writer.append([batch('run-1', reader.heads.seq('run-1'))])
  expect(reader.heads.seq('run-1')).toBe(3)
})

test('ST3 ST6 an append asks for the times of no file that it writes to, since that makes its next sync dearer', async () => {
  const { writer, disk, asked } = await writing({ roomBytes: 5_000 })
  await writer.append([batch('run-1', 0)])
  disk.calls.length = 0
  await writer.append([batch('run-1', 1)])
  expect([asked(first), asked(newer)]).toEqual([['write', 'sync', 'remains'], ['exists']])
})

test('ST5 ST6 what a failed write left is cut off, unless a newer owner may count it', async () => {
  for (const isFenced of [false, true]) {
    const { writer, faults, disk, asked } = await writing()
    await writer.append([batch('run-1', 0)])
    if (isFenced) await fence(disk)
    faults.fails = ({ operation }) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
    await expect(writer.append([batch('run-1', 1)])).rejects.toMatchObject({ code: isFenced ? 'store_conflict' : 'not_stored' })
    expect(asked(first).includes('truncate')).toBe(!isFenced)
  }
})

test('ST5 ST6 a writer that finds a newer epoch when it goes on in another segment takes nothing over', async () => {
  let begins: (() => Promise<unknown>) | undefined
  const over = (model: ModelDisk): Partial<Disk> => ({
    link: async (from, to) => {
      await begins?.()
      await model.link(from, to)
    },
  })
  const { disk, writer, faults, reader, heard } = await writing({ over })
  for (const [seq, isTaken] of [
    [1, false],
    [3, true],
  ] as const) {
    faults.fails = ({ operation, path }) => (operation === 'sync' && path.endsWith('.jsonl') ? { code: 'EIO' } : undefined)
    await expect(writer.append([batch('run-1', seq - 1)])).rejects.toMatchObject({ code: 'outcome_unknown' })
    delete faults.fails
    if (isTaken) begins = () => ((begins = undefined), fence(disk))
    const { durable } = heard
    if (isTaken) await expect(writer.settle()).rejects.toMatchObject({ code: 'store_conflict' })
    else await writer.settle()
    expect([reader.heads.seq('run-1'), heard.durable - durable]).toEqual(isTaken ? [2, 0] : [1, 1])
    if (!isTaken) await writer.append([batch('run-1', 1)])
  }
  await writer.close()
  expect(disk.handles).toBe(0)
})

test('ST7 a record of what goes begins a segment of its own, also beside appends, and takes one write', async () => {
  const { writer, disk, reader, names, asked } = await writing()
  await Promise.all([writer.append([batch('run-1', 0)]), writer.drop({ segments: ['00000000.0007'], removed: ['old'] })])
  expect(names()).toEqual([first, second])
  expect(recordIn(disk, second)).toMatchObject({ dropped: { segments: ['00000000.0007'], removed: ['old'] } })
  expect([reader.heads.seq('run-1'), reader.position?.segment]).toEqual([1, '00000001.0002'])
  await writer.drop(nothing)
  const third = '00000001.0003.jsonl'
  expect(names()).toEqual([first, second, third])
  expect(asked(third).filter((operation) => operation === 'sync' || operation === 'write')).toEqual([])
})

test('ST3 a segment is followed by the next one where a write would exceed its size, unless it is not half full', async () => {
  const self = afterCrash().self()
  const host = { self: () => self, isAlive: () => false }
  const large = { ...batch('run-1', 0), entries: [{ seq: 1, text: 'x'.repeat(9_000) }] }
  const after = async (segmentBytes: number, appended = batch('run-1', 0)) => {
    const { writer, opened, names, reader } = await writing({ host }, { segmentBytes })
    await writer.append([appended])
    return { begun: opened.opened.end, end: reader.position?.byte ?? 0, segments: names().length }
  }
  const { begun, end } = await after(1_000_000)
  expect(begun * 2).toBeGreaterThan(end)
  expect((await after(end)).segments).toBe(1)
  expect((await after(end - 1)).segments).toBe(2)
  expect((await after(begun * 2, large)).segments).toBe(1)
  expect((await after(begun * 2 - 1, large)).segments).toBe(2)
})

/** A writer, and how it synced what was appended. */
async function syncing(writerParts: Partial<WriterParts> = {}) {
  let [at, takesMs] = [1_000, 0]
  const kinds: string[] = []
  const over = (disk: ModelDisk): Partial<Disk> => ({
    open: async (path, options) => {
      const file = await disk.open(path, options)
      const took = (kind: string) => {
        at += takesMs
        kinds.push(kind)
      }
      return { ...file, sync: () => (took('beside'), file.sync()), syncNow: () => (took('here'), file.syncNow()) }
    },
  })
  const clock = { ...createVirtualClock(), monotonic: () => at }
  const { writer, reader, disk } = await writing({ clock, over }, writerParts)
  kinds.length = 0
  const appending = async (batches: readonly Batch[], takes = 0) => {
    takesMs = takes
    await Promise.all(batches.map((one) => writer.append([one])))
    return kinds.splice(0)
  }
  const linesIn = (name: string) =>
    disk.tree
      .bytes(`${journal}/${name}`)
      ?.toString()
      .match(/^\{"run"/gm)?.length
  return { appending, linesIn, next: (count: number) => batch('run-1', reader.heads.seq('run-1'), count) }
}

test('ST3 a sync is waited for on the main thread where few wait for it, and the one before was quick', async () => {
  const { appending, next } = await syncing()
  expect(await appending([next(8)])).toEqual(['here'])
  expect(await appending([next(9)])).toEqual(['beside'])
  expect(await appending([next(1)], 1)).toEqual(['here'])
  expect(await appending([next(1)], 0.5)).toEqual(['beside'])
  expect(await appending([next(1)])).toEqual(['here'])
})

test('ST3 how many wait for a sync is told by the entries, and not by the lines that hold them', async () => {
  const { appending, linesIn, next } = await syncing({ lineChars: 16 * 1024 })
  expect(await appending([next(8)])).toEqual(['here'])
  expect(await appending([next(9)])).toEqual(['beside'])
  expect(await appending([next(5), batch('run-2', 0, 3)])).toEqual(['here'])
  expect(await appending([next(5), batch('run-2', 3, 4)])).toEqual(['beside'])
  expect(await appending([next(1)])).toEqual(['here'])
  expect(linesIn(first)).toBe(7)
})

test('ST3 ST6 a writer that closes gives its room back, and only then syncs the line that frees the folder', async () => {
  for (const isFailing of [false, true]) {
    const { writer, disk, faults, asked } = await writing({ roomBytes: 5_000 })
    await writer.append([batch('run-1', 0)])
    disk.calls.length = 0
    faults.fails = ({ operation }) => (isFailing && operation === 'sync' ? { code: 'EIO' } : undefined)
    await writer.close()
    expect(asked(first)).toEqual(['remains', 'write', 'truncate', 'sync'])
    expect(disk.handles).toBe(0)
    const lines = disk.tree.bytes(`${journal}/${first}`)?.toString().split('\n')
    expect(decodeLine(Buffer.from(lines?.at(-2) ?? ''))).toMatchObject({ kind: 'closed' })
    expect(lines?.at(-1)).toBe('')
    await expect(writer.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'not_stored' })
  }
})
