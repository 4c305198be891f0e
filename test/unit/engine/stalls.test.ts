import { expect, test } from 'vitest'
import { createStallWatch } from '../../../src/engine/stalls.ts'
import type { Changes } from '../../../src/engine/entry.ts'
import { cancelRun, pauseRun } from '../../../src/engine/commands/run.ts'
import type { Specs } from '../../support/decided-run.ts'
import { watchedRun } from '../../support/watched-run.ts'

/** No worker serves it. */
const nobody = { handler: 'nobody' }

/** A run whose stalls are watched, by a fleet that is open. */
function watched(specs: Specs, isOpen = true) {
  const bench = watchedRun(specs)
  const watch = createStallWatch(bench.core, bench.workers)
  if (isOpen) watch.opened()
  const stalls = () => bench.announced.map((event) => event.event === 'run.stalled' && event.payload.waiting)
  return { ...bench, watch, stalls, look: () => (watch.look(bench.run), stalls()) }
}

test('RU10 a run is stalled when nothing of it runs, and no registered worker takes what is queued', () => {
  const bench = watched({ a: nobody, b: nobody, after: { depends_on: ['a'] } })
  expect(bench.look()).toEqual([['a', 'b']])
  expect(bench.announced[0]).toEqual({
    ...{ cursor: 'fev1_s_0_0', event: 'run.stalled', run_id: 'r' },
    ...{ timestamp: new Date(bench.clock.now()).toISOString(), payload: { waiting: ['a', 'b'] } },
  })
  expect(watched({ a: {} }).look()).toEqual([])
  expect(watched({ a: nobody, b: {} }).look()).toEqual([])
})

test('RU10 what works, waits for its moment or awaits a verdict keeps a run from being stalled', () => {
  const with_ = (set: Changes, spec: Record<string, unknown> = {}) => {
    const bench = watched({ a: nobody, b: { ...nobody, ...spec } })
    bench.set('b', set)
    return bench.look()
  }
  expect(with_({ status: 'cancelled' })).toEqual([['a']])
  for (const status of ['starting', 'running', 'verifying', 'backoff'] as const) expect(with_({ status })).toEqual([])
  const partial = watched({ a: nobody, b: { scorer: { kind: 'manual' } } })
  partial.lease('b')
  partial.decide(function* (_, run) {
    yield {
      on: run.header.id,
      kind: 'task.stepped',
      task: 'b',
      set: { status: 'completed' },
      receipt: { result: 'partial' } as never,
    }
  })
  expect(partial.look()).toEqual([])
  partial.set('b', { settled: true })
  expect(partial.look()).toEqual([['a']])
})

test('RU10 where nothing is queued, what is blocked by what ended badly is stalled; where all has ended nothing is', () => {
  const bench = watched({ a: {}, b: { depends_on: ['a'] } })
  bench.set('a', { status: 'failed' })
  expect(bench.look()).toEqual([['b']])
  bench.set('b', { status: 'cancelled' })
  expect(bench.look()).toHaveLength(1)
})

test('RU10 a run that is paused, that has ended, or that another fleet carries is not stalled', () => {
  const paused = watched({ a: nobody })
  paused.decide(pauseRun)
  expect(paused.look()).toEqual([])
  const elsewhere = watched({ a: nobody })
  elsewhere.run.carried = false
  expect(elsewhere.look()).toEqual([])
  const ended = watched({ a: nobody })
  ended.decide((context, run) => cancelRun(context, run, 'me', 'no need'))
  expect(ended.look()).toEqual([])
  const begun = watched({ a: nobody })
  begun.decide(function* (_, run) {
    yield { on: run.header.id, kind: 'run.stepped', run: { status: 'running' } }
  })
  expect(begun.look()).toEqual([['a']])
})

test('RU10 a stall is told once, and again when the run had gone on in between', () => {
  const bench = watched({ a: nobody })
  bench.look()
  expect(bench.look()).toHaveLength(1)
  bench.set('a', { status: 'backoff' })
  bench.look()
  bench.set('a', { status: 'enqueued' })
  expect(bench.look()).toHaveLength(2)
})

test('RU10 what a fleet finds stalled while it opens is told once there was time to listen', async () => {
  const bench = watched({ a: nobody }, false)
  expect(bench.look()).toEqual([])
  bench.watch.opened()
  expect(bench.stalls()).toEqual([])
  await bench.clock.advance(0)
  expect(bench.stalls()).toEqual([['a']])
  // Where nothing is stalled, nothing is waited for.
  const works = watched({ a: {} }, false)
  works.watch.opened()
  expect(works.clock.pending).toBe(0)
})
