import { expect, test } from 'vitest'
import type { TaskStatus } from '../../../src/lifecycles/lease.ts'
import { leaseLifecycle } from '../../../src/lifecycles/lease.ts'
import {
  awaitsVerdict,
  cleared,
  isEndedRun,
  isEndedTask,
  isLeased,
  isWaiting,
  isWorking,
  lastSeqOf,
  openTasks,
  satisfies,
} from '../../../src/engine/state.ts'
import type { TaskState } from '../../../src/engine/state.ts'
import { decidedRun } from '../../support/decided-run.ts'

const manual = { scorer: { kind: 'manual' } }
const taskOf = (more: Partial<TaskState>, spec: Record<string, unknown> = {}): TaskState => ({
  ...decidedRun({ a: spec }).task('a'),
  ...more,
})

test('SC5 VE4 VE5 a task satisfies what waits for it when it completed and no person is asked any more', () => {
  const partial = { status: 'completed', result: 'partial' } as const
  const seen = (task: TaskState) => [satisfies(task), awaitsVerdict(task)]
  expect(seen(taskOf({ status: 'completed', result: 'pass' }, manual))).toEqual([true, false])
  expect(seen(taskOf(partial))).toEqual([true, false])
  expect(seen(taskOf(partial, manual))).toEqual([false, true])
  expect(seen(taskOf({ ...partial, settled: true }, manual))).toEqual([true, false])
  expect(seen(taskOf({ ...partial, undecided: true }))).toEqual([false, true])
  expect(seen(taskOf({ ...partial, undecided: true, settled: true }))).toEqual([true, false])
  // Of a task that is tried again, or that failed, the partial result of before says nothing.
  for (const status of ['enqueued', 'running', 'failed'] as const)
    expect(seen(taskOf({ status, result: 'partial', undecided: true }))).toEqual([false, false])
})

test('CO4 of the fields that end with an attempt only those that are set are named', () => {
  expect(cleared(taskOf({ timeoutAt: 5, cause: 'x' }), 'timeoutAt', 'timeoutMs', 'cause')).toEqual({
    timeoutAt: null,
    cause: null,
  })
  expect(cleared(taskOf({}), 'timeoutAt')).toEqual({})
})

test('EV1 the last sequence is that of the reporter: of the fleet without one, or by its name, and 0 for one that said nothing', () => {
  const task = taskOf({ fleetSeq: 3, workerSeqs: [['w1', 7]] })
  expect([null, 'fleet', 'w1', 'w2'].map((worker) => lastSeqOf(task, worker))).toEqual([3, 3, 7, 0])
  expect(lastSeqOf(taskOf({ workerSeqs: [] }), 'w1')).toBe(0)
})

test('RU3 the open tasks of a run are those that have not ended', () => {
  const bench = decidedRun({ a: {}, b: {}, c: {}, d: {}, e: {} })
  expect(openTasks(bench.run)).toBe(5)
  const ends = { a: 'completed', b: 'failed', c: 'cancelled' } as const
  Object.entries(ends).forEach(([id, status]) => bench.set(id, { status }))
  expect(openTasks(bench.run)).toBe(2)
})

test('RU3 LE1 a task waits, holds a lease, works or has ended by its status alone, and a run has ended by its', () => {
  const those = (is: (status: TaskStatus) => boolean) => leaseLifecycle.values.filter(is).toSorted()
  expect(those(isWaiting)).toEqual(['backoff', 'blocked', 'enqueued'])
  expect(those(isLeased)).toEqual(['running', 'starting', 'verifying'])
  expect(those(isWorking)).toEqual(['running', 'starting'])
  expect(those(isEndedTask)).toEqual(['cancelled', 'completed', 'failed'])
  const runs = ['pending', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const
  expect(runs.filter(isEndedRun)).toEqual(['completed', 'failed', 'cancelled'])
})

test('SC2 RU6 a new run is pending and takes no tasks unless it is open; a new task has its priority and its place', () => {
  const closed = decidedRun({ a: { metadata: { priority: 4 } }, b: {} })
  expect([closed.task('a').priority, closed.task('b').priority, closed.task('b').index]).toEqual([4, 0, 1])
  expect(closed.run).toMatchObject({ sealed: true, spend: null, lastAt: closed.clock.now(), carried: true })
  expect(decidedRun({}, { header: { open: true } }).run.sealed).toBe(false)
})
