import { expect, test } from 'vitest'
import * as report from '../../../../src/engine/commands/report.ts'
import type { DecideContext } from '../../../../src/engine/decide.ts'
import type { Changes, Decision } from '../../../../src/engine/entry.ts'
import type { RunState, TaskState } from '../../../../src/engine/state.ts'
import type { Verdict } from '../../../../src/ports/scorer.ts'
import type { Confinement, ProgressEvent } from '../../../../src/protocol/wire.ts'
import { usualTerms } from '../../../../src/security/trust.ts'
import { decidedRun } from '../../../support/decided-run.ts'
import type { DecidedRun } from '../../../support/decided-run.ts'
import { said } from '../../../support/drafts.ts'
import { receiptIn } from '../../../support/receipt-in.ts'

const key = { run_id: 'r', task_id: 'a', attempt: 1 }
const log = { kind: 'log', path: 'log.txt', size_bytes: 3 }
const process = { group: 7, started: 'then' }
const scored = { scorer: { kind: 'file_exists', path: 'x' } }
const untried = { retry_policy: { max_attempts: 1 } }
const limited = { timeoutAt: 9, timeoutMs: 9, process } satisfies Changes
const ended = { status: 'completed', attempt: 1 }
const nothing = (...names: (keyof Changes)[]) => Object.fromEntries(names.map((name) => [name, null]))

function leased(spec: Record<string, unknown> = {}, more: Changes = {}): DecidedRun {
  const bench = decidedRun({ a: spec, other: {} })
  bench.lease('a')
  bench.set('a', more)
  return bench
}

/** What is decided of the task `a`, as it is said. */
const of = (bench: DecidedRun, by: (context: DecideContext, run: RunState, task: TaskState) => Decision) =>
  said(bench.decide((context, run) => by(context, run, bench.task('a'))))

test('LE7 the time limit of an attempt runs from when its worker begins: its own, or the fleet’s', () => {
  const begun = (spec: Record<string, unknown>, message: object, more: Changes = {}) => {
    const bench = decidedRun({ a: spec })
    bench.lease('a', { awaits: true })
    bench.set('a', more)
    return { bench, entries: of(bench, (...at) => report.accept(...at, { type: 'accepted', ...key, ...message })) }
  }
  const { bench, entries } = begun({ timeout_seconds: 7 }, {})
  const now = bench.clock.now()
  const step = { status: 'running', attempt: 1 }
  const about = {
    kind: 'task.stepped',
    task: 'a',
    attempt: 1,
    worker: 'w1',
    workerSeq: 1,
    events: [{ state: 'running' }],
  }
  expect(entries).toStrictEqual([{ ...about, set: { ...step, timeoutAt: now + 7_000, timeoutMs: 7_000 } }])
  // It begins once.
  expect(of(bench, (...at) => report.accept(...at, { type: 'accepted', ...key }))).toEqual([])
  const [usual] = begun({}, { process }, { stale: true }).entries
  expect(usual?.set).toStrictEqual({ ...step, timeoutAt: now + 1_800_000, timeoutMs: 1_800_000, process, stale: false })
})

test('EV6 BU1 progress is kept as it was said; a call that is new counts, and shows that the task is heard of again', () => {
  const event: ProgressEvent = { state: 'running_tool', tool: 'grep', call_id: '1' }
  const progress = (bench: DecidedRun, newCall: boolean) =>
    of(bench, (...at) => report.progress(...at, { type: 'progress', ...key, event }, newCall))
  const bench = leased({}, { toolCalls: 2 })
  const about = { kind: 'task.reported', task: 'a', attempt: 1, worker: 'w1', events: [event] }
  expect(progress(bench, false)).toStrictEqual([{ ...about, workerSeq: 1, set: {} }])
  expect(progress(bench, true)).toStrictEqual([{ ...about, workerSeq: 2, set: { toolCalls: 3 } }])
  bench.set('a', { stale: true })
  expect(progress(bench, false)[0]?.set).toStrictEqual({ stale: false })
})

test('BU2 a tool call is held against the budget; progress that spends nothing is not', () => {
  const kinds = (newCall: boolean) => {
    const bench = leased({ budget: { max_tool_calls: 1 } }, { toolCalls: newCall ? 1 : 2 })
    const event: ProgressEvent = { state: 'model_wait' }
    return of(bench, (...at) => report.progress(...at, { type: 'progress', ...key, event }, newCall)).map(({ kind }) => kind)
  }
  expect(kinds(true)).toEqual(['task.reported', 'task.over_budget'])
  expect(kinds(false)).toEqual(['task.reported'])
})

