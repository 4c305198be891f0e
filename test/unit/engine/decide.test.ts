import { expect, test } from 'vitest'
import { leaseStep, refuse, reported, runStep } from '../../../src/engine/decide.ts'
import { decidedRun } from '../../support/decided-run.ts'

test('CO3 a step of a lease gives the fields that it changes; what the machine does not accept is refused with what it was', () => {
  const bench = decidedRun({ a: {} })
  expect(leaseStep(bench.task('a'), { type: 'lease' }, { type: 'accept' })).toEqual({ status: 'running', attempt: 1 })
  bench.set('a', { crashes: 2 })
  bench.lease('a')
  expect(leaseStep(bench.task('a'), { type: 'fail', retry: true, delayed: false })).toEqual({
    ...{ status: 'enqueued', attempt: 1, failures: 1, crashes: 0 },
  })
  bench.set('a', { status: 'enqueued', attempt: 0 })
  expect(() => leaseStep(bench.task('a'), { type: 'lease' }, { type: 'lease' })).toThrow(
    expect.objectContaining({
      code: 'refused',
      message: expect.stringMatching(/task a .*starting.*lease/) as string,
      details: { id: 'a', status: 'starting', event: 'lease' },
    }),
  )
})

test('CO3 RU6 a step of a run is timed, and its end too; what the machine does not accept is refused', () => {
  const { run } = decidedRun({ a: {} })
  expect(runStep(run, { type: 'pause' }, 9)).toEqual({
    ...{ status: 'paused', pausedFrom: 'queued', updatedAt: 9, completedAt: null },
  })
  expect(runStep(run, { type: 'cancel' }, 9)).toMatchObject({ status: 'cancelled', completedAt: 9 })
  expect(() => runStep(run, { type: 'start' }, 9)).toThrow(
    expect.objectContaining({
      code: 'refused',
      message: expect.stringMatching(/run r .*queued.*start/) as string,
      details: { id: 'r', status: 'queued', event: 'start' },
    }),
  )
})

test('EV1 events go on from the last of their reporter, and none says nothing of a reporter', () => {
  const bench = decidedRun({ a: {} })
  bench.decide(function* (_, run) {
    yield { on: run.header.id, kind: 'task.reported', task: 'a', ...reported(bench.task('a'), 'w1', [{ state: 'running' }]) }
  })
  const events = [{ state: 'queued' }] as const
  expect(reported(bench.task('a'), 'w1', events)).toEqual({ worker: 'w1', workerSeq: 2, events })
  expect(reported(bench.task('a'), 'w2', events)).toEqual({ worker: 'w2', workerSeq: 1, events })
  expect(reported(bench.task('a'), null, events)).toEqual({ worker: 'fleet', workerSeq: 2, events })
  expect(reported(bench.task('a'), 'w1', [])).toEqual({})
})

test('CO3 a refusal has its code, and details where there are any', () => {
  expect(refuse('run_sealed', 'No.')).toMatchObject({ code: 'run_sealed', message: 'No.', details: {} })
  expect(refuse('refused', 'No.', { attempt: 2 }).details).toEqual({ attempt: 2 })
})
