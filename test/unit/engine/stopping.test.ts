import { expect, test } from 'vitest'
import type { Entry } from '../../../src/engine/entry.ts'
import { createStopping } from '../../../src/engine/stopping.ts'
import { watchedRun } from '../../support/watched-run.ts'

const key = { run_id: 'r', task_id: 'a', attempt: 1 }

/** A run whose task `a` is at work on a worker, handed over unless it is said that it was not yet. */
function stopped({ worker = 'w1', placed = true } = {}) {
  const bench = watchedRun({ a: {} })
  bench.lease('a', { worker })
  const attempt = bench.begin('a', placed ? { placed } : {})
  const stopping = createStopping(bench.core, bench.workers)
  const entry = (more: Partial<Entry>): Entry => ({ seq: 9, at: 0, kind: 'task.stepped', task: 'a', attempt: 1, ...more })
  return {
    ...bench,
    ...{ attempt, stopping },
    stop: () => stopping.stopAttempt(bench.run, entry({ set: { status: 'cancelled', cause: 'no need' } })),
    handBack: () => stopping.handBack(bench.run, entry({ set: { overBudget: { limit: 'max_tokens', reason: 'It is spent.' } } })),
    isPresent: () => bench.core.presence.get('r', 'a', 1) !== undefined,
  }
}

test('WO3 a worker is told to stop with the reason and the grace, and its slot stays taken', () => {
  const bench = stopped()
  bench.stop()
  expect(bench.told).toEqual([
    { worker: 'w1', message: { type: 'stop', ...key, code: 'task_cancelled', reason: 'no need', grace_ms: 10_000 } },
  ])
  expect(bench.attempt.lingering).toBe(true)
  expect(bench.nudges()).toBe(0)
})

test('WO3 what was never handed over needs no stop: its slot is free at once', () => {
  const bench = stopped({ placed: false })
  bench.stop()
  expect([bench.told, bench.isPresent(), bench.nudges(), bench.clock.pending]).toEqual([[], false, 1, 0])
  // Nor does what nobody has.
  bench.stop()
  expect([bench.told, bench.nudges()]).toEqual([[], 1])
})

test('WO3 work that does not end within the grace is written off: its slot is free, its worker another, and it is told', async () => {
  const bench = stopped()
  bench.stop()
  const { incarnation } = bench.workerNamed('w1')
  await bench.clock.advance(10_999)
  expect(bench.isPresent()).toBe(true)
  await bench.clock.advance(1)
  expect(bench.isPresent()).toBe(false)
  expect([...bench.workerNamed('w1').abandoned]).toEqual(['r/a/1'])
  expect(bench.workerNamed('w1').incarnation).not.toBe(incarnation)
  expect(bench.entries).toMatchObject([
    { kind: 'worker.registered', record: { id: 'w1', incarnation: bench.workerNamed('w1').incarnation } },
  ])
  expect(bench.announced).toMatchObject([
    { cursor: '', event: 'worker.abandoned', ...key, worker_id: 'w1', payload: { reason: expect.stringMatching(/./) as string } },
  ])
  expect(bench.nudges()).toBe(1)
})

test('WO3 work that confirms its end within the grace is not written off, nor is what a worker that is gone had', async () => {
  const bench = stopped()
  bench.stop()
  bench.core.presence.end('r', 'a', 1)
  await bench.clock.advance('1h')
  expect([bench.announced, bench.workerNamed('w1').abandoned.size]).toEqual([[], 0])
  const gone = stopped({ worker: 'gone' })
  gone.stop()
  await gone.clock.advance('1h')
  // Its slot is nobody's, but whoever listens hears of it.
  expect(gone.announced).toHaveLength(1)
  expect([gone.told, gone.entries]).toEqual([[], []])
})

test('WO3 LE2 a worker elsewhere is asked again, once a ttl and five times, until it confirms', async () => {
  const asked = async (confirmAfter?: string) => {
    const bench = stopped()
    bench.stop()
    await bench.clock.advance(11_000)
    expect(bench.told).toHaveLength(1)
    await bench.clock.advance(60_000)
    expect(bench.told.at(-1)?.message).toMatchObject({ type: 'stop', ...key, code: 'lease_lost', grace_ms: 10_000 })
    if (confirmAfter !== undefined) {
      await bench.clock.advance(confirmAfter as '1m')
      bench.workerNamed('w1').abandoned.clear()
    }
    await bench.clock.advance('1h')
    return bench.told.length - 1
  }
  expect(await asked()).toBe(5)
  expect(await asked('2m')).toBe(3)
})

test('WO3 a worker of this process is well again once its slot was written off, and is not asked again', async () => {
  for (const draining of [false, true]) {
    const bench = stopped({ worker: 'inside' })
    const worker = bench.workerNamed('inside')
    worker.status = 'unhealthy'
    worker.draining = draining
    bench.stop()
    await bench.clock.advance('1h')
    expect(bench.told).toHaveLength(1)
    expect(worker.status).toBe(draining ? 'draining' : 'busy')
  }
  // One that holds nothing more is idle.
  const idle = stopped({ worker: 'inside' })
  idle.workerNamed('inside').status = 'unhealthy'
  idle.stop()
  idle.set('a', { status: 'cancelled' })
  await idle.clock.advance('1h')
  expect(idle.workerNamed('inside').status).toBe('online')
})

test('BU2 a worker is asked once for what it has, with the reason and the grace; not for what it never got or has lost', () => {
  const bench = stopped()
  bench.handBack()
  expect(bench.told).toEqual([{ worker: 'w1', message: { type: 'hand_back', ...key, reason: 'It is spent.', grace_ms: 10_000 } }])
  const early = stopped({ placed: false })
  early.handBack()
  const late = stopped()
  late.core.presence.linger(late.attempt)
  late.handBack()
  const ended = stopped()
  ended.core.presence.end('r', 'a', 1)
  ended.handBack()
  for (const { told } of [early, late, ended]) expect(told).toEqual([])
})

test('HO1 what cannot be said, since the worker or its channel is gone, takes nothing down', async () => {
  const gone = stopped({ worker: 'gone' })
  gone.handBack()
  gone.stop()
  const silent = stopped()
  silent.workerNamed('w1').channel = undefined
  silent.handBack()
  silent.stop()
  for (const bench of [gone, silent]) {
    expect([bench.told, bench.attempt.lingering]).toEqual([[], true])
    await bench.clock.advance('1m')
    expect(bench.isPresent()).toBe(false)
  }
})
