import { expect, test } from 'vitest'
import * as commands from '../../../../src/engine/commands/task.ts'
import type { DecideContext } from '../../../../src/engine/decide.ts'
import type { Changes, Decision, Entry, RunFields } from '../../../../src/engine/entry.ts'
import type { RunState } from '../../../../src/engine/state.ts'
import type { CommandOutcome, SettleVerdict } from '../../../../src/protocol/command.ts'
import type { FleetReceipt } from '../../../../src/protocol/receipt.ts'
import { decidedRun } from '../../../support/decided-run.ts'
import type { DecidedRun, Specs } from '../../../support/decided-run.ts'
import { said } from '../../../support/drafts.ts'

/** What a command decides, and what it answers. */
function done(bench: DecidedRun, command: (context: DecideContext, run: RunState) => Decision<CommandOutcome>) {
  let outcome: CommandOutcome | undefined
  const entries = bench.decide(function* (context, run) {
    outcome = yield* command(context, run)
  })
  return { entries: said(entries), changed: outcome?.changed, message: outcome?.message ?? '' }
}
/** Whoever asked is told, in some words. */
const message = expect.stringMatching(/./) as string
const unchanged = { entries: [], changed: false, message }
const steps = ({ entries }: { entries: Partial<Entry>[] }) =>
  entries.map(({ kind, task, set, run }) => [task ?? kind, set?.status ?? run?.status])
const refusal = (code: string, details?: object) =>
  expect.objectContaining({ code, message, ...(details && { details }) }) as Error

const cancel = (bench: DecidedRun, attempt?: number) =>
  done(bench, (context, run) => commands.cancelOneTask(context, run, bench.task('a'), { by: 'me', reason: 'no need', attempt }))

test('RU5 SC5 cancelling a task takes its dependants along, leaves its siblings, and ends a run of which nothing is left', () => {
  const bench = decidedRun({ a: {}, after: { depends_on: ['a'] }, other: {} })
  const answer = cancel(bench)
  expect(answer).toMatchObject({ changed: true, message })
  expect(steps(answer)).toEqual([
    ['a', 'cancelled'],
    ['after', 'cancelled'],
  ])
  expect(answer.entries[0]).toMatchObject({
    set: { cause: 'no need' },
    events: [{ state: 'cancelled', cancelled_by: 'me' }],
    receipt: { result: 'skip', evidence: 'no need' },
  })
  expect(bench.task('other').status).toBe('enqueued')
  // What has ended is not cancelled again, and the caller is told.
  expect(cancel(bench)).toEqual(unchanged)
  expect(cancel(bench, 9)).toEqual(unchanged)
  expect(steps(cancel(decidedRun({ a: {} })))).toEqual([
    ['a', 'cancelled'],
    ['run.stepped', 'cancelled'],
  ])
})

test('LE2 a cancel that names an attempt reaches that one alone, while it is live', () => {
  const bench = decidedRun({ a: {}, other: {} })
  expect(() => cancel(bench, 0)).toThrow(refusal('refused', { attempt: 0 }))
  bench.lease('a')
  expect(() => cancel(bench, 2)).toThrow(refusal('refused', { attempt: 1 }))
  bench.set('a', { status: 'enqueued' })
  expect(() => cancel(bench, 1)).toThrow(refusal('refused', { attempt: 1 }))
  expect(bench.task('a').status).toBe('enqueued')
  bench.set('a', { status: 'verifying' })
  expect(cancel(bench, 1)).toMatchObject({ changed: true, entries: [{ attempt: 1 }] })
  expect(bench.task('a').status).toBe('cancelled')
})

const cancelTagged = (bench: DecidedRun, ...tags: string[]) =>
  done(bench, (context, run) => commands.cancelTagged(context, run, { tags, by: 'me', reason: 'no need' }))