test('BU3 tokens add to the spend, whatever attempt spent them, and are held against the budget; none say nothing', () => {
  const bench = leased({ budget: { max_tokens: 100 } }, { inputTokens: 10, outputTokens: 20 })
  const spend = (input_tokens: number, output_tokens: number) =>
    of(bench, (...at) => report.spend(...at, { type: 'usage', ...key, attempt: 4, input_tokens, output_tokens }))
  const about = { kind: 'task.reported', task: 'a', attempt: 4 }
  expect(spend(0, 0)).toEqual([])
  expect(spend(1, 0)).toStrictEqual([{ ...about, set: { inputTokens: 11, outputTokens: 20 } }])
  expect(spend(0, 2)).toStrictEqual([{ ...about, set: { inputTokens: 11, outputTokens: 22 } }])
  expect(spend(60, 8).map(({ kind }) => kind)).toEqual(['task.reported', 'task.over_budget'])
})

test('VE6 a route that a worker reports is kept for the receipt, and an artifact under the attempt that left it', () => {
  const bench = leased()
  const route = { provider_id: 'p', provider_kind: 'k', protocol: 'h' }
  expect(of(bench, (...at) => report.noteRoute(...at, route))).toStrictEqual([
    { kind: 'task.reported', task: 'a', attempt: 1, set: { route } },
  ])
  const about = { kind: 'task.reported', task: 'a', workerSeq: 1, events: [{ state: 'artifact', ...log }] }
  expect(of(bench, (...at) => report.recordArtifact(...at, 3, 'w2', log))).toStrictEqual([{ ...about, attempt: 3, worker: 'w2' }])
})

test('VE2 a result with another exit code than 0 is a failure of the work, which may be tried again, and no scorer is asked', () => {
  const bench = leased(scored)
  const message = { type: 'result', ...key, exit_code: 2 } as const
  expect(of(bench, (...at) => report.finish(...at, message, log))).toMatchObject([
    {
      ...{ kind: 'task.stepped', task: 'a', set: { status: 'backoff' } },
      events: [{ state: 'artifact' }, { state: 'failed', reason: 'exit code 2', recoverable: true }],
      receipt: { result: 'fail', failure_kind: 'task', evidence: 'exit code 2', artifacts: [log] },
    },
  ])
  const [entry] = of(leased(scored), (...at) => report.finish(...at, { ...message, exit_code: 0 }, undefined))
  expect(entry).toMatchObject({ set: { status: 'verifying' }, events: [{ state: 'completed', exit_code: 0 }] })
  expect(entry).not.toHaveProperty('receipt')
  // Nobody works any more whom one could stop.
  expect(of(leased(scored), (...at) => report.finish(...at, message, undefined))[0]).not.toHaveProperty('effects')
})

test('VE1 a result whose scorer is an effect waits in verifying with what the scorer will be told, and its time limit ends', () => {
  const verifying = (spec: object, message: object, more: Changes = {}, confined?: Confinement) => {
    const bench = leased({ ...scored, ...spec }, more)
    const terms = { ...usualTerms, confined }
    return of(bench, (context, ...at) =>
      report.finish({ ...context, termsOf: () => terms }, ...at, { type: 'result', ...key, ...message }, undefined),
    )
  }
  const about = { kind: 'task.stepped', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1, effects: ['scorer.run'] }
  const step = { ...ended, status: 'verifying' }
  expect(verifying({}, {})).toStrictEqual([
    { ...about, set: { ...step, pending: { output: null, exitCode: null } }, events: [{ state: 'completed' }] },
  ])
  const confined = { network: false, writable_paths: [] }
  const full = { output: { a: 1 }, exit_code: 0, summary: 'Done.', evidence_root: '/e' }
  expect(verifying({}, full, limited, confined)).toStrictEqual([
    {
      ...about,
      set: {
        ...{ ...step, ...nothing('timeoutAt', 'timeoutMs', 'process') },
        pending: { output: { a: 1 }, exitCode: 0, confined, evidenceRoot: '/e' },
      },
      events: [{ state: 'completed', exit_code: 0, summary: 'Done.' }],
    },
  ])
})

