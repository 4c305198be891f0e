import { expect, test } from 'vitest'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { decodeLine, encodeClosed } from '../../../../src/store/json/segment-line.ts'
import { createVirtualClock } from '../../../../src/testing/virtual-clock.ts'
import type { DiskCall, DiskFault } from '../../../support/disk-model/model-disk.ts'
import { HandwrittenJournal, journal, tombstone } from './handwritten-journal.ts'
import { journalParts } from './journal-parts.ts'
import { afterCrash, batch } from './store-folder.ts'

const [a1, a2, b1, c1] = ['00000001.0001', '00000001.0002', '00000002.0001', '00000003.0001'] as const
const others = (isAlive: boolean | undefined) => ({ self: afterCrash().self, isAlive: () => isAlive })

/** A clock on which each wait takes as long as it should, and at once; and what was waited for. */
function waitingClock(onSleep: (times: number) => unknown = () => undefined) {
  const sleeps: number[] = []
  let at = 5_000
  const sleep = async (ms: number) => {
    sleeps.push(ms)
    at += ms
    await onSleep(sleeps.length)
  }
  return { clock: { ...createVirtualClock(), monotonic: () => at, sleep }, sleeps }
}

/** A journal whose owner crashed after two writes. */
async function crashed(fault?: (call: DiskCall) => DiskFault | undefined) {
  const written = new HandwrittenJournal(fault)
  const end = await written.segment(a1, { batches: [batch('run-1', 0, 2), batch('run-1', 2)] })
  return { written, end }
}

/** What the second line of a segment says. */
function recordOf(written: HandwrittenJournal, segment: string) {
  const line = written.bytes(segment)?.toString().split('\n')[1]
  return decodeLine(Buffer.from(line ?? ''))
}

test('ST6 whoever waits for an owner looks again every 100 ms, and is refused with its name when the time is over', async () => {
  const { written } = await crashed()
  const { clock, sleeps } = waitingClock()
  const { open } = journalParts(written.disk, { clock, host: others(true) })
  const refused = { code: 'store_owned', details: { owner: { instance: 'before', epoch: 1 } } }
  await expect(open({ instance: 'next', waitMs: 250 })).rejects.toMatchObject(refused)
  expect(sleeps.splice(0)).toEqual([100, 100, 50])
  await expect(open({ instance: 'next' })).rejects.toMatchObject(refused)
  expect(sleeps).toEqual([])
  expect(written.segments()).toEqual([a1])
})

test('ST6 whoever waits goes on as soon as the owner is found to have closed', async () => {
  const { written, end } = await crashed()
  const { clock, sleeps } = waitingClock(async (times) => {
    if (times === 2) await written.put(a1, Buffer.concat([written.bytes(a1) ?? Buffer.alloc(0), closed]))
  })
  const closed = Buffer.from(encodeClosed(1, end.end))
  const { open } = journalParts(written.disk, { clock, host: others(true) })
  const { header, warnings } = await open({ instance: 'next', waitMs: 10_000 })
  expect([header.epoch, sleeps.length, warnings]).toEqual([2, 2, []])
})

test('ST6 whoever gives up waiting is let go at once, with the reason', async () => {
  const { written } = await crashed()
  const reason = new Error('no longer')
  const stop = new AbortController()
  let sleeps = 0
  const sleep = (_ms: number, { signal }: { readonly signal?: AbortSignal } = {}) => {
    sleeps += 1
    queueMicrotask(() => stop.abort(reason))
    return new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
  }
  const { open } = journalParts(written.disk, { clock: { ...createVirtualClock(), sleep }, host: others(true) })
  const options = { instance: 'next', waitMs: 10_000, signal: stop.signal }
  await expect(open(options)).rejects.toBe(reason)
  await expect(open(options)).rejects.toBe(reason)
  expect(sleeps).toBe(1)
})

test('ST6 LE10 whoever comes second to the name of an epoch looks at who was first', async () => {
  for (const isAlive of [true, false]) {
    const written = new HandwrittenJournal()
    const link: Disk['link'] = async (from, to) => {
      if (to.includes(a1)) await written.segment(a1)
      await written.disk.link(from, to)
    }
    const { open } = journalParts({ ...written.disk, link }, { host: others(isAlive) })
    const opening = open({ instance: 'second' })
    if (isAlive) await expect(opening).rejects.toMatchObject({ code: 'store_owned', details: { owner: { instance: 'before' } } })
    else expect((await opening).header).toMatchObject({ epoch: 2, store: 'store-1' })
    expect(written.segments()).toEqual(isAlive ? [a1] : [b1])
  }
})

