import { expect, test } from 'vitest'
import type { Changes, Entry } from '../../../src/engine/entry.ts'
import { afterTaskEnded, cancelHopeless, endRun, firstStep, unblock } from '../../../src/engine/task-ended.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun } from '../../support/decided-run.ts'

const after = (...ids: string[]) => ({ depends_on: ids })
const shown = (entries: readonly Entry[]) =>
  entries.map(({ kind, task, set, run }) => `${task ?? kind} ${set?.status ?? run?.status}`)
const ended = (bench: DecidedRun, id: string, set: Changes) => {
  bench.set(id, set)
  return bench.decide((context, run) => afterTaskEnded(context, run, bench.task(id)))
}

test('SC5 a task that completed frees what waited for it alone, and says that it is queued', () => {
  const bench = decidedRun({ a: {}, b: {}, alone: after('a'), both: after('a', 'b') })
  const entries = ended(bench, 'a', { status: 'completed' })
  expect(shown(entries)).toEqual(['alone enqueued'])
  expect(entries[0]).toMatchObject({
    ...{ kind: 'task.stepped', worker: 'fleet', workerSeq: 1, events: [{ state: 'queued' }] },
    set: { enqueuedAt: bench.clock.now() },
  })
  expect(shown(ended(bench, 'b', { status: 'completed' }))).toEqual(['both enqueued'])
})

test('SC5 what still runs, or waits for a verdict, frees nothing', () => {
  const bench = decidedRun({ a: { scorer: { kind: 'manual' } }, b: after('a') })
  bench.lease('a')
  expect(bench.decide((context, run) => afterTaskEnded(context, run, bench.task('a')))).toEqual([])
  bench.decide(function* (_, run) {
    yield { on: run.header.id, kind: 'task.stepped', task: 'a', receipt: { result: 'partial' } as never }
  })
  expect(ended(bench, 'a', { status: 'completed' })).toEqual([])
})

test('SC5 a task that ended badly cancels what waits for it, and what waits for that; each names the one it waited for', () => {
  for (const status of ['failed', 'cancelled'] as const) {
    const bench = decidedRun({ a: {}, b: after('a'), c: after('b'), ran: after('a'), other: {} })
    bench.set('ran', { status: 'completed' })
    const entries = ended(bench, 'a', { status })
    expect(shown(entries)).toEqual(['b cancelled', 'c cancelled'])
    expect(entries.map(({ set }) => set?.cause)).toEqual(['a', 'b'])
    expect(entries[0]).toMatchObject({ events: [{ cancelled_by: 'fleet' }], receipt: { result: 'skip' } })
    expect(entries[0]?.receipt?.evidence).toContain(status === 'failed' ? 'a failed' : 'a was cancelled')
  }
})

test('VE5 a dependant that was freed and waits for a worker is cancelled too, one that works is not', () => {
  const bench = decidedRun({ a: {}, queued: after('a'), later: after('a'), works: after('a') })
  bench.set('queued', { status: 'enqueued' })
  bench.set('later', { status: 'backoff' })
  bench.set('works', { status: 'enqueued' })
  bench.lease('works')
  expect(shown(ended(bench, 'a', { status: 'failed' }))).toEqual(['queued cancelled', 'later cancelled'])
})

test('SC5 a task that came to wait for what had ended badly is cancelled, with what waits for it', () => {
  for (const status of ['failed', 'cancelled'] as const) {
    const bench = decidedRun({ fine: {}, a: {}, b: after('fine', 'a'), c: after('b'), other: {} })
    bench.set('a', { status })
    const entries = bench.decide((context, run) => cancelHopeless(context, run, bench.task('b')))
    expect(shown(entries)).toEqual(['b cancelled', 'c cancelled'])
    expect(entries[0]).toMatchObject({ set: { cause: 'a' }, events: [{ cancelled_by: 'fleet' }] })
    expect(entries[0]?.receipt?.evidence).toContain(`a had ended ${status}`)
  }
  const waits = decidedRun({ a: {}, b: after('a'), free: {} })
  for (const id of ['b', 'free']) expect(waits.decide((context, run) => cancelHopeless(context, run, waits.task(id)))).toEqual([])
  // One that is at work goes on.
  waits.set('a', { status: 'failed' })
  waits.set('b', { status: 'enqueued' })
  waits.lease('b')
  expect(waits.decide((context, run) => cancelHopeless(context, run, waits.task('b')))).toEqual([])
})

