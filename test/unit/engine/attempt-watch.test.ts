import { expect, test } from 'vitest'
import { createAttemptWatch, liveTask } from '../../../src/engine/attempt-watch.ts'
import { createBudgetWatch } from '../../../src/engine/budget-watch.ts'
import type { Changes, Entry } from '../../../src/engine/entry.ts'
import { announceHeartbeat } from '../../../src/engine/heartbeat.ts'
import type { AttemptPresence } from '../../../src/engine/presence.ts'
import type { Specs } from '../../support/decided-run.ts'
import { watchedRun } from '../../support/watched-run.ts'

/** A run that is watched. */
function watched(specs: Specs = { a: {} }, given: Parameters<typeof watchedRun>[1] = {}) {
  const bench = watchedRun(specs, given)
  const watch = createAttemptWatch(bench.core, bench.workers, createBudgetWatch(bench.core))
  return {
    ...bench,
    arm: (id: string) => watch.arm(bench.run, bench.task(id)),
    /** Leases a task, and watches over its attempt. */
    attempt(id: string, how: Parameters<typeof bench.lease>[1] = {}) {
      bench.lease(id, how)
      const attempt = bench.begin(id)
      watch.watch(attempt)
      return attempt
    },
  }
}

const states = (entry: Entry | undefined) => (entry?.events ?? []).map(({ state }) => state)

test('LE4 a lease of which nothing is heard for its ttl is stale: the worker is unwell, and told to stop', async () => {
  const bench = watched()
  bench.attempt('a')
  const at = new Date(bench.clock.now()).toISOString()
  await bench.clock.advance(59_999)
  expect(bench.entries).toEqual([])
  await bench.clock.advance(1)
  expect(bench.entries).toMatchObject([
    { events: [{ state: 'stale', last_heartbeat_at: at }], effects: ['worker.stop'], set: { stale: true, status: 'backoff' } },
  ])
  expect(bench.entries[0]?.receipt?.evidence).toContain('60 s')
  expect(bench.workerNamed('w1').status).toBe('unhealthy')
})

test('LE3 a message moves the deadline, which is judged when it is reached', async () => {
  const bench = watched()
  const attempt = bench.attempt('a')
  await bench.clock.advance('40s')
  attempt.deadline += 40_000
  await bench.clock.advance('59s')
  expect(bench.entries).toEqual([])
  await bench.clock.advance('1s')
  expect(states(bench.entries[0])).toEqual(['stale'])
})

test('LE4 LE8 an attempt that was never accepted is given back, and its worker told to stop', async () => {
  const bench = watched()
  bench.attempt('a', { awaits: true })
  await bench.clock.advance('60s')
  expect(bench.entries).toMatchObject([
    {
      set: { status: 'enqueued', released: true },
      events: [{ state: 'interrupted', signal: 'never accepted' }, { state: 'queued' }],
      effects: ['worker.stop'],
    },
  ])
})

test('LE4 an attempt of a worker that is gone goes stale like any other', async () => {
  const bench = watched()
  bench.attempt('a', { worker: 'gone' })
  await bench.clock.advance('60s')
  expect(states(bench.entries[0])).toEqual(['stale'])
})

test('LE3 the fleet beats for attempts of its own process, every quarter of the ttl, as long as they last', async () => {
  const bench = watched()
  const attempt = bench.attempt('a', { worker: 'inside' })
  await bench.clock.advance('45s')
  expect(bench.announced.map(({ event, worker_id }) => `${event} ${worker_id}`)).toEqual([
    ...['worker.heartbeat inside', 'worker.heartbeat inside', 'worker.heartbeat inside'],
  ])
  expect(attempt).toMatchObject({ deadline: 45_000 + 60_000, lastHeardAt: bench.clock.now() })
  await bench.clock.advance('1h')
  expect(bench.entries).toEqual([])
  // Once its lease is gone nobody says that it is alive.
  const before = bench.announced.length
  bench.core.presence.linger(attempt)
  await bench.clock.advance('60s')
  expect(bench.announced).toHaveLength(before)
})

test('WO3 the lease and the standstill of an attempt that lingers are not judged: it has ended', async () => {
  const bench = watched({ a: {} }, { defaults: { stallAfterMs: 20_000 } })
  bench.core.presence.linger(bench.attempt('a'))
  await bench.clock.advance('10m')
  expect(bench.entries).toEqual([])
})

