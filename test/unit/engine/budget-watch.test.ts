import { expect, test } from 'vitest'
import { createBudgetWatch } from '../../../src/engine/budget-watch.ts'
import { runOverBudget, taskOverBudget } from '../../../src/engine/commands/budget.ts'
import { forget } from '../../../src/engine/fold.ts'
import type { Specs } from '../../support/decided-run.ts'
import { watchedRun } from '../../support/watched-run.ts'

/** A run of which every task is at work, with the watch over its budgets. */
function watched(specs: Specs, given: Parameters<typeof watchedRun>[1] = {}) {
  const bench = watchedRun(specs, given)
  for (const id of Object.keys(specs)) {
    bench.lease(id)
    bench.begin(id)
  }
  const watch = createBudgetWatch(bench.core)
  return { ...bench, arm: (id: string) => watch.arm(bench.run, bench.task(id)), armRun: () => watch.armRun(bench.run) }
}

const over = { limit: 'max_tokens', reason: 'It is spent.' } as const
const seconds = (max_seconds: number) => ({ budget: { max_seconds } })

test('BU1 BU2 when the seconds of a task are used up it is asked to hand back, and when its grace is over it fails', async () => {
  const bench = watched({ a: seconds(30) })
  bench.arm('a')
  await bench.clock.advance(29_999)
  expect(bench.entries).toEqual([])
  await bench.clock.advance(1)
  expect(bench.entries).toMatchObject([{ kind: 'task.over_budget', set: { overBudget: { limit: 'max_seconds' } } }])
  expect(bench.task('a').overBudget?.reason).toContain('budget of the task is spent: 30 of 30 seconds')
  bench.arm('a')
  await bench.clock.advance(9_999)
  expect(bench.entries).toHaveLength(1)
  await bench.clock.advance(1)
  expect(bench.entries[1]).toMatchObject({ set: { status: 'failed' }, receipt: { result: 'timeout' } })
})

test('BU3 an attempt has the seconds that the attempts before it left', async () => {
  const bench = watched({ a: seconds(30) })
  bench.set('a', { spentMs: 12_000 })
  bench.arm('a')
  expect(bench.clock.pendingTimers()).toEqual([18_000])
  bench.set('a', { spentMs: 31_000 })
  bench.arm('a')
  expect(bench.clock.pendingTimers()).toEqual([0])
})

test('LE5 however far the wall clock jumps back, no more seconds are left than were given', () => {
  const bench = watched({ a: seconds(30) }, { header: seconds(20) })
  bench.set('a', { spentMs: 12_000 })
  bench.clock.jump(-3_600_000)
  bench.arm('a')
  expect(bench.clock.pendingTimers()).toEqual([18_000])
  bench.armRun()
  expect(bench.clock.pendingTimers()).toEqual([8_000])
})

test('BU2 what has no seconds to keep, or no worker that is present, is not waited for', async () => {
  const bench = watched({ tokens: { budget: { max_tokens: 5 } }, none: {}, gone: seconds(30) })
  bench.core.presence.end('r', 'gone', 1)
  for (const id of ['tokens', 'none', 'gone']) bench.arm(id)
  expect(bench.clock.pending).toBe(0)
  // Its grace is kept all the same.
  bench.decide(() => taskOverBudget(bench.run, bench.task('tokens'), over))
  bench.arm('tokens')
  expect(bench.clock.pendingTimers()).toEqual([10_000])
})

test('LE2 the time of an attempt that ended before it could be told ends no other', async () => {
  const bench = watched({ asked: seconds(5), graced: { budget: { max_tokens: 5 } } })
  bench.decide(() => taskOverBudget(bench.run, bench.task('graced'), over))
  for (const id of ['asked', 'graced']) bench.arm(id)
  bench.hold()
  await bench.clock.advance('20s')
  for (const id of ['asked', 'graced']) {
    bench.set(id, { status: 'enqueued' })
    bench.lease(id)
  }
  bench.release()
  expect(bench.entries).toEqual([])
  // The positive control: with the same attempt still alive, both are told.
  const alive = watched({ asked: seconds(5), graced: { budget: { max_tokens: 5 } } })
  alive.decide(() => taskOverBudget(alive.run, alive.task('graced'), over))
  for (const id of ['asked', 'graced']) alive.arm(id)
  alive.hold()
  await alive.clock.advance('20s')
  alive.release()
  expect(alive.entries.map(({ kind, task }) => `${kind} ${task}`)).toEqual(['task.over_budget asked', 'task.stepped graced'])
})

test('BU3 the seconds of a run are spent by its leases together, those that ended included', async () => {
  const bench = watched({ a: {}, b: {}, c: {} }, { header: seconds(60) })
  bench.armRun()
  expect(bench.clock.pendingTimers()).toEqual([20_000])
  await bench.clock.advance('10s')
  // One of them ends: 30 s are spent, and two go on.
  bench.set('c', { status: 'completed', spentMs: 10_000 })
  bench.armRun()
  expect(bench.clock.pendingTimers()).toEqual([15_000])
  await bench.clock.advance('15s')
  expect(bench.entries.map(({ kind, task }) => task ?? kind)).toEqual(['run.over_budget', 'a', 'b'])
  expect(bench.run.overBudget).toMatchObject({ limit: 'max_seconds' })
  expect(bench.run.overBudget?.reason).toContain('budget of the run is spent: 60 of 60 seconds')
})

test('BU3 a run without leases, without seconds in its budget, or whose budget is spent, is not waited for', () => {
  const idle = watched({ a: {} }, { header: seconds(60) })
  idle.armRun()
  expect(idle.clock.pending).toBe(1)
  idle.set('a', { status: 'enqueued' })
  idle.armRun()
  expect(idle.clock.pending).toBe(0)
  const tokens = watched({ a: {} }, { header: { budget: { max_tokens: 60 } } })
  tokens.armRun()
  const without = watched({ a: {} })
  without.armRun()
  const spent = watched({ a: {} }, { header: seconds(60) })
  spent.decide((context, run) => runOverBudget(context, run, over))
  spent.armRun()
  expect([tokens, without, spent].map(({ clock }) => clock.pending)).toEqual([0, 0, 0])
})

test('BU3 what is told late of a run that is gone, or that nobody works on any more, changes nothing', async () => {
  const late = async (meanwhile: (bench: ReturnType<typeof watched>) => void): Promise<unknown[]> => {
    const bench = watched({ a: {} }, { header: seconds(60) })
    bench.armRun()
    bench.hold()
    await bench.clock.advance('60s')
    meanwhile(bench)
    bench.release()
    return bench.entries
  }
  expect(await late(({ state, run }) => forget(state, run))).toEqual([])
  expect(await late(({ set }) => set('a', { status: 'enqueued' }))).toEqual([])
  expect(await late(() => undefined)).toHaveLength(2)
})
