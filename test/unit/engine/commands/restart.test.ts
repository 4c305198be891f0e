import { expect, test } from 'vitest'
import { restartedWith, restartTasks } from '../../../../src/engine/commands/restart.ts'
import type { Changes, Entry } from '../../../../src/engine/entry.ts'
import { usualTerms } from '../../../../src/security/trust.ts'
import { decidedRun } from '../../../support/decided-run.ts'
import type { DecidedRun } from '../../../support/decided-run.ts'
import { said } from '../../../support/drafts.ts'

const restart = (bench: DecidedRun, ...ids: string[]) =>
  said(bench.decide((context, run) => restartTasks(context, run, ids.map(bench.task))))
const steps = (entries: readonly Partial<Entry>[]) =>
  entries.map(({ kind, task, set, run }) => [task ?? kind, set?.status ?? run?.status])

/** What an end, a wait, and a live attempt leave with a task. */
const left = {
  endedAt: 1,
  timeoutAt: 9,
  timeoutMs: 9,
  pending: { output: null, exitCode: null },
  notBefore: 9,
  notBeforeMs: 9,
  process: { group: 7, started: 'then' },
  cause: 'me',
  overBudget: { limit: 'max_tokens', reason: 'It is spent.' },
  permissions: usualTerms.permissions,
  route: { provider_id: 'p', provider_kind: 'k', protocol: 'h' },
} satisfies Changes
const fresh = { status: 'enqueued', released: false, stale: false, settled: false }

test('LE9 a task that ended is enqueued with a fresh retry budget, as if nothing had ended, and nobody is stopped', async () => {
  const bench = decidedRun({ a: {}, other: {} })
  bench.lease('a')
  const flags = { released: true, stale: true, settled: true } satisfies Changes
  bench.set('a', { ...left, ...flags, status: 'failed', failures: 2, crashes: 1, spentMs: 700 })
  await bench.clock.advance(3_000)
  const none = Object.fromEntries(Object.keys(left).map((name) => [name, null]))
  const about = { kind: 'task.stepped', task: 'a', worker: 'fleet', workerSeq: 2, events: [{ state: 'queued' }] }
  const set = { ...fresh, attempt: 1, enqueuedAt: bench.clock.now() }
  const budget = { failures: 0, crashes: 0 }
  expect(restart(bench, 'a')).toStrictEqual([{ ...about, set: { ...set, ...budget, ...none } }])
  expect(bench.task('a')).toMatchObject({ ...set, ...budget, spentMs: 700 })
  // Once more: what there is none of is not spoken of (CO4).
  expect(restart(bench, 'a')).toStrictEqual([{ ...about, workerSeq: 3, set }])
})

test('LE9 LE8 a live lease is revoked: the attempt is interrupted without a receipt, its time counts, and its worker is stopped', async () => {
  const bench = decidedRun({ a: {} })
  bench.lease('a')
  await bench.clock.advance(3_000)
  expect(restart(bench, 'a')).toStrictEqual([
    {
      ...{ kind: 'task.stepped', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1, effects: ['worker.stop'] },
      set: { ...fresh, attempt: 1, enqueuedAt: bench.clock.now(), spentMs: 3_000 },
      events: [{ state: 'interrupted', signal: 'restart' }, { state: 'queued' }],
    },
  ])
})

test('VE1 LE9 a task that is verified is interrupted too, but nobody works on it who could be stopped', () => {
  const bench = decidedRun({ a: {} })
  bench.lease('a')
  bench.set('a', { status: 'verifying', pending: { output: 1, exitCode: 0 } })
  const [entry] = restart(bench, 'a')
  expect(entry).toMatchObject({ attempt: 1, set: { pending: null }, events: [{ state: 'interrupted' }, { state: 'queued' }] })
  expect(entry).not.toHaveProperty('effects')
})

