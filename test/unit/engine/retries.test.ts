import fc from 'fast-check'
// The scorer loads it when it is first needed, which would take longer than the virtual clock waits.
import 're2js'
import { expect, test } from 'vitest'
import { backoffMs, decideRetry } from '../../../src/engine/retry.ts'
import type { FailureCause } from '../../../src/engine/retry.ts'
import { FleetRetryPolicy } from '../../../src/protocol/task.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { eventsOf, journalOf, statesOf } from '../../support/journal.ts'
import { createTestTransport } from '../../support/test-transport.ts'

const causes: readonly FailureCause[] = ['transport', 'task', 'verifier', 'timeout', 'stale']
const u64 = fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.maxSafeInteger().map(Math.abs))
const policies = fc.record({
  max_attempts: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  initial_backoff_seconds: u64,
  max_backoff_seconds: u64,
  backoff_multiplier: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
})

test('RE1 an absent policy equals {}', () => {
  const empty = FleetRetryPolicy.parse({})
  for (const cause of causes)
    for (let failures = 1; failures < 8; failures += 1)
      for (const final of [true, false])
        expect(decideRetry(undefined, { cause, final }, failures)).toEqual(decideRetry(empty, { cause, final }, failures))
  // That is three attempts, 5 s and 10 s apart.
  expect([1, 2, 3].map((failures) => decideRetry(undefined, { cause: 'task', final: false }, failures))).toEqual([
    { retry: true, delayMs: 5_000, exhausted: false },
    { retry: true, delayMs: 10_000, exhausted: false },
    { retry: false, delayMs: 0, exhausted: true },
  ])
})

test('RE1 exactly max_attempts attempts are made, the first included; 0 and 1 both mean no retry', async () => {
  for (const [max_attempts, made] of [
    [0, 1],
    [1, 1],
    [2, 2],
    [5, 5],
  ] as const) {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a', { retry_policy: { max_attempts, initial_backoff_seconds: 0 } })],
    })
    for (let n = 0; n < 10; n += 1) {
      await clock.settle()
      transport.attempts.at(-1)?.fail(`no ${n}`)
    }
    await clock.settle()
    expect(transport.attempts).toHaveLength(made)
    expect((await run.receipts('a')).map((receipt) => receipt.attempt)).toEqual(
      Array.from({ length: made }, (_, index) => index + 1),
    )
    expect((await run.summary()).status).toBe('failed')
  }
})

test('RE1 failures, time-outs and stale leases count together; releases do not', async () => {
  const { fleet, clock, transport } = await openBench()
  const policy = { max_attempts: 3, initial_backoff_seconds: 0 }
  const run = await fleet.start({ name: 'r', tasks: [task('a', { timeout_seconds: 30, retry_policy: policy })] })
  await clock.settle()
  // Never accepted: released.
  transport.drop('w1')
  await clock.advance(1_500)
  transport.attempt('a').fail('failed')
  await clock.settle()
  transport.attempt('a').accept()
  await clock.advance(30_000)
  transport.attempt('a').confirm()
  await clock.settle()
  transport.drop('w1')
  await clock.advance(1_500)
  transport.attempt('a').accept()
  await clock.settle()
  transport.drop('w1')
  await clock.settle()
  expect((await run.receipts('a')).map(({ attempt, result, failure_kind }) => [attempt, result, failure_kind])).toEqual([
    [2, 'fail', 'task'],
    [3, 'timeout', 'task'],
    [5, 'fail', 'transport'],
  ])
  expect((await run.summary()).status).toBe('failed')
})

test('RE1 decideRetry retries while fewer than max_attempts attempts failed, for every policy', () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 100 }), (policy, failures) => {
      const { retry, exhausted } = decideRetry(policy, { cause: 'task', final: false }, failures)
      expect(retry).toBe(failures < Math.max(1, policy.max_attempts))
      expect(exhausted).toBe(!retry)
    }),
  )
})

