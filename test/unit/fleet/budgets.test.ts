import { expect, test } from 'vitest'
import type { Run } from '../../../src/index.ts'
import { createTestFleet, script, worker } from '../../../src/testing/index.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { statuses, verdicts } from '../../support/looking.ts'

type TestFleet = Awaited<ReturnType<typeof createTestFleet>>

/** A fleet of one worker with eight slots that plays one script for every task. */
function fleetOf(...plays: Parameters<ReturnType<typeof worker>['otherwise']>): Promise<TestFleet> {
  return createTestFleet({ workers: [worker('w1', { slots: 8 }).otherwise(...plays)] })
}

/** The classes of the alerts that the run raised, in order. */
async function alerts(run: Run): Promise<string[]> {
  const raised: string[] = []
  for await (const event of run.events()) if (event.event === 'alert.raised') raised.push(event.payload.class)
  return raised
}

test('BU2 crossing budget.max_tokens asks for what there is, and a result that is handed back in time is partial', async () => {
  await using fleet = await fleetOf(
    script().usage({ inputTokens: 200, outputTokens: 301 }).untilHandBack().complete({ half: true }),
  )
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 500 } })] })
  const result = await fleet.until(run.result())
  expect(result).toMatchObject({ status: 'completed', receipts: { a: { result: 'partial', output: { half: true } } } })
  expect(result.receipts['a']?.evidence).toContain('The budget of the task is spent: 501 of 500 tokens (max_tokens).')
  expect(result.receipts['a']?.spent).toMatchObject({ tokens: 501 })
  expect(await alerts(run)).toEqual(['budget_exceeded', 'run_completed'])
})

test('BU2 a task that spends all that budget.max_tokens allows, and no more, passes', async () => {
  await using fleet = await fleetOf(script().usage({ inputTokens: 200, outputTokens: 300 }).complete())
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 500 } })] })
  await fleet.until(run.result())
  expect(await alerts(run)).toEqual(['run_completed'])
})

test('BU2 who hands nothing back within the grace is stopped, and fails with the limit and the spend', async () => {
  await using fleet = await fleetOf(script().usage({ outputTokens: 501 }).after('1h').complete())
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 500 } })] })
  const began = fleet.now()
  const { status, receipts } = await fleet.until(run.result())
  expect(status).toBe('failed')
  expect(receipts['a']).toMatchObject({ result: 'fail', failure_kind: 'task', attempt: 1 })
  expect(receipts['a']?.evidence).toMatch(/501 of 500 tokens \(max_tokens\)\. It handed nothing back in time\./)
  expect(fleet.now() - began).toBe(10_000)
})

test('BU2 what a worker reports during its grace does not make it longer', async () => {
  const { fleet, transport, clock } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 1 } })] })
  await clock.settle()
  transport.attempt('a').accept()
  const key = { run_id: run.id, task_id: 'a', attempt: 1 }
  const use = () => transport.say('w1', { type: 'usage', ...key, input_tokens: 2, output_tokens: 0 })
  use()
  for (const ms of [4_000, 4_000]) {
    await clock.advance(ms)
    use()
  }
  await clock.advance(1_999)
  expect(await statuses(run)).toEqual({ a: 'running' })
  await clock.advance(1)
  expect(await verdicts(run)).toEqual(['a/1 fail task'])
})

test('BU2 the grace is limits.handBackGraceMs', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('w1').otherwise(script().usage({ outputTokens: 2 }).after('1h').complete())],
    limits: { handBackGraceMs: 2_000 },
  })
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 1 } })] })
  const began = fleet.now()
  await fleet.until(run.result())
  expect(fleet.now() - began).toBe(2_000)
})

test('BU2 crossing is final: what fails over its budget is not tried again', async () => {
  await using fleet = await fleetOf(script().usage({ outputTokens: 9 }).fail('gave up'))
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 5 } }), task('b')] })
  await fleet.until(run.result())
  expect(await verdicts(run, 'a')).toEqual(['a/1 fail task'])
  // Without a budget the same failure is tried again.
  expect(await verdicts(run, 'b')).toHaveLength(3)
})

test('BU1 tool calls are counted from running_tool, one per call_id, against budget.max_tool_calls', async () => {
  await using fleet = await createTestFleet({
    workers: [
      worker('w1').otherwise(async (attempt) => {
        for (const call of ['x', 'x', 'x', 'y']) await attempt.tool('grep', call)
        const before = attempt.handBack.aborted
        await attempt.delay(1)
        await attempt.tool('grep', 'z')
        await attempt.delay(1)
        return { before, asked: attempt.handBack.aborted, why: (attempt.handBack.reason as Error).message }
      }),
    ],
  })
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tool_calls: 2 } })] })
  const { receipts } = await fleet.until(run.result())
  expect(receipts['a']?.output).toEqual({
    before: false,
    asked: true,
    why: 'The budget of the task is spent: 3 of 2 tool calls (max_tool_calls).',
  })
  expect(receipts['a']?.result).toBe('partial')
})

