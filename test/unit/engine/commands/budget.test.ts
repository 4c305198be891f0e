import { expect, test } from 'vitest'
import { graceOver, keepBudgets, runOverBudget, taskOverBudget } from '../../../../src/engine/commands/budget.ts'
import type { Entry } from '../../../../src/engine/entry.ts'
import { just } from '../../../../src/engine/entry.ts'
import { decidedRun } from '../../../support/decided-run.ts'

const over = { limit: 'max_tokens', reason: 'It is spent.' } as const
const kinds = (entries: readonly Entry[]) => entries.map(({ kind, task }) => (task === undefined ? kind : `${kind} ${task}`))

test('BU2 a task that crossed a limit is asked once to hand back what it has, and the alert is raised with it', () => {
  const { run, task, lease, decide } = decidedRun({ a: {} })
  lease('a')
  expect(decide(() => taskOverBudget(run, task('a'), over))).toMatchObject([
    {
      kind: 'task.over_budget',
      ...{ task: 'a', attempt: 1, set: { overBudget: over } },
      effects: ['worker.hand_back'],
      raised: ['budget_exceeded'],
    },
  ])
  expect(decide(() => taskOverBudget(run, task('a'), over))).toEqual([])
})

test('BU2 a task that nobody works on is not asked to hand anything back', () => {
  const { run, task, lease, set, decide } = decidedRun({ waits: {}, ended: {}, checked: {}, works: {} })
  lease('ended')
  set('ended', { status: 'failed' })
  lease('checked')
  set('checked', { status: 'verifying' })
  lease('works', { awaits: true })
  for (const id of ['waits', 'ended', 'checked']) expect(decide(() => taskOverBudget(run, task(id), over))).toEqual([])
  expect(decide(() => taskOverBudget(run, task('works'), over))).toHaveLength(1)
})

test('BU3 when the budget of a run is spent, what works hands back, what waits is cancelled, and what ended stays as it is', () => {
  const bench = decidedRun(
    { works: {}, asked: { budget: { max_tokens: 5 } }, checked: {}, ended: {}, waits: {}, later: { depends_on: ['waits'] } },
    { header: { budget: { max_tokens: 9 } } },
  )
  for (const id of ['works', 'asked', 'checked', 'ended']) bench.lease(id)
  bench.decide(() => taskOverBudget(bench.run, bench.task('asked'), over))
  bench.set('checked', { status: 'verifying' })
  bench.set('ended', { status: 'completed' })
  const entries = bench.decide((context, run) => runOverBudget(context, run, over))
  expect(kinds(entries)).toEqual(['run.over_budget', 'task.over_budget works', 'task.stepped waits', 'task.stepped later'])
  expect(entries[0]).toMatchObject({
    run: { overBudget: over, updatedAt: bench.clock.now() },
    raised: ['budget_exceeded'],
  })
  // It is raised once, with the run.
  expect(entries[1]).toMatchObject({ set: { overBudget: over }, effects: ['worker.hand_back'], raised: undefined })
  expect(entries[2]).toMatchObject({
    events: [{ state: 'cancelled', cancelled_by: 'fleet' }],
    receipt: { result: 'skip', evidence: 'It is spent.' },
  })
  expect([...bench.run.tasks.values()].map(({ status }) => status)).toEqual([
    ...['running', 'running', 'verifying', 'completed', 'cancelled', 'cancelled'],
  ])
  expect(bench.run.status).toBe('queued')
  // A run crosses its budget once.
  expect(bench.decide((context, run) => runOverBudget(context, run, over))).toEqual([])
})

test('BU3 a run of which nothing is left when its budget is spent ends with it', () => {
  const { decide, run } = decidedRun({ a: {} }, { header: { budget: { max_tokens: 9 } } })
  const entries = decide((context) => runOverBudget(context, run, over))
  expect(kinds(entries)).toEqual(['run.over_budget', 'task.stepped a', 'run.stepped'])
  expect(run.status).toBe('cancelled')
})

test('BU2 BU3 what a report spent is held against the budget of its task, and of its run', () => {
  const spent = (header: object, budget: object | undefined, inputTokens: number) => {
    const bench = decidedRun({ a: { budget } }, { header })
    bench.lease('a')
    bench.set('a', { inputTokens })
    return kinds(bench.decide((context, run) => keepBudgets(context, run, bench.task('a'))))
  }
  const most = { max_tokens: 10 }
  expect(spent({}, undefined, 99)).toEqual([])
  expect(spent({}, most, 10)).toEqual([])
  expect(spent({}, most, 11)).toEqual(['task.over_budget a'])
  expect(spent({ budget: most }, undefined, 10)).toEqual([])
  expect(spent({ budget: most }, undefined, 11)).toEqual(['run.over_budget', 'task.over_budget a'])
  expect(spent({ budget: most }, most, 11)).toEqual(['task.over_budget a', 'run.over_budget'])
})

test('BU2 at the end of the grace the attempt is stopped and fails for good, with the limit and the spend in its receipt', () => {
  const { lease, task, run, decide } = decidedRun({ a: { retry_policy: { max_attempts: 5 } } })
  lease('a')
  decide(() => taskOverBudget(run, task('a'), over))
  const [entry] = decide((context) => graceOver(context, run, task('a')))
  expect(entry).toMatchObject({
    ...{ task: 'a', attempt: 1, set: { status: 'failed', overBudget: null } },
    effects: ['worker.stop'],
    events: [{ state: 'failed', recoverable: false }],
    receipt: { result: 'fail', failure_kind: 'task' },
  })
  expect(entry?.receipt?.evidence).toMatch(/^It is spent\. ./)
  // What was raised when it was asked is not raised again.
  expect(entry?.raised).toBe(undefined)
})

test('BU2 a grace that ends for an attempt which is within its budget ends nothing', () => {
  const { lease, task, run, decide } = decidedRun({ a: { budget: { max_tokens: 5 } } })
  lease('a')
  expect(decide((context) => graceOver(context, run, task('a')))).toEqual([])
  decide(() => just({ on: 'r', kind: 'task.reported', task: 'a', set: { inputTokens: 6 } }))
  expect(decide((context) => graceOver(context, run, task('a')))[0]).toMatchObject({ set: { status: 'failed' } })
})