test('RE2 the wait is min(max, initial · multiplier^(n−1)) seconds, saturating, for every policy', () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 4_000 }), (policy, n) => {
      const ms = backoffMs(policy, n)
      expect(Number.isSafeInteger(ms)).toBe(true)
      expect(ms).toBeGreaterThanOrEqual(0)
      // Exactly, in whole numbers.
      let seconds = BigInt(policy.initial_backoff_seconds)
      const most = BigInt(policy.max_backoff_seconds)
      for (let times = 1; times < n && seconds > 0n && (seconds <= most || policy.backoff_multiplier === 0); times += 1) {
        seconds *= BigInt(policy.backoff_multiplier)
        if (policy.backoff_multiplier <= 1) break
      }
      const exact = (seconds < most ? seconds : most) * 1000n
      const bounded = exact < BigInt(Number.MAX_SAFE_INTEGER) ? exact : BigInt(Number.MAX_SAFE_INTEGER)
      // Numbers beyond 2^53 may be off by their own precision.
      const difference = Math.abs(Number(bounded - BigInt(ms)))
      expect(difference).toBeLessThanOrEqual(Number(bounded) * 1e-12)
    }),
  )
})

test('RE2 waits never shrink with more failures, while the multiplier is at least 1', () => {
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 500 }), (policy, n) => {
      fc.pre(policy.backoff_multiplier >= 1)
      expect(backoffMs(policy, n + 1)).toBeGreaterThanOrEqual(backoffMs(policy, n))
    }),
  )
})

test('RE2 attempt n+1 is leased when its wait is over and not before; the moment is in the entry', async () => {
  const { fleet, clock, transport, store } = await openBench()
  const retry_policy = { max_attempts: 5, initial_backoff_seconds: 2, backoff_multiplier: 3, max_backoff_seconds: 10 }
  const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy })] })
  await clock.settle()
  for (const seconds of [2, 6, 10, 10]) {
    const made = transport.attempts.length
    transport.attempt('a').fail('no')
    await clock.settle()
    const entry = (await journalOf(store, run.id)).findLast((one) => one.set?.status === 'backoff')
    expect(entry?.set).toMatchObject({ notBefore: clock.now() + seconds * 1000, notBeforeMs: seconds * 1000 })
    expect((await run.tasks())[0]?.not_before).toBe(new Date(clock.now() + seconds * 1000).toISOString())
    await clock.advance(seconds * 1000 - 1)
    expect(transport.attempts).toHaveLength(made)
    await clock.advance(1)
    expect(transport.attempts).toHaveLength(made + 1)
  }
})

test('RE2 without an initial wait the retry is leased in the same turn', async () => {
  const { fleet, clock, transport } = await openBench()
  await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { initial_backoff_seconds: 0 } })] })
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  expect(transport.attempt('a').assign.attempt).toBe(2)
})

test('RE2 jitter is an option: at most half of the wait, drawn from the seeded source, and recorded', async () => {
  const waits = async (seed: string, jitter: boolean) => {
    const { fleet, clock, transport, store } = await openBench({ seed, limits: { jitter } })
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a', { retry_policy: { initial_backoff_seconds: 1000, max_backoff_seconds: 1000, max_attempts: 5 } })],
    })
    await clock.settle()
    for (let n = 0; n < 4; n += 1) {
      transport.attempt('a').fail('no')
      await clock.advanceUntil(() => transport.attempts.length === n + 2)
    }
    const journal = await journalOf(store, run.id)
    return journal.flatMap((entry) => (entry.set?.status === 'backoff' ? [entry.set.notBeforeMs ?? 0] : []))
  }
  expect(await waits('one', false)).toEqual([1_000_000, 1_000_000, 1_000_000, 1_000_000])
  const jittered = await waits('one', true)
  for (const wait of jittered) expect(wait > 500_000 && wait <= 1_000_000).toBe(true)
  expect(new Set(jittered).size).toBeGreaterThan(1)
  expect(await waits('one', true)).toEqual(jittered)
  expect(await waits('two', true)).not.toEqual(jittered)
})

test('RE3 every failure but verifier is retried by default; retry_on, when given, is the exact set', () => {
  const retried = (retry_on: FailureCause[] | undefined) => {
    const policy = FleetRetryPolicy.parse(retry_on === undefined ? {} : { retry_on })
    return causes.filter((cause) => decideRetry(policy, { cause, final: false }, 1).retry)
  }
  expect(retried(undefined)).toEqual(['transport', 'task', 'timeout', 'stale'])
  fc.assert(
    fc.property(fc.subarray([...causes]), (wanted) => {
      expect(retried(wanted)).toEqual(causes.filter((cause) => wanted.includes(cause)))
    }),
  )
})

