import { expect, test } from 'vitest'
import { failAttempt, releaseAttempt } from '../../../src/engine/attempt-end.ts'
import type { Failure } from '../../../src/engine/attempt-end.ts'
import { cancelTask } from '../../../src/engine/cancel.ts'
import type { Changes, Entry } from '../../../src/engine/entry.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun } from '../../support/decided-run.ts'
import { receiptIn } from '../../support/receipt-in.ts'

const failure: Failure = { cause: 'task', reason: 'It broke.', final: false, stillRunning: false }
const release = { reason: 'fleet_closed', crash: false, stillRunning: false }
const fail = (bench: DecidedRun, more: Partial<Failure> = {}, id = 'a') =>
  bench.decide((context, run) => failAttempt(context, run, bench.task(id), { ...failure, ...more }))
const giveBack = (bench: DecidedRun, more: Partial<typeof release & { until: number }> = {}, id = 'a') =>
  bench.decide((context, run) => releaseAttempt(context, run, bench.task(id), { ...release, ...more }))

/** All that a live attempt may have and that ends with it. */
const ofAttempt = {
  timeoutAt: 9_000,
  timeoutMs: 9_000,
  process: { pid: 1, start_time: 'then' } as never,
  pending: { output: null, exitCode: null },
  permissions: {} as never,
  route: {} as never,
} satisfies Changes
const waits = { notBefore: 5_000, notBeforeMs: 5_000 } satisfies Changes
const nothingOf = (fields: object) => Object.fromEntries(Object.keys(fields).map((name) => [name, null]))
const states = (entry: Entry | undefined) => (entry?.events ?? []).map(({ state }) => state)
const running = { state: 'running' } as const
const now = { retry_policy: { initial_backoff_seconds: 0 } }
const once = { retry_policy: { max_attempts: 1 } }

function leased(spec: Record<string, unknown> = {}, more: Changes = {}): DecidedRun {
  const bench = decidedRun({ a: spec })
  bench.lease('a')
  bench.set('a', more)
  return bench
}

test('RE2 a failure that is retried waits for its moment, or is queued at once where there is no wait', () => {
  const later = leased()
  const at = later.clock.now()
  const [entry, ...more] = fail(later)
  expect(more).toEqual([])
  expect(entry).toMatchObject({
    ...{ kind: 'task.stepped', task: 'a', attempt: 1, worker: 'w1', effects: undefined, raised: undefined },
    set: { status: 'backoff', failures: 1, failedOn: 'w1', enqueuedAt: at, notBefore: at + 5_000, notBeforeMs: 5_000 },
    events: [{ state: 'failed', reason: 'It broke.', recoverable: true }],
    receipt: { result: 'fail', failure_kind: 'task', evidence: 'It broke.' },
  })
  expect(later.task('a').endedAt).toBe(null)
  const [atOnce] = fail(leased(now))
  expect(atOnce).toMatchObject({ set: { status: 'enqueued', notBefore: null } })
  expect(atOnce?.events).toMatchObject([{ state: 'failed' }, { state: 'queued' }])
})

test('RE6 a failure without attempts left ends the task, and its run with it', () => {
  const bench = leased(once, waits)
  const entries = fail(bench)
  expect(entries).toMatchObject([
    {
      set: { status: 'failed', endedAt: bench.clock.now(), notBefore: null, notBeforeMs: null },
      raised: ['restart_exhausted'],
    },
    { kind: 'run.stepped', run: { status: 'failed' } },
  ])
  expect(states(entries[0])).toEqual(['failed'])
  expect(fail(leased(), { final: true })[0]).toMatchObject({
    events: [{ state: 'failed', recoverable: false }],
    raised: undefined,
  })
})

test('LE8 VE6 what an attempt had ends with it, however it ends; what it never had is not spoken of', () => {
  const failed = leased(once, ofAttempt)
  fail(failed)
  expect(failed.task('a')).toMatchObject(nothingOf(ofAttempt))
  const { pending: _, ...live } = ofAttempt
  const released = leased({}, live)
  giveBack(released)
  expect(released.task('a')).toMatchObject(nothingOf(live))
  const cancelled = leased({}, { ...ofAttempt, ...waits, overBudget: { limit: 'max_tokens', reason: 'It is spent.' } })
  cancelled.decide((context, run) => cancelTask(context, run, cancelled.task('a'), { by: 'me', reason: 'so', cause: null }))
  expect(cancelled.task('a')).toMatchObject({ ...nothingOf({ ...ofAttempt, ...waits }), overBudget: null })
  // An entry carries changed fields alone (CO4).
  expect(Object.keys(fail(leased(once))[0]?.set ?? {}).sort()).toEqual(
    ['attempt', 'endedAt', 'failedOn', 'failures', 'spentMs', 'status'].sort(),
  )
  expect(Object.keys(giveBack(leased())[0]?.set ?? {}).sort()).toEqual(
    ['attempt', 'enqueuedAt', 'released', 'spentMs', 'status'].sort(),
  )
})

