import { expect, test } from 'vitest'
import { schedule } from '../../../src/engine/schedule.ts'
import type { OpenWorker, Roster } from '../../../src/engine/schedule.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun, Specs } from '../../support/decided-run.ts'

const accepting: OpenWorker = { id: 'w1', incarnation: 'w1-1', startsAtOnce: false }
const atOnce: OpenWorker = { ...accepting, startsAtOnce: true }

function scheduled(specs: Specs, worker: OpenWorker = accepting, options: Parameters<typeof decidedRun>[1] = {}) {
  const decided = decidedRun(specs, options)
  const { now } = decided.context()
  return { ...decided, now, next: () => decided.decide((context) => schedule(context, rosterOf(decided, worker))) }
}

/** One slot of one worker. */
function rosterOf({ state }: Pick<DecidedRun, 'state'>, worker: OpenWorker): Roster {
  const isFree = (): boolean => state.working === 0
  return { anyFree: isFree, freeFor: () => (isFree() ? worker : undefined) }
}

test('LE1 a lease names its worker and its incarnation, counts the attempt, and starts its run and its work', () => {
  const { next, now, context } = scheduled({ a: {} })
  const [began, leased, ...rest] = next()
  expect(rest).toEqual([])
  expect(began).toMatchObject({ kind: 'run.stepped', run: { status: 'running' } })
  expect(leased).toMatchObject({
    ...{ kind: 'task.stepped', task: 'a', attempt: 1, worker: 'w1', at: now, effects: ['worker.start'] },
    events: [
      { state: 'leased', lease_expires_at: new Date(now + context().defaults.leaseTtlMs).toISOString() },
      { state: 'starting' },
    ],
  })
  expect(leased?.set).toEqual({
    ...{ status: 'starting', attempt: 1 },
    ...{ worker: 'w1', incarnation: 'w1-1', leasedAt: now },
  })
})

test('LE7 work that begins at once runs, with its time limit; other work has none before it is accepted', () => {
  const { next, now, task } = scheduled({ a: { timeout_seconds: 7 } }, atOnce)
  const leased = next().at(-1)
  expect(leased?.set).toMatchObject({ status: 'running', timeoutAt: now + 7_000, timeoutMs: 7_000 })
  expect(leased?.events?.map(({ state }) => state)).toEqual(['leased', 'starting', 'running'])
  expect(task('a').timeoutAt).toBe(now + 7_000)
})

test('LE9 a task that is tried again says so, and waits for no moment any more', () => {
  const { next, set, task, now } = scheduled({ a: {} }, atOnce)
  set('a', { attempt: 1, restarts: 1, notBefore: now, notBeforeMs: 500, stale: true })
  const leased = next().at(-1)
  expect(leased?.set).toMatchObject({ attempt: 2, restarts: 2, notBefore: null, notBeforeMs: null, stale: false })
  expect(leased?.events).toMatchObject([
    { state: 'leased' },
    { state: 'restarted', restart_count: 2 },
    { state: 'starting' },
    { state: 'running' },
  ])
  expect(task('a')).toMatchObject({ stale: false, notBefore: null, notBeforeMs: null })
})

test('LE8 an attempt that was given back is no restart, and only the next lease is told so', () => {
  const { next, set, task } = scheduled({ a: {} })
  set('a', { attempt: 1, released: true })
  const leased = next().at(-1)
  expect(leased?.set).toMatchObject({ attempt: 2, released: false })
  expect(leased?.set).not.toHaveProperty('restarts')
  expect(leased?.events?.map(({ state }) => state)).toEqual(['leased', 'starting'])
  expect(task('a')).toMatchObject({ released: false, restarts: 0 })
})

test('SC1 there are as many leases as the fleet may have', () => {
  const specs = { a: {}, b: {}, c: {} }
  const roster: Roster = { anyFree: () => true, freeFor: () => accepting }
  const limited = decidedRun(specs, { defaults: { maxLeases: 2 } })
  limited.decide((context) => schedule(context, roster))
  expect(limited.state.working).toBe(2)
  const unlimited = decidedRun(specs)
  unlimited.decide((context) => schedule(context, roster))
  expect(unlimited.state.working).toBe(3)
})