test('ST6 a store keeps the id that it was given when it was opened first', async () => {
  const written = new HandwrittenJournal()
  const first = await journalParts(written.disk).open()
  expect(first.header).toMatchObject({ store: 'store-new', epoch: 1, segment: 1, owner: { instance: 'owner' } })
  const { opened, header } = await journalParts(written.disk, { newStoreId: () => 'another' }).open()
  expect(header).toMatchObject({ store: 'store-new', epoch: 2 })
  expect(opened).toMatchObject({ segment: b1, end: written.bytes(b1)?.length })
})

test('ST5 ST6 an opening that fails takes its claim back, so that nobody waits for it', async () => {
  let isFailing = false
  const { written, end } = await crashed((call) =>
    isFailing && call.operation === 'sync' && call.path.endsWith(`${b1}.jsonl`) ? { code: 'EIO' } : undefined,
  )
  const parts = journalParts(written.disk, { host: others(false) })
  isFailing = true
  await expect(parts.open()).rejects.toMatchObject({ code: 'EIO' })
  expect(written.segments()).toEqual([a1])
  expect(written.disk.handles).toBe(0)
  isFailing = false
  const next = journalParts(written.disk, { host: others(false) })
  expect((await next.open()).header.epoch).toBe(2)
  expect(recordOf(written, b1)).toMatchObject({ previous: [end] })
  expect(next.reader.heads.seq('run-1')).toBe(3)
})

test('ST6 a claim that could not be taken back is one that this process does not wait for; those of others are', async () => {
  let isFailing = false
  const written = new HandwrittenJournal((call) =>
    isFailing && call.path.endsWith(`${a1}.jsonl`) && ['open', 'remove'].includes(call.operation) ? { code: 'EIO' } : undefined,
  )
  const { open, writerOf } = journalParts(written.disk, { host: others(true) })
  isFailing = true
  await expect(open()).rejects.toMatchObject({ code: 'EIO' })
  expect(written.segments()).toEqual([a1])
  isFailing = false
  await expect(journalParts(written.disk, { host: others(true) }).open()).rejects.toMatchObject({ code: 'store_owned' })
  const opened = await open()
  expect(opened.header.epoch).toBe(2)
  await writerOf(opened).close()
  await journalParts(written.disk, { host: others(true) }).open()
  await expect(open()).rejects.toMatchObject({ code: 'store_owned', details: { owner: { epoch: 3 } } })
})

test('ST6 LE10 whoever finds a newer epoch when its record is written gives up, and leaves its name to those before it', async () => {
  const { written } = await crashed()
  const open: Disk['open'] = async (path, options) => {
    if (path.endsWith(`${b1}.jsonl`)) await written.put(c1, '')
    return written.disk.open(path, options)
  }
  const parts = journalParts({ ...written.disk, open })
  await expect(parts.open()).rejects.toMatchObject({ code: 'store_conflict' })
  expect(written.segments()).toEqual([a1, b1, c1])
  expect(written.disk.handles).toBe(0)
  expect(parts.reader.position?.segment).toBe(a1)
})

test('ST1 ST6 what nothing shows to be stored is written once more before its end is recorded', async () => {
  const { written, end } = await crashed()
  const whole = Buffer.from(written.bytes(a1) ?? '')
  const last = whole.lastIndexOf('{"run"')
  await journalParts(written.disk).open()
  expect(written.asked('rewrite')).toBe(1)
  expect(written.disk.steps.find(({ kind }) => kind === 'write' || kind === 'create')).toBeDefined()
  const file = written.disk.tree.names.get(`${journal}/${a1}.jsonl`)
  const writes = written.disk.steps.filter((step) => step.kind === 'write' && step.file === file)
  expect(writes).toMatchObject([{ at: last, bytes: whole.subarray(last) }])
  // The index stands for nothing that was not synced.
  const read = journalParts(written.disk).reader
  const other = await crashed()
  await read.measure()
  const index = {
    load: async () => ({ heads: read.heads, position: { segment: a1, byte: end.end } }),
    shard: async () => undefined,
  }
  const { reader } = journalParts(other.written.disk, { index })
  expect(await reader.measure()).toMatchObject({ ends: [end], synced: { segment: a1, byte: end.end } })
  await journalParts(other.written.disk, { index }).open()
  expect(other.written.asked('rewrite')).toBe(0)
})