test('BU1 an attempt has spent the time until its end, or until it was last known to work', async () => {
  const spent = async (end: (bench: DecidedRun) => unknown) => {
    const bench = leased({}, { spentMs: 700 })
    await bench.clock.advance(4_000)
    end(bench)
    return bench.task('a').spentMs
  }
  const before = (bench: DecidedRun) => ({ until: bench.clock.now() - 3_000 })
  expect(await spent((bench) => fail(bench))).toBe(4_700)
  expect(await spent((bench) => fail(bench, before(bench)))).toBe(1_700)
  expect(await spent((bench) => giveBack(bench))).toBe(4_700)
  expect(await spent((bench) => giveBack(bench, before(bench)))).toBe(1_700)
})

test('LE4 a stale attempt is told of, with what was heard last where anything was; out of attempts it has failed too', () => {
  const [retried] = fail(leased(now), { cause: 'stale', lastHeartbeatAt: 1_000, stillRunning: true })
  expect(retried).toMatchObject({
    ...{ set: { stale: true }, effects: ['worker.stop'], raised: ['stale'] },
    events: [{ state: 'stale', last_heartbeat_at: '1970-01-01T00:00:01.000Z' }, { state: 'queued' }],
    receipt: { result: 'fail', failure_kind: 'transport', terminal_seq: 1 },
  })
  const [exhausted] = fail(leased(once), { cause: 'stale' })
  expect(exhausted?.events).toEqual([
    { state: 'stale' },
    { state: 'failed', reason: expect.stringContaining('1 attempt(s)') as string, recoverable: false },
  ])
  expect(exhausted?.raised).toEqual(['stale', 'restart_exhausted'])
  expect(receiptIn(exhausted).terminal_seq).toBe(2)
  expect(fail(leased(), { cause: 'transport' })[0]?.set).not.toHaveProperty('stale')
})

test('RE7 VE6 each cause has its result and its kind of failure, and a check that could not be made is worth an alert', () => {
  const receipts = (['transport', 'task', 'verifier', 'timeout', 'stale'] as const).map((cause) => {
    const [entry] = fail(leased(), { cause })
    return [cause, entry?.receipt?.result, entry?.receipt?.failure_kind, entry?.raised]
  })
  expect(receipts).toEqual([
    ['transport', 'fail', 'transport', undefined],
    ['task', 'fail', 'task', undefined],
    ['verifier', 'fail', 'verifier', ['verifier_failed']],
    ['timeout', 'timeout', 'task', undefined],
    ['stale', 'fail', 'transport', ['stale']],
  ])
})

test('EV1 the artifacts of an end are told before it, and the receipt names the last event of its attempt', () => {
  const artifact = { kind: 'log', uri: 'blob:1' } as never
  const bench = leased(now)
  bench.decide(function* (_, run) {
    yield { on: run.header.id, kind: 'task.reported', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1, events: [running] }
  })
  const [entry] = fail(bench, { artifacts: [artifact] })
  expect(states(entry)).toEqual(['artifact', 'failed', 'queued'])
  expect(entry).toMatchObject({ workerSeq: 2, receipt: { terminal_seq: 3, artifacts: [artifact] } })
})

test('BU2 a failure over budget is final, names the limit first, and is raised unless it was when the worker was asked', () => {
  const over = { limit: 'max_tokens', reason: 'It is spent.' } as const
  const spent = (more: Changes = {}) => leased({ budget: { max_tokens: 5 } }, { inputTokens: 9, ...more })
  const [found] = fail(spent())
  expect(found).toMatchObject({ set: { status: 'failed' }, raised: ['budget_exceeded'], receipt: { result: 'fail' } })
  expect(found?.receipt?.evidence).toMatch(/9 of 5 tokens.* It broke\.$/)
  expect(fail(spent({ overBudget: over }))[0]).toMatchObject({ set: { overBudget: null }, raised: undefined })
  const ofRun = leased()
  ofRun.decide(function* (_, run) {
    yield { on: run.header.id, kind: 'run.over_budget', run: { overBudget: over } }
  })
  expect(fail(ofRun)[0]).toMatchObject({ set: { status: 'failed' }, raised: undefined })
  // A scorer's word is kept behind it.
  const verdict = { score: { value: 0.2, max: 1 }, evidence: 'No tests.' }
  const [scored] = fail(spent(), { verdict })
  expect(scored?.receipt).toMatchObject({
    score: verdict.score,
    evidence: expect.stringMatching(/tokens.* No tests\.$/) as string,
  })
})