test('RU8 SC5 a dependency that has not been added yet is waited for', () => {
  const bench = decidedRun({ a: after('later') }, { header: { open: true } })
  expect(bench.task('a')).toMatchObject({ status: 'blocked', openDependencies: 1 })
  expect(bench.decide((context, run) => cancelHopeless(context, run, bench.task('a')))).toEqual([])
})

test('SC2 LE5 a task that is freed before its moment waits for it; one whose moment has passed is queued', () => {
  const freed = (spec: Record<string, unknown>, set: Changes = {}) => {
    const bench = decidedRun({ a: {}, b: { ...after('a'), ...spec } })
    bench.set('b', set)
    const now = bench.clock.now()
    const [entry] = bench.decide((context, run) => unblock(context, run, bench.task('b')))
    const { status, notBefore, notBeforeMs } = bench.task('b')
    return [status, notBefore === null ? null : notBefore - now, notBeforeMs, (entry?.events ?? []).map(({ state }) => state)]
  }
  const now = decidedRun({}).clock.now()
  const moment = (ms: number) => ({ notBefore: now + ms, notBeforeMs: 3_000 })
  const at = (ms: number) => ({ not_before: new Date(now + ms).toISOString() })
  expect(freed({})).toEqual(['enqueued', null, null, ['queued']])
  expect(freed(at(4_000))).toEqual(['backoff', 4_000, 4_000, []])
  expect(freed(at(-4_000))).toEqual(['enqueued', null, null, ['queued']])
  // What an open dependency broke off goes on, and is no longer than it was.
  expect(freed({}, moment(2_000))).toEqual(['backoff', 2_000, 2_000, []])
  expect(freed({}, moment(9_000))).toEqual(['backoff', 3_000, 3_000, []])
  expect(freed(at(4_000), moment(2_000))).toEqual(['backoff', 4_000, 4_000, []])
  expect(freed({}, moment(-1))).toEqual(['enqueued', null, null, ['queued']])
})

test('SC2 SC5 a new task is queued at once, waits for its moment, or waits for its dependencies', () => {
  const now = 5_000
  const first = (more: object) => firstStep(FleetTaskSpec.parse({ id: 'a', name: 'a', instructions: 'i', ...more }), now)
  const at = (ms: number) => ({ not_before: new Date(now + ms).toISOString() })
  expect(first({})).toStrictEqual({ status: 'enqueued' })
  expect(first(at(0))).toStrictEqual({ status: 'enqueued' })
  expect(first(at(700))).toStrictEqual({ status: 'backoff', notBefore: now + 700, notBeforeMs: 700 })
  expect(first({ ...after('b'), ...at(700) })).toStrictEqual({})
})

test('RU3 a run ends when none of its tasks is open: failed before cancelled, cancelled before completed', () => {
  const end = (...statuses: ('completed' | 'failed' | 'cancelled' | 'enqueued')[]) => {
    const bench = decidedRun(Object.fromEntries(statuses.map((_, index) => [`t${index}`, {}])))
    statuses.forEach((status, index) => bench.set(`t${index}`, { status }))
    return bench.decide((context, run) => endRun(context, run)).map(({ kind, run, raised }) => [kind, run?.status, raised])
  }
  expect(end('completed', 'completed')).toEqual([['run.stepped', 'completed', ['run_completed']]])
  expect(end('completed', 'cancelled')).toEqual([['run.stepped', 'cancelled', undefined]])
  expect(end('cancelled', 'failed', 'completed')).toEqual([['run.stepped', 'failed', undefined]])
  expect(end('failed', 'enqueued')).toEqual([])
})

test('RU3 RU6 a run that takes tasks yet does not end, and none ends twice', () => {
  const open = decidedRun({ a: {} }, { header: { open: true } })
  expect(ended(open, 'a', { status: 'completed' })).toEqual([])
  const closed = decidedRun({ a: {} })
  const [entry] = ended(closed, 'a', { status: 'completed' })
  expect(entry?.run).toMatchObject({ completedAt: closed.clock.now(), updatedAt: closed.clock.now() })
  expect(ended(closed, 'a', { status: 'completed' })).toEqual([])
})