test('ST4 a torn tail is kept aside before it is cut off, once, and its file is closed', async () => {
  let isFailing = false
  const { written, end } = await crashed((call) => (isFailing && call.operation === 'truncate' ? { code: 'EIO' } : undefined))
  const whole = Buffer.from(written.bytes(a1) ?? '')
  await written.put(a1, Buffer.concat([whole, Buffer.from('{"run":"run-1","se')]))
  isFailing = true
  await expect(journalParts(written.disk).open()).rejects.toMatchObject({ code: 'EIO' })
  const aside = () => written.disk.tree.bytes(`${journal}/${a1}.jsonl.torn-${end.end}`)?.toString()
  expect(aside()).toBe('{"run":"run-1","se')
  expect(written.disk.handles).toBe(0)
  isFailing = false
  const { warnings, opened } = await journalParts(written.disk).open()
  expect(warnings).toEqual([expect.stringContaining(`${a1}.jsonl at byte ${end.end}`)])
  expect(aside()).toBe('{"run":"run-1","se')
  expect(written.bytes(a1)).toEqual(whole)
  await opened.file.close()
  expect(written.disk.handles).toBe(0)
})

test('ST4 room that a crashed owner set aside is taken back, and a segment without any is not touched', async () => {
  let isFailing = false
  const { written, end } = await crashed((call) => (isFailing && call.operation === 'truncate' ? { code: 'EIO' } : undefined))
  const whole = Buffer.from(written.bytes(a1) ?? '')
  await written.put(a1, Buffer.concat([whole, Buffer.alloc(5_000)]))
  isFailing = true
  await expect(journalParts(written.disk).open()).rejects.toMatchObject({ code: 'EIO' })
  expect(written.disk.handles).toBe(0)
  isFailing = false
  const { opened, warnings } = await journalParts(written.disk).open()
  expect([warnings, written.bytes(a1)?.length]).toEqual([[], end.end])
  await opened.file.close()
  expect(written.disk.handles).toBe(0)
  expect(written.asked('truncate')).toBe(2)
  const next = await journalParts(written.disk).open()
  await next.opened.file.close()
  expect(written.asked('truncate')).toBe(2)
})

test('ST7 an opening records the segments that nothing needs, lists the others, and removes the files', async () => {
  const written = new HandwrittenJournal()
  const first = await written.segment(a1, { batches: [batch('gone', 0), tombstone('gone', 2)] })
  const second = await written.segment(a2, { previous: [first], batches: [batch('kept', 0)] })
  const { open, reader } = journalParts(written.disk)
  const { opened, warnings } = await open()
  expect(warnings).toEqual([])
  expect(recordOf(written, b1)).toMatchObject({ previous: [second], dropped: { segments: [a1], removed: ['gone'] } })
  expect(written.segments()).toEqual([a2, b1])
  expect(reader.ends).toEqual([second])
  expect([reader.position, opened.end]).toEqual([{ segment: b1, byte: opened.end }, written.bytes(b1)?.length])
  const next = journalParts(written.disk)
  expect((await next.open()).warnings).toEqual([])
  expect([next.reader.heads.removed('gone'), next.reader.heads.seq('kept')]).toEqual([true, 1])
  // The record before may go now: what it says is in the new one. Where nothing goes, no record is made.
  expect(recordOf(written, c1)).toMatchObject({ previous: [second], dropped: { segments: [b1], removed: ['gone'] } })
  const { written: other, end } = await crashed()
  await journalParts(other.disk).open()
  expect(recordOf(other, b1)).toEqual({ kind: 'previous', previous: [end], crc: expect.any(String) as string })
})

test('ST6 what older owners left half made is removed; what a newer one is making is not', async () => {
  const { written } = await crashed()
  for (const name of [`${a1}.jsonl.x`, `${b1}.jsonl.y`, `${c1}.jsonl.z`])
    await written.disk.open(`${journal}/${name}.tmp`, { create: true }).then((file) => file.close())
  await written.disk.open(`${journal}/00000001.notes`, { create: true }).then((file) => file.close())
  await journalParts(written.disk).open()
  expect(written.disk.tree.list(journal)).toEqual([`${a1}.jsonl`, '00000001.notes', `${b1}.jsonl`, `${c1}.jsonl.z.tmp`])
})