test('RE3 a failure that says that it is final is never retried, whatever the policy', () => {
  fc.assert(
    fc.property(policies, fc.constantFrom(...causes), (policy, cause) => {
      expect(decideRetry({ ...policy, retry_on: [...causes] }, { cause, final: true }, 1)).toEqual({
        retry: false,
        delayMs: 0,
        exhausted: false,
      })
    }),
  )
})

test('RE3 only an explicit recoverable: false is final, and the stored event always writes it', async () => {
  for (const [recoverable, attempts] of [
    [undefined, 2],
    [true, 2],
    [false, 1],
  ] as const) {
    const { fleet, clock, transport } = await openBench()
    const retry_policy = { max_attempts: 2, initial_backoff_seconds: 0 }
    const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy })] })
    await clock.settle()
    transport.attempt('a').fail('no', { recoverable })
    await clock.settle()
    expect(transport.attempts).toHaveLength(attempts)
    const failed = (await eventsOf(run)).find((event) => event.event === 'worker.failed')
    expect(failed?.payload).toEqual({ reason: 'no', recoverable: recoverable !== false })
  }
})

test('RE3 what the workspace lacks is a final task failure (WS2)', async () => {
  const { fleet, clock, transport } = await openBench({ files: memoryFiles(), workspace: '/w' })
  const run = await fleet.start({ name: 'r', tasks: [task('a', { workspace: { required_files: ['plan.md'] } })] })
  await clock.settle()
  expect(transport.attempts).toHaveLength(0)
  expect(await run.receipts('a')).toMatchObject([
    { result: 'fail', failure_kind: 'task', evidence: expect.stringContaining('plan.md') },
  ])
  expect((await run.summary()).status).toBe('failed')
})

test('RE4 a retry goes to another worker than the one that failed last, when one is free', async () => {
  const transport = createTestTransport()
  const { fleet, clock } = await openBench({
    workers: ['w1', 'w2', 'w3'].map((id) => ({ id, transport, slots: id === 'w1' ? 9 : 1 })),
  })
  await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 4, initial_backoff_seconds: 0 } })] })
  for (let n = 0; n < 3; n += 1) {
    await clock.settle()
    transport.attempt('a').fail('no')
  }
  await clock.settle()
  const chosen = transport.attempts.map((held) => held.worker)
  expect(chosen).toHaveLength(4)
  for (const [index, worker] of chosen.entries()) if (index > 0) expect(worker).not.toBe(chosen[index - 1])
})

test('RE4 with no other matching worker, the retry goes to the same one', async () => {
  const transport = createTestTransport()
  const { fleet, clock } = await openBench({
    workers: [
      { id: 'w1', transport, capabilities: ['gpu'] },
      { id: 'w2', transport },
    ],
  })
  await fleet.start({
    name: 'r',
    tasks: [task('a', { worker: { capabilities: ['gpu'] }, retry_policy: { initial_backoff_seconds: 0 } })],
  })
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  expect(transport.attempts.map((held) => held.worker)).toEqual(['w1', 'w1'])
})

test('RE5 the worker of a retry sees the receipts of the attempts before it, after a crash of the fleet too', async () => {
  const first = await openBench()
  const run = await first.fleet.start({
    id: 'r',
    name: 'r',
    tasks: [task('a', { retry_policy: { initial_backoff_seconds: 0 } })],
  })
  await first.clock.settle()
  expect(first.transport.attempt('a').assign.previous).toEqual([])
  first.transport.attempt('a').fail('the key was missing')
  await first.clock.settle()
  expect(first.transport.attempt('a').assign.previous).toEqual(await run.receipts('a'))
  expect(first.transport.attempt('a').assign.previous).toMatchObject([{ attempt: 1, evidence: 'the key was missing' }])
  first.store.crash()
  const second = await openBench({ store: first.store.peer(), clock: first.clock, seed: 'second' })
  await second.clock.settle()
  expect(second.transport.attempt('a').assign).toMatchObject({
    attempt: 3,
    previous: [{ attempt: 1, evidence: 'the key was missing' }],
  })
})