test('BU1 BU2 seconds are measured by the fleet: budget.max_seconds ends an attempt as timeout', async () => {
  await using fleet = await fleetOf(script().after('1h').complete())
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_seconds: 60 } })] })
  const began = fleet.now()
  const { receipts, status } = await fleet.until(run.result())
  expect(status).toBe('failed')
  expect(fleet.now() - began).toBe(70_000)
  expect(receipts['a']).toMatchObject({ result: 'timeout', spent: { seconds: 70 } })
  expect(receipts['a']?.evidence).toContain('60 of 60 seconds (max_seconds)')
  expect(await alerts(run)).toEqual(['budget_exceeded'])
})

test('BU2 what is handed back when the seconds are used up is verified, and partial', async () => {
  await using fleet = await fleetOf(script().untilHandBack().complete('so far'))
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_seconds: 60 } })] })
  const { receipts } = await fleet.until(run.result())
  expect(receipts['a']).toMatchObject({ result: 'partial', output: 'so far', spent: { seconds: 60 } })
})

test('BU2 a verdict on what was handed back can only lower it', async () => {
  await using fleet = await fleetOf(script().usage({ outputTokens: 9 }).untilHandBack().complete())
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { budget: { max_tokens: 5 }, scorer: { kind: 'file_exists', path: 'missing.txt' } })],
  })
  const { receipts } = await fleet.until(run.result())
  expect(receipts['a']).toMatchObject({ result: 'fail' })
  expect(receipts['a']?.evidence).toMatch(/9 of 5 tokens.*missing\.txt/s)
})

test('BU2 a budget only narrows: timeout_seconds that comes first ends the attempt, and it is retried as ever', async () => {
  await using fleet = await fleetOf(script().after('1h').complete())
  const run = await fleet.start({
    name: 'r',
    tasks: [
      task('a', {
        timeout_seconds: 20,
        budget: { max_seconds: 50 },
        retry_policy: { max_attempts: 9, initial_backoff_seconds: 0 },
      }),
    ],
  })
  await fleet.until(run.result())
  // 20 s, 20 s, and the rest of 50 s with its grace.
  expect(await verdicts(run, 'a')).toEqual(['a/1 timeout task', 'a/2 timeout task', 'a/3 timeout task'])
})

test('BU3 retries share the budget of the task', async () => {
  const spend = script().usage({ outputTokens: 300 })
  await using fleet = await fleetOf(spend.fail('first'), spend.fail('second'), spend.complete())
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { budget: { max_tokens: 500 }, retry_policy: { max_attempts: 9, initial_backoff_seconds: 0 } })],
  })
  const { receipts } = await fleet.until(run.result())
  expect(await verdicts(run, 'a')).toEqual(['a/1 fail task', 'a/2 fail task'])
  expect(receipts['a']?.evidence).toContain('600 of 500 tokens')
})

test('BU3 spend survives a crash of the fleet', async () => {
  await using fleet = await fleetOf(script().usage({ outputTokens: 300 }).after('10s').complete())
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 500 } })] })
  await fleet.advance('1s')
  await fleet.crash()
  const again = await fleet.run(run.id)
  const { receipts } = await fleet.until(again.result())
  expect(receipts['a']).toMatchObject({ attempt: 2, spent: { tokens: 600 } })
  expect(receipts['a']?.evidence).toContain('600 of 500 tokens')
})

test('BU3 what a fenced attempt reports late counts, and a task whose budget it spent is not begun again', async () => {
  const { fleet, transport, clock } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 500 } })] })
  await clock.settle()
  transport.attempt('a').fail('once')
  await clock.settle()
  const key = { run_id: run.id, task_id: 'a', attempt: 1 }
  transport.say('w1', { type: 'usage', ...key, input_tokens: 600, output_tokens: 0 })
  await clock.advance(5_000)
  const { receipts } = await run.result()
  expect(receipts['a']).toMatchObject({ attempt: 2, result: 'fail', spent: { tokens: 600 } })
  expect(receipts['a']?.evidence).toContain('It was not begun.')
})

test('BU3 the budget of a run spans its tasks: what runs hands back, what waits is skipped', async () => {
  await using fleet = await createTestFleet({
    workers: [
      worker('w1', { slots: 2 }).otherwise(script().after('1s').usage({ outputTokens: 300 }).untilHandBack().complete('part')),
    ],
  })
  const run = await fleet.start({ name: 'r', budget: { max_tokens: 500 }, tasks: ['a', 'b', 'c', 'd'].map((id) => task(id)) })
  const { status, receipts } = await fleet.until(run.result())
  expect(await statuses(run)).toEqual({ a: 'completed', b: 'completed', c: 'cancelled', d: 'cancelled' })
  expect(receipts['a']).toMatchObject({ result: 'partial', output: 'part' })
  expect(receipts['d']).toMatchObject({ result: 'skip' })
  expect(receipts['d']?.evidence).toContain('The budget of the run is spent: 600 of 500 tokens')
  expect(status).toBe('cancelled')
  expect(await alerts(run)).toEqual(['budget_exceeded'])
})