test('LE9 SC5 dependencies still hold: a restarted task waits for those that are open, and is not queued yet', () => {
  const bench = decidedRun({ before: {}, a: { depends_on: ['before'] } })
  bench.set('a', { status: 'enqueued' })
  bench.lease('a')
  expect(restart(bench, 'a')).toMatchObject([
    { set: { status: 'blocked' }, worker: 'w1', events: [{ state: 'interrupted', signal: 'restart' }] },
  ])
  const [waiting] = restart(bench, 'a')
  expect(waiting).toMatchObject({ set: { status: 'blocked' } })
  expect(waiting).not.toHaveProperty('events')
})

test.each(['completed', 'failed', 'cancelled'] as const)('LE9 a run that had ended %s runs again', (status) => {
  const bench = decidedRun({ a: {} })
  bench.set('a', { status })
  bench.decide(function* (context, run) {
    yield { on: 'r', kind: 'run.stepped', run: { status, completedAt: context.now - run.seq } }
  })
  expect(restart(bench, 'a')).toMatchObject([
    { kind: 'run.stepped', run: { status: 'running', completedAt: null } },
    { task: 'a', set: { status: 'enqueued' } },
  ])
})

test('RU4 LE9 a run that has not ended stays as it is: paused, it gives out no lease for a restart', () => {
  const bench = decidedRun({ a: {} })
  bench.decide(function* () {
    yield { on: 'r', kind: 'run.stepped', run: { status: 'paused', pausedFrom: 'queued' } }
  })
  expect(steps(restart(bench, 'a'))).toEqual([['a', 'enqueued']])
  expect(bench.run.status).toBe('paused')
})

/** `a` has failed; some of what hangs on it ended because of that, some did not. */
function fallen(): DecidedRun {
  const after = { depends_on: ['a'] }
  const bench = decidedRun({ a: {}, b: after, asked: after, c: { depends_on: ['b'] }, done: after, waits: after })
  bench.set('a', { status: 'failed' })
  bench.set('b', { status: 'cancelled', cause: 'a' })
  bench.set('c', { status: 'cancelled', cause: 'b' })
  bench.set('asked', { status: 'cancelled', cause: 'somebody asked' })
  bench.set('done', { status: 'completed', cause: 'a' })
  return bench
}

test('LE9 dependants that ended because of a task are reopened behind it, and theirs; others are not', () => {
  const bench = fallen()
  const ids = (...of: string[]) => restartedWith(bench.run, of.map(bench.task)).map(({ id }) => id)
  expect(ids('a')).toEqual(['a', 'b', 'c'])
  expect(ids('b')).toEqual(['b', 'c'])
  // What is asked for twice is restarted once.
  expect(ids('c', 'a')).toEqual(['c', 'a', 'b'])
  expect(ids('waits')).toEqual(['waits'])
  bench.set('a', { status: 'completed' })
  expect(ids('a')).toEqual(['a'])
  bench.set('a', { status: 'cancelled' })
  expect(ids('a')).toEqual(['a', 'b', 'c'])
  expect(steps(restart(bench, 'a'))).toEqual([
    ['a', 'enqueued'],
    ['b', 'blocked'],
    ['c', 'blocked'],
  ])
})

test('SC5 LE9 what a restarted task had freed and still waits is blocked again; what has a worker, or has ended, is not', () => {
  const after = { depends_on: ['a'] }
  const bench = decidedRun({ a: {}, queued: after, later: after, works: after, done: after, blocked: after })
  bench.set('a', { status: 'completed' })
  bench.set('queued', { status: 'enqueued' })
  bench.set('later', { status: 'backoff', notBefore: 9, notBeforeMs: 9 })
  bench.set('works', { status: 'enqueued' })
  bench.lease('works')
  bench.set('done', { status: 'completed' })
  const [first, ...more] = restart(bench, 'a')
  expect(first).toMatchObject({ task: 'a' })
  expect(more).toStrictEqual([
    { kind: 'task.stepped', task: 'queued', set: { status: 'blocked', attempt: 0 } },
    // How long it still has to wait is kept.
    { kind: 'task.stepped', task: 'later', set: { status: 'blocked', attempt: 0 } },
  ])
  expect(bench.task('works').status).toBe('running')
})