test('RE6 exhausted retries end the task failed, with a receipt, and raise restart_exhausted', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 } })],
  })
  for (let n = 0; n < 2; n += 1) {
    await clock.settle()
    transport.attempt('a').fail('no')
  }
  await clock.settle()
  expect((await run.tasks())[0]).toMatchObject({ status: 'failed', attempt: 2, result: 'fail' })
  expect(await run.receipt('a')).toMatchObject({ result: 'fail', failure_kind: 'task', attempt: 2, evidence: 'no' })
  const raised = (await eventsOf(run)).filter((event) => event.event === 'alert.raised')
  expect(raised).toMatchObject([{ task_id: 'a', attempt: 2, payload: { class: 'restart_exhausted' } }])
})

test('RE6 a final failure did not exhaust anything', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').fail('no', { recoverable: false })
  await clock.settle()
  expect((await run.tasks())[0]?.status).toBe('failed')
  expect((await eventsOf(run)).map((event) => event.event)).not.toContain('alert.raised')
})

test('RE7 a non-zero exit and a thrown error are task failures, a lost host and a host error are transport (M31, M32)', async () => {
  const cases: [string, (bench: Awaited<ReturnType<typeof openBench>>) => void, object][] = [
    ['exit code', ({ transport }) => transport.attempt('a').complete({ exit_code: 7 }), { failure_kind: 'task', result: 'fail' }],
    ['thrown', ({ transport }) => transport.attempt('a').fail('boom'), { failure_kind: 'task', result: 'fail' }],
    [
      'host error',
      ({ transport }) => transport.attempt('a').fail('killed by SIGKILL', { failure_kind: 'transport' }),
      { failure_kind: 'transport' },
    ],
    ['lost', ({ transport }) => transport.drop('w1'), { failure_kind: 'transport', result: 'fail' }],
    ['given up', ({ transport }) => transport.attempt('a').confirm(), { failure_kind: 'transport', result: 'fail' }],
  ]
  for (const [name, end, expected] of cases) {
    const bench = await openBench()
    const run = await bench.fleet.start({ name, tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
    await bench.clock.settle()
    bench.transport.attempt('a').accept()
    await bench.clock.settle()
    end(bench)
    await bench.clock.settle()
    expect(await run.receipt('a'), name).toMatchObject(expected)
    const summary = await run.summary()
    expect([summary.task_failed, summary.transport_failed, summary.verifier_failed], name).toEqual(
      'task' === (expected as { failure_kind: string }).failure_kind ? [1, 0, 0] : [0, 1, 0],
    )
  }
})

test('RE7 evidence that says no is a task failure and is retried; a check that could not be made is verifier and is not (M32)', async () => {
  const files = memoryFiles({ '/w/out.txt': 'nothing of the kind', '/w/big.txt': 'x'.repeat(2_000_000) })
  const { fleet, clock, transport } = await openBench({ files, workspace: '/w', slots: 3 })
  const scorer = (path: string) => ({
    scorer: { kind: 'regex_match', path, pattern: '^ok$' },
    retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 },
  })
  const run = await fleet.start({ name: 'r', tasks: [task('no', scorer('out.txt')), task('big', scorer('big.txt'))] })
  for (let n = 0; n < 2; n += 1) {
    await clock.settle()
    for (const held of transport.attempts.slice(-2)) held.complete({ exit_code: 0 })
  }
  await clock.settle()
  expect((await run.receipts('no')).map((receipt) => receipt.failure_kind)).toEqual(['task', 'task'])
  expect((await run.receipts('big')).map((receipt) => receipt.failure_kind)).toEqual(['verifier'])
  expect(await statesOf(run, 'big')).not.toContain('restarted')
  const raised = (await eventsOf(run)).flatMap((event) =>
    event.event === 'alert.raised' ? [[event.task_id, event.payload.class]] : [],
  )
  expect(raised).toEqual(
    expect.arrayContaining([
      ['big', 'verifier_failed'],
      ['no', 'restart_exhausted'],
    ]),
  )
})