test('RU5 cancelling by tags takes the open tasks with one of them, and what depends on them, each once', () => {
  const bench = decidedRun({
    ...{ a: { tags: ['x'] }, b: { tags: ['x', 'y'], depends_on: ['a'] }, c: { depends_on: ['a'] } },
    ...{ d: { tags: ['z'] }, e: { tags: ['x'] }, f: { tags: ['y'] } },
  })
  bench.set('e', { status: 'completed' })
  const answer = cancelTagged(bench, 'x', 'y')
  expect(steps(answer)).toEqual([
    ['a', 'cancelled'],
    ['b', 'cancelled'],
    ['c', 'cancelled'],
    ['f', 'cancelled'],
  ])
  expect(answer.entries[0]).toMatchObject({ set: { cause: 'no need' }, events: [{ cancelled_by: 'me' }] })
  // Two were asked for: the others came along. It tells of which tags.
  expect(answer).toMatchObject({ changed: true, message: expect.stringMatching(/^2 .*x, y/) as string })
  expect([bench.task('d').status, bench.task('e').status]).toEqual(['enqueued', 'completed'])
  expect(cancelTagged(bench, 'x', 'y')).toEqual(unchanged)
  expect(steps(cancelTagged(bench, 'z'))).toEqual([
    ['d', 'cancelled'],
    ['run.stepped', 'cancelled'],
  ])
})

const restart = (bench: DecidedRun, ...ids: string[]) =>
  done(bench, (context, run) => commands.restartThese(context, run, ids.map(bench.task)))

test('LE9 BU2 tasks are enqueued again, but for those of which the budget is spent: then none is', () => {
  const bench = decidedRun({ a: {}, b: {}, spent: { budget: { max_tokens: 5 } } })
  bench.set('spent', { inputTokens: 6 })
  bench.set('a', { status: 'completed' })
  expect(() => restart(bench, 'a', 'spent')).toThrow(refusal('budget_exceeded'))
  expect(bench.task('a').status).toBe('completed')
  const answer = restart(bench, 'a', 'b')
  expect(steps(answer)).toEqual([
    ['a', 'enqueued'],
    ['b', 'enqueued'],
  ])
  expect(answer).toMatchObject({ changed: true, message: expect.stringContaining('a, b') as string })
})

const receipt: FleetReceipt = {
  ...{ run_id: 'r', task_id: 'a', worker_id: 'w1', attempt: 1, completed_at: '2020-01-01T00:00:00.000Z' },
  ...{ result: 'partial', artifacts: [], score: { value: 0.5, max: 1 }, failure_kind: 'verifier', evidence: 'Look at it.' },
}
const manual = { scorer: { kind: 'manual' } }

/** Task `a` completed with a partial verdict that awaits a person. */
function partial(specs: Specs = { a: manual }, more: Changes = {}): DecidedRun {
  const bench = decidedRun(specs)
  bench.lease('a')
  bench.decide(function* () {
    yield { on: 'r', kind: 'task.stepped', task: 'a', attempt: 1, set: { status: 'completed', ...more }, receipt }
  })
  return bench
}
const settle = (bench: DecidedRun, verdict: Partial<SettleVerdict>, latest: object = {}) =>
  done(bench, (context, run) => {
    const seq = bench.task('a').receipts.at(-1) ?? 0
    const given = { seq, receipt, ...latest }
    return commands.settleTask(context, run, bench.task('a'), given, { result: 'pass', by: 'Ada', ...verdict })
  })
const { failure_kind: _, ...judged } = receipt

test('VE5 a passing verdict replaces the partial one once, with who and why, and frees what waited for it', async () => {
  const bench = partial({ a: manual, after: { depends_on: ['a'] } })
  await bench.clock.advance(4_000)
  const now = bench.clock.now()
  const answer = settle(bench, { why: 'It is good.' })
  expect(answer).toMatchObject({ changed: true, message })
  expect(answer.entries[0]).toStrictEqual({
    ...{ kind: 'task.settled', run: { updatedAt: now }, task: 'a', attempt: 1, set: { settled: true } },
    receipt: {
      ...{ ...judged, completed_at: new Date(now).toISOString(), result: 'pass', score: { value: 1, max: 1 } },
      settled: { by: 'Ada', why: 'It is good.' },
    },
  })
  expect(steps(answer).slice(1)).toEqual([['after', 'enqueued']])
  expect(() => settle(bench, {})).toThrow(refusal('not_settleable', { status: 'completed' }))
})