test('VE1 AR5 the log of a result is told before its end, and counts among its artifacts', () => {
  const bench = leased({ scorer: { kind: 'exit_code' }, expected_artifacts: ['log'] })
  const [entry] = of(bench, (...at) => report.finish(...at, { type: 'result', ...key, exit_code: 0 }, log))
  expect(entry).toMatchObject({
    events: [{ state: 'artifact', ...log }, { state: 'completed' }],
    receipt: { result: 'pass', artifacts: [log] },
  })
  expect(receiptIn(entry).terminal_seq).toBe(2)
})

test('VE6 a verdict at once is one entry: the end, its receipt, and nothing of what a live attempt has', () => {
  const bench = leased({ scorer: { kind: 'exit_code' } })
  const now = bench.clock.now()
  const message = { type: 'result', ...key, exit_code: 0, output: 5 } as const
  const [entry, ...more] = of(bench, (...at) => report.finish(...at, message, undefined))
  expect(more).toEqual([])
  expect(entry).toStrictEqual({
    ...{ kind: 'task.stepped', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1 },
    set: { ...ended, endedAt: now, spentMs: 0 },
    events: [{ state: 'completed', exit_code: 0 }],
    receipt: expect.objectContaining({ result: 'pass', output: 5 }) as unknown,
  })
  expect(receiptIn(entry)).toMatchObject({ terminal_seq: 1, artifacts: [], attempt: 1, worker_id: 'w1' })
  expect(entry?.receipt?.score).toMatchObject({ value: 1, max: 1 })
})

test('VE6 RU7 all that a live attempt had ends with its verdict, and it is stale no more', async () => {
  const had = { ...limited, permissions: usualTerms.permissions, route: {} as never } satisfies Changes
  const bench = leased({}, { ...had, stale: true, overBudget: { limit: 'max_tokens', reason: 'It is spent.' }, spentMs: 100 })
  await bench.clock.advance(2_000)
  const [entry] = of(bench, (...at) => report.finish(...at, { type: 'result', ...key }, undefined))
  const cleared = nothing('timeoutAt', 'timeoutMs', 'process', 'permissions', 'route', 'overBudget')
  expect(entry?.set).toStrictEqual({ ...ended, endedAt: bench.clock.now(), spentMs: 2_100, ...cleared, stale: false })
})

const pass: Verdict = { result: 'pass', score: { value: 0.9, max: 1 }, evidence: 'It is good.' }
function judged(verdict: Verdict, spec: object = {}, more: Changes = {}, kept: readonly (typeof log)[] = []) {
  const bench = leased({ ...scored, ...spec })
  bench.set('a', { status: 'verifying', pending: { output: 7, exitCode: null }, ...more })
  return of(bench, (...at) => report.verdictReached(...at, verdict, kept))
}

test('VE1 VE6 a verdict that was waited for completes the task with the output that waited, and with the evidence that was kept', () => {
  const evidence = { ...log, kind: 'evidence' }
  const [entry, ...more] = judged(pass, {}, {}, [evidence])
  expect(more).toEqual([])
  expect(entry).toMatchObject({
    ...{ set: { ...ended, pending: null }, worker: 'w1', workerSeq: 1 },
    events: [{ state: 'artifact', ...evidence }],
    receipt: {
      ...{ result: 'pass', score: pass.score, evidence: 'It is good.', output: 7, artifacts: [evidence] },
    },
  })
  expect(receiptIn(entry).terminal_seq).toBe(1)
  expect(entry).not.toHaveProperty('raised')
  const [silent] = judged(pass, {}, { pending: { output: null, exitCode: null } })
  expect(silent?.receipt).not.toHaveProperty('output')
  // Nothing more is said by it.
  expect(silent).not.toHaveProperty('worker')
  expect(receiptIn(silent)).toMatchObject({ worker_id: 'w1', terminal_seq: 0 })
  expect(judged(pass, {}, { pending: { output: false, exitCode: null } })[0]?.receipt?.output).toBe(false)
})