test('CO9 nothing waits any more for an attempt that has ended', async () => {
  for (const worker of ['w1', 'inside'])
    for (const lasts of [0, 70_000]) {
      const bench = watched({ a: {} }, { defaults: { stallAfterMs: 20_000 } })
      const attempt = bench.attempt('a', { worker })
      bench.set('a', { timeoutAt: bench.clock.now() + 90_000, timeoutMs: 90_000 })
      bench.arm('a')
      // Each wait is reached, and armed again.
      attempt.deadline += 60_000
      attempt.lastProgress += 100_000
      await bench.clock.advance(lasts)
      expect(bench.clock.pending).toBe(1)
      bench.core.presence.end('r', 'a', 1)
      expect(bench.clock.pending).toBe(0)
    }
})

test('LE3 an attempt that is alive but makes no progress for stallAfterMs is stale; progress moves that', async () => {
  const bench = watched({ a: {} }, { defaults: { stallAfterMs: 20_000 } })
  const attempt = bench.attempt('a')
  await bench.clock.advance('15s')
  attempt.lastProgress += 15_000
  await bench.clock.advance(19_999)
  expect(bench.entries).toEqual([])
  await bench.clock.advance(1)
  expect(states(bench.entries[0])).toEqual(['stale'])
})

test('LE4 staleness that could not be taken is decided again, and undone by what was heard or decided meanwhile', async () => {
  const late = async (meanwhile: (found: ReturnType<typeof watched>, attempt: AttemptPresence) => void) => {
    const found = watched()
    const attempt = found.attempt('a')
    found.hold()
    await found.clock.advance('70s')
    meanwhile(found, attempt)
    found.release()
    return { states: found.entries.flatMap(states), worker: found.workerNamed('w1').status }
  }
  expect(await late(() => undefined)).toEqual({ states: ['stale'], worker: 'unhealthy' })
  expect(await late((_, attempt) => (attempt.deadline += 60_000))).toEqual({ states: [], worker: 'online' })
  expect(await late((found) => found.set('a', { status: 'cancelled' }))).toEqual({ states: [], worker: 'online' })
})

test('RE2 a wait before a retry ends at its moment: the task is queued, and waits for nothing more', async () => {
  const bench = watched()
  bench.set('a', { status: 'backoff', notBefore: bench.clock.now() + 5_000, notBeforeMs: 5_000 })
  bench.arm('a')
  await bench.clock.advance(4_999)
  expect(bench.entries).toEqual([])
  await bench.clock.advance(1)
  expect(bench.entries).toMatchObject([
    {
      ...{ kind: 'task.stepped', task: 'a', worker: 'fleet', workerSeq: 2, events: [{ state: 'queued' }] },
      set: { status: 'enqueued', notBefore: null, notBeforeMs: null },
    },
  ])
})

test('LE5 RE2 a wait is never longer than it was meant to be, and one that was replaced or has ended ends no other', async () => {
  const bench = watched()
  const now = bench.clock.now()
  bench.set('a', { status: 'backoff', notBefore: now + 50_000, notBeforeMs: 5_000 })
  bench.arm('a')
  bench.set('a', { notBefore: now + 9_000, notBeforeMs: 9_000 })
  bench.arm('a')
  expect(bench.clock.pendingTimers()).toEqual([5_000])
  await bench.clock.advance('8s')
  expect(bench.entries).toEqual([])
  await bench.clock.advance('1s')
  expect(bench.entries).toHaveLength(1)
  bench.set('a', { status: 'backoff', notBefore: now + 12_000, notBeforeMs: 3_000 })
  bench.arm('a')
  bench.set('a', { status: 'cancelled' })
  await bench.clock.advance('9s')
  expect(bench.entries).toHaveLength(1)
})

test('LE5 LE7 only what waits for its moment, or is at work under a limit, is waited for', () => {
  const bench = watched()
  const moment = { notBefore: bench.clock.now() + 5_000, notBeforeMs: 5_000 }
  const limit = { timeoutAt: bench.clock.now() + 5_000, timeoutMs: 5_000 }
  const waits = (set: Changes) => {
    bench.set('a', { notBefore: null, notBeforeMs: null, timeoutAt: null, timeoutMs: null, ...set })
    const before = bench.clock.pending
    bench.arm('a')
    return bench.clock.pending > before
  }
  // A moment is kept while a dependency is waited for first.
  for (const status of ['blocked', 'enqueued', 'running'] as const) expect(waits({ status, ...moment })).toBe(false)
  for (const status of ['verifying', 'backoff'] as const) expect(waits({ status, ...limit })).toBe(false)
  expect(waits({ status: 'running' })).toBe(false)
  expect(waits({ status: 'backoff', ...moment })).toBe(true)
})