test('BU1 BU3 time that passed after an attempt was last known to work does not put it over its budget', async () => {
  const seconds = { ...now, budget: { max_seconds: 10 } }
  for (const end of [fail, giveBack]) {
    const bench = leased(seconds)
    await bench.clock.advance('60s')
    expect(end(bench, { until: bench.clock.now() - 55_000 })[0]?.set?.status).toBe('enqueued')
    const late = leased(seconds)
    await late.clock.advance('60s')
    expect(end(late)[0]?.set?.status).toBe('failed')
  }
})

test('LE8 a release gives the lease back without a receipt or a failure, in the order in which the task was enqueued', async () => {
  const bench = decidedRun({ a: {} })
  const { enqueuedAt } = bench.task('a')
  await bench.clock.advance('9s')
  bench.lease('a')
  const entries = giveBack(bench, { stillRunning: true })
  expect(entries).toMatchObject([
    {
      ...{ kind: 'task.stepped', task: 'a', attempt: 1, receipt: undefined, effects: ['worker.stop'] },
      set: { status: 'enqueued', enqueuedAt, released: true },
      events: [{ state: 'interrupted', signal: 'fleet_closed' }, { state: 'queued' }],
    },
  ])
  bench.lease('a')
  expect(giveBack(bench)[0]?.effects).toBe(undefined)
})

test('LE8 the third release in a row by a crash is a transport failure; others in between do not count', () => {
  const bench = leased(now)
  const crash = { crash: true, until: bench.clock.now() }
  expect(giveBack(bench, crash)[0]?.set).toMatchObject({ status: 'enqueued', crashes: 1 })
  bench.lease('a')
  expect(giveBack(bench, crash)[0]?.set).toMatchObject({ status: 'enqueued', crashes: 2 })
  bench.lease('a')
  const [third] = giveBack(bench, crash)
  expect(third).toMatchObject({
    set: { status: 'enqueued', failures: 1, crashes: 0 },
    receipt: { failure_kind: 'transport', evidence: expect.stringContaining('3 times in a row') as string },
    // The crash ended it: there is nobody to stop.
    effects: undefined,
  })
})

test('LE9 an attempt after a release is no restart; once it has failed the next one is', () => {
  const bench = leased(now)
  giveBack(bench)
  expect(bench.task('a').released).toBe(true)
  bench.lease('a')
  expect(fail(bench)[0]?.set).toMatchObject({ released: false })
  bench.lease('a')
  expect(fail(bench)[0]?.set).not.toHaveProperty('released')
})

test('BU2 a release over budget is a final failure, with the reason of the release behind it', () => {
  const bench = leased({ budget: { max_tokens: 5 } }, { outputTokens: 6 })
  const [entry] = giveBack(bench, { stillRunning: true })
  expect(entry).toMatchObject({
    set: { status: 'failed' },
    effects: ['worker.stop'],
    events: [{ state: 'failed', recoverable: false }],
    receipt: { result: 'fail', evidence: expect.stringMatching(/tokens.* fleet_closed$/) as string },
  })
})

test('SC5 an attempt whose dependency was restarted meanwhile waits for it; of one that ended badly it is cancelled', () => {
  for (const end of [fail, giveBack]) {
    for (const policy of [now, {}]) {
      const bench = decidedRun({ before: {}, a: { depends_on: ['before'], ...policy } })
      bench.lease('before')
      bench.set('before', { status: 'completed' })
      bench.set('a', { status: 'enqueued' })
      bench.lease('a')
      bench.set('before', { status: 'enqueued' })
      const entries = end(bench, {}, 'a')
      expect(entries).toHaveLength(1)
      expect(entries[0]?.set?.status).toBe('blocked')
      // It is queued when its dependency has completed again.
      expect(states(entries[0])).toEqual([end === fail ? 'failed' : 'interrupted'])
    }
    // What has failed for good waits for nothing.
    const final = decidedRun({ before: {}, a: { depends_on: ['before'], budget: { max_tokens: 5 } } })
    final.set('a', { status: 'enqueued', inputTokens: 6 })
    final.lease('a')
    expect(end(final, {}, 'a')[0]?.set?.status).toBe('failed')
    const hopeless = decidedRun({ before: {}, a: { depends_on: ['before'], ...now } })
    hopeless.set('a', { status: 'enqueued' })
    hopeless.lease('a')
    hopeless.set('before', { status: 'failed' })
    expect(end(hopeless, {}, 'a').map(({ set, run }) => set?.status ?? run?.status)).toEqual(['blocked', 'cancelled', 'failed'])
  }
})

test('RE2 jitter is drawn only when it is asked for', () => {
  const waited = (jitter: boolean) => {
    const bench = decidedRun({ a: {} }, { defaults: { jitter }, draw: 0.5 })
    bench.lease('a')
    fail(bench)
    return bench.task('a').notBeforeMs
  }
  expect([waited(false), waited(true)]).toEqual([5_000, 3_750])
})