test('VE5 AR5 BU2 a pass is partial at best where artifacts are missing, or the budget was spent, and says which', () => {
  const half = { result: 'partial', score: { value: 0.5, max: 1 } }
  const [missing] = judged(pass, { expected_artifacts: ['patch', 'log', 'report'] }, {}, [log])
  expect(missing?.receipt).toMatchObject({ ...half, evidence: 'It is good.\nExpected artifacts are missing: patch, report.' })
  // Nobody is asked: the scorer said its word.
  expect(missing).not.toHaveProperty('raised')
  expect(missing?.set).not.toHaveProperty('undecided')
  const [spent] = judged({ ...pass, evidence: '' }, {}, { overBudget: { limit: 'max_tokens', reason: 'It is spent.' } })
  expect(spent?.receipt).toMatchObject({ ...half, evidence: 'It is spent.' })
  expect(spent?.set).toMatchObject({ status: 'completed', overBudget: null })
  const unsure: Verdict = { result: 'partial', score: { value: 0.3, max: 1 }, evidence: 'Who knows?' }
  const [asked] = judged(unsure)
  expect(asked).toMatchObject({ set: { undecided: true }, raised: ['needs_human'] })
  expect(asked?.receipt).toMatchObject({ result: 'partial', score: unsure.score, evidence: 'Who knows?' })
})

test('VE5 a result without a scorer is partial, and nobody is asked to judge it', () => {
  const [entry] = of(leased(), (...at) => report.finish(...at, { type: 'result', ...key }, undefined))
  expect(entry?.receipt).toMatchObject({ result: 'partial', score: { value: 0.5 } })
  expect(entry?.set).not.toHaveProperty('undecided')
  expect(entry).not.toHaveProperty('raised')
})

test('VE4 a task that a scorer could not judge before is undecided no more once it could', () => {
  expect(judged(pass, {}, { undecided: true })[0]?.set).toMatchObject({ undecided: false })
})

test('SC5 RU3 what a verdict ends sets off what follows: dependants, and the end of the run', () => {
  const bench = decidedRun({ a: scored, next: { depends_on: ['a'] } })
  bench.lease('a')
  bench.set('a', { status: 'verifying', pending: { output: 7, exitCode: null } })
  const entries = of(bench, (...at) => report.verdictReached(...at, pass, []))
  expect(entries.map(({ task, set }) => [task, set?.status])).toEqual([
    ['a', 'completed'],
    ['next', 'enqueued'],
  ])
})

test('VE6 RE7 a verdict against the result fails the attempt with the kind, the score and the words of its scorer', () => {
  const no: Verdict = { result: 'fail', score: { value: 0.2, max: 1 }, evidence: 'It is not there.' }
  expect(judged(no, {}, {}, [log])).toMatchObject([
    {
      set: { status: 'backoff', pending: null },
      events: [{ state: 'artifact' }, { state: 'failed', reason: 'It is not there.', recoverable: true }],
      receipt: { result: 'fail', failure_kind: 'task', score: no.score, evidence: no.evidence, artifacts: [log] },
    },
  ])
  expect(judged(no)[0]).not.toHaveProperty('effects')
  expect(judged({ ...no, failureKind: 'transport' })[0]?.receipt).toMatchObject({ failure_kind: 'transport' })
  expect(judged({ ...no, failureKind: 'verifier' }, untried)[0]).toMatchObject({
    ...{ set: { status: 'failed' }, raised: ['verifier_failed'] },
    receipt: { failure_kind: 'verifier' },
  })
})

test('RE3 a failure that a worker reports is retried unless it says that it is final, and keeps its kind and its log', () => {
  const failed = (more: object, kept?: typeof log) =>
    of(leased(), (...at) =>
      report.fail(...at, { type: 'failed', ...key, reason: 'It broke.', failure_kind: 'task', ...more }, kept),
    )
  expect(failed({})).toMatchObject([
    {
      set: { status: 'backoff' },
      events: [{ state: 'failed', reason: 'It broke.', recoverable: true }],
      receipt: { failure_kind: 'task', evidence: 'It broke.' },
    },
  ])
  expect(failed({})[0]).not.toHaveProperty('effects')
  expect(failed({ recoverable: true })[0]).toMatchObject({ set: { status: 'backoff' } })
  expect(failed({ recoverable: false })[0]).toMatchObject({ set: { status: 'failed' }, events: [{ recoverable: false }] })
  expect(failed({ failure_kind: 'transport' })[0]?.receipt).toMatchObject({ failure_kind: 'transport' })
  expect(failed({}, log)[0]).toMatchObject({
    events: [{ state: 'artifact' }, { state: 'failed' }],
    receipt: { artifacts: [log] },
  })
})