test('LE7 an attempt that reaches its time limit ends as timeout, and its worker is told to stop', async () => {
  const bench = watched()
  bench.attempt('a')
  bench.set('a', { timeoutAt: bench.clock.now() + 8_000, timeoutMs: 8_000 })
  bench.arm('a')
  await bench.clock.advance(7_999)
  expect(bench.entries).toEqual([])
  await bench.clock.advance(1)
  expect(bench.entries).toMatchObject([{ receipt: { result: 'timeout' }, effects: ['worker.stop'], set: { failures: 1 } }])
  expect(bench.entries[0]?.receipt?.evidence).toContain('8 s')
})

test('LE5 LE7 after opening what is left of a limit is waited for, and never more than its length', () => {
  const left = (timeoutAt: number) => {
    const bench = watched()
    bench.attempt('a')
    bench.set('a', { timeoutAt: bench.clock.now() + timeoutAt, timeoutMs: 10_000 })
    bench.arm('a')
    return bench.clock.pendingTimers()[0]
  }
  expect([3_000, 30_000, -3_000].map(left)).toEqual([3_000, 10_000, 0])
})

test('LE2 LE7 the time limit of an attempt that ended ends no other, and one whose worker is not present is kept', async () => {
  const bench = watched({ ended: {}, away: {} })
  bench.attempt('ended')
  bench.lease('away')
  for (const id of ['ended', 'away']) {
    bench.set(id, { timeoutAt: bench.clock.now() + 8_000, timeoutMs: 8_000 })
    bench.arm(id)
  }
  bench.hold()
  await bench.clock.advance('8s')
  bench.set('ended', { status: 'enqueued' })
  bench.lease('ended')
  bench.release()
  expect(bench.entries.map(({ task, receipt }) => `${task} ${receipt?.result}`)).toEqual(['away timeout'])
})

test('BU1 what an attempt that is armed may spend in seconds is watched with its limit', () => {
  const bench = watched({ a: { budget: { max_seconds: 2 } } })
  bench.attempt('a')
  bench.set('a', { timeoutAt: bench.clock.now() + 8_000, timeoutMs: 8_000 })
  bench.arm('a')
  expect(bench.clock.pendingTimers()[0]).toBe(2_000)
})

test('LE2 a task is live for the attempt that is at work, and for no other', () => {
  const bench = watched({ a: {}, b: {} })
  bench.lease('a')
  bench.lease('b')
  bench.set('b', { status: 'verifying' })
  expect(liveTask(bench.core, 'r', 'a', 1)).toEqual({ run: bench.run, task: bench.task('a') })
  const others: readonly [string, string, number][] = [
    ['r', 'a', 2],
    ['r', 'b', 1],
    ['r', 'none', 1],
    ['none', 'a', 1],
  ]
  for (const [run, task, attempt] of others) expect(liveTask(bench.core, run, task, attempt)).toBe(undefined)
})

test('EV1 a heartbeat says whose it is and what its worker measured of itself, and is not made where nobody listens', () => {
  const bench = watched()
  const attempt = bench.attempt('a')
  announceHeartbeat(bench.core, attempt)
  announceHeartbeat(bench.core, attempt, { cpu_percent: 12 })
  announceHeartbeat(bench.core, attempt, { memory_mb: 34 })
  expect(bench.announced.map(({ payload }) => payload)).toStrictEqual([{}, { cpu_percent: 12 }, { memory_mb: 34 }])
  expect(bench.announced[0]).toEqual({
    ...{ cursor: 'fev1_s_0_0', event: 'worker.heartbeat', run_id: 'r', task_id: 'a', worker_id: 'w1', attempt: 1 },
    ...{ timestamp: new Date(bench.clock.now()).toISOString(), payload: {} },
  })
  announceHeartbeat({ ...bench.core, isListenedTo: (name) => name !== 'worker.heartbeat' }, attempt)
  announceHeartbeat(bench.core, { ...attempt, run: 'none' })
  expect(bench.announced).toHaveLength(3)
})