test('VE5 a failing verdict fails the task for good, with a score of 0 unless another is given, and cancels what waited', () => {
  const bench = partial({ a: manual, after: { depends_on: ['a'] }, other: {} })
  const now = bench.clock.now()
  const answer = settle(bench, { result: 'fail' })
  expect(answer.entries[0]).toMatchObject({
    set: { settled: true, status: 'failed', endedAt: now },
    receipt: { result: 'fail', failure_kind: 'task', score: { value: 0, max: 1 } },
  })
  expect(answer.entries[0]?.receipt?.settled).toStrictEqual({ by: 'Ada' })
  expect(steps(answer).slice(1)).toEqual([['after', 'cancelled']])
  // What is not over goes on.
  expect(bench.run.status).toBe('queued')
  const scored = settle(partial(), { score: { value: 3, max: 5 } })
  expect(scored.entries[0]?.receipt?.score).toEqual({ value: 3, max: 5 })
})

function endedRun(status: RunFields['status']): DecidedRun {
  const bench = partial()
  bench.decide(function* () {
    yield { on: 'r', kind: 'run.stepped', run: { status, completedAt: 1 } }
  })
  return bench
}

test('VE5 a failing verdict turns a run that completed, or was cancelled, to failed; a passing one leaves it', () => {
  const after = (status: RunFields['status'], result: SettleVerdict['result']) => {
    const bench = endedRun(status)
    return steps(settle(bench, { result })).slice(1)
  }
  const failed = [['run.stepped', 'failed']]
  expect([after('completed', 'fail'), after('cancelled', 'fail')]).toEqual([failed, failed])
  expect([after('failed', 'fail'), after('completed', 'pass'), after('cancelled', 'pass')]).toEqual([[], [], []])
})

test('RU3 VE5 the run ends with the verdict where nothing else was open', () => {
  const ends = (result: SettleVerdict['result']) => steps(settle(partial(), { result })).slice(1)
  expect(ends('pass')).toEqual([['run.stepped', 'completed']])
  expect(ends('fail')).toEqual([['run.stepped', 'failed']])
})

test('VE5 what has no partial verdict cannot be settled, nor one that came while the receipt was read', () => {
  const refuses = (bench: DecidedRun, latest: object = {}, stands = 'partial') => {
    const { status } = bench.task('a')
    const refused = { code: 'not_settleable', message: expect.stringContaining(stands) as string, details: { status } }
    expect(() => settle(bench, {}, latest)).toThrow(expect.objectContaining(refused))
    expect(bench.task('a').settled).toBe(false)
  }
  refuses(partial({ a: manual }, { status: 'failed' }), {}, 'failed')
  refuses(decidedRun({ a: manual }), {}, 'enqueued')
  refuses(partial(), { receipt: undefined })
  refuses(partial(), { seq: 1 })
  const passed = partial()
  passed.decide(function* () {
    yield { on: 'r', kind: 'task.stepped', task: 'a', set: {}, receipt: { ...receipt, result: 'pass' } }
  })
  refuses(passed, {}, 'pass')
  const none = decidedRun({ a: manual })
  expect(() =>
    none.decide((context, run) => commands.settleTask(context, run, none.task('a'), undefined, { result: 'pass', by: 'me' })),
  ).toThrow(refusal('not_settleable', { status: 'enqueued' }))
  // Control: the same one can be, as it stands.
  expect(settle(partial(), {})).toMatchObject({ changed: true })
})