test('BU3 the seconds of a run are spent by all of its leases together', async () => {
  await using fleet = await fleetOf(script().untilHandBack().complete())
  const run = await fleet.start({ name: 'r', budget: { max_seconds: 40 }, tasks: ['a', 'b', 'c', 'd'].map((id) => task(id)) })
  const began = fleet.now()
  await fleet.until(run.result())
  expect(fleet.now() - began).toBe(10_000)
  expect(await verdicts(run)).toEqual(['a/1 partial', 'b/1 partial', 'c/1 partial', 'd/1 partial'])
})

test('BU3 a run whose budget is spent takes no tasks and tries none again', async () => {
  await using fleet = await fleetOf(script().usage({ outputTokens: 9 }).fail('no'))
  const run = await fleet.start({ name: 'r', open: true, budget: { max_tokens: 5 }, tasks: [task('a')] })
  await fleet.advance('1s')
  expect(await statuses(run)).toEqual({ a: 'failed' })
  await expect(run.add([task('b')])).rejects.toMatchObject({ code: 'budget_exceeded' })
  await expect(run.restart('a')).rejects.toMatchObject({ code: 'budget_exceeded' })
  expect(await run.retryFailed()).toMatchObject({ changed: false })
  expect(await statuses(run)).toEqual({ a: 'failed' })
})

test('BU3 the budget of a run is kept over snapshots and openings', async () => {
  await using fleet = await fleetOf(
    script().usage({ outputTokens: 300 }).complete(),
    script().usage({ outputTokens: 300 }).complete(),
  )
  const run = await fleet.start({ name: 'r', open: true, budget: { max_tokens: 500 }, tasks: [task('a')] })
  await fleet.advance('1s')
  expect((await run.spec()).budget).toEqual({ max_tokens: 500 })
  await fleet.crash()
  const again = await fleet.run(run.id)
  await again.add([task('b')])
  await fleet.advance('11s')
  expect(await alerts(await fleet.run(run.id).then(async (same) => (await same.seal(), same)))).toContain('budget_exceeded')
})

test('BU2 an attempt is told what it may spend: the least that task and run leave', async () => {
  await using fleet = await createTestFleet({
    workers: [
      worker('w1').otherwise(async (attempt) => {
        await attempt.usage({ outputTokens: 100 })
        return attempt.budgetLeft
      }),
    ],
  })
  const run = await fleet.start({
    name: 'r',
    budget: { max_tokens: 250, max_tool_calls: 7 },
    tasks: [task('a'), task('b', { budget: { max_tokens: 200, max_seconds: 30 } })],
  })
  const { receipts } = await fleet.until(run.result())
  expect(receipts['a']?.output).toEqual({ max_tokens: 250, max_tool_calls: 7 })
  expect(receipts['b']?.output).toEqual({ max_tokens: 150, max_tool_calls: 7, max_seconds: 30 })
})

test('BU2 without a budget nobody is asked to hand anything back', async () => {
  await using fleet = await createTestFleet({
    workers: [
      worker('w1').otherwise(async (attempt) => {
        await attempt.usage({ outputTokens: 1_000_000 })
        await attempt.delay(60_000)
        return { asked: attempt.handBack.aborted, left: attempt.budgetLeft }
      }),
    ],
  })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  expect((await fleet.until(run.result())).receipts['a']?.output).toEqual({ asked: false, left: {} })
})

test('BU2 a worker that lives on over a crash still has its grace, and no more', async () => {
  await using fleet = await createTestFleet({
    workers: [worker('far', { remote: true }).otherwise(script().usage({ outputTokens: 9 }).after('1h').complete())],
  })
  const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_tokens: 5 } })] })
  await fleet.advance('4s')
  await fleet.crash()
  const began = fleet.now()
  const { receipts } = await fleet.until((await fleet.run(run.id)).result())
  expect(receipts['a']).toMatchObject({ attempt: 1, result: 'fail' })
  expect(fleet.now() - began).toBe(10_000)
})

test('BU1 BU3 the seconds of a worker that lives on over a crash go on, as if there had been none', async () => {
  const lasted = async (crash: boolean, failFirst: boolean): Promise<number> => {
    const first = failFirst ? script().after('7s').fail('no') : script().after('1h').complete()
    const far = worker('far', { remote: true }).otherwise(first, script().after('1h').complete())
    await using fleet = await createTestFleet({ workers: [far] })
    const retry_policy = { initial_backoff_seconds: 0 }
    const run = await fleet.start({ name: 'r', tasks: [task('a', { budget: { max_seconds: 30 }, retry_policy })] })
    const began = fleet.now()
    await fleet.advance('12s')
    if (crash) await fleet.crash()
    const { receipts } = await fleet.until((await fleet.run(run.id)).result())
    expect(receipts['a']?.evidence).toContain('The budget of the task is spent: 30 of 30 seconds (max_seconds).')
    return fleet.now() - began
  }
  for (const failFirst of [false, true]) expect(await lasted(true, failFirst)).toBe(await lasted(false, failFirst))
  expect(await lasted(false, true)).toBe(await lasted(false, false))
})
