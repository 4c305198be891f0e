import { describe, expect, test } from 'vitest'
import type { FleetOptions } from '../../../src/fleet/options.ts'
import type { FleetReceipt } from '../../../src/protocol/receipt.ts'
import type { Verifier, VerifierInput } from '../../../src/ports/verifier.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { statuses, verdicts } from '../../support/looking.ts'

const prompt = { scorer: { kind: 'code_whale_verifier_prompt', prompt: 'Is it good?' } }

async function ended(options: Pick<FleetOptions, 'verifier'>, more: object = {}) {
  const bench = await openBench(options)
  const tasks = [task('a', { ...prompt, retry_policy: { max_attempts: 1 }, ...more }), task('b', { depends_on: ['a'] })]
  const run = await bench.fleet.start({ name: 'r', tasks })
  await bench.clock.settle()
  bench.transport.attempt('a').complete({ output: { answer: 41 }, exit_code: 0 })
  await bench.clock.settle()
  return { ...bench, run }
}

describe('VE4', () => {
  test('VE4 the verifier is asked with the prompt, the task and what the attempt left, and its answer is the score', async () => {
    const asked: VerifierInput[] = []
    const verifier: Verifier = (input) => (asked.push(input), { value: 8, max: 10, notes: 'nearly', pass: true })
    const { run } = await ended({ verifier })
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({
      ...{ prompt: 'Is it good?', run_id: run.id, attempt: 1, worker: 'w1', output: { answer: 41 }, exit_code: 0 },
      ...{ artifacts: [], previous: [], task: { id: 'a' }, root: process.cwd() },
    })
    expect(await verdicts(run, 'a')).toEqual(['a/1 pass'])
    expect(await run.receipt('a')).toMatchObject({ score: { value: 8, max: 10, notes: 'nearly' }, evidence: 'nearly' })
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'starting' })
  })

  test.each([
    [{ value: 1 }, 'pass'],
    [{ value: 0.99 }, 'fail task'],
    [{ value: 10, max: 10 }, 'pass'],
    [{ value: 9, max: 10 }, 'fail task'],
    [{ value: 9, max: 10, pass: true }, 'pass'],
    [{ value: 1, pass: false }, 'fail task'],
  ])('VE4 an answer of %j is a %s', async (answer, verdict) => {
    const { run } = await ended({ verifier: () => answer })
    expect(await verdicts(run, 'a')).toEqual([`a/1 ${verdict}`])
    expect((await run.receipt('a'))?.score?.value).toBe(answer.value)
  })

  test.each<[string, () => unknown]>([
    ['throws', () => Promise.reject(new Error('the model is away'))],
    ['answers nothing', () => undefined],
    ['answers no number', () => ({ value: 'good' })],
    ['answers no finite number', () => ({ value: Number.NaN })],
    ['answers other words', () => ({ value: 1, pass: 'yes' })],
  ])('VE4 RE7 one that %s is a verifier failure, and raises verifier_failed', async (_, answer) => {
    const { run, store } = await ended({ verifier: answer as Verifier })
    expect(await verdicts(run, 'a')).toEqual(['a/1 fail verifier'])
    expect(store.lines(run.id).join('\n')).toContain('"raised":["verifier_failed"]')
  })

  test('VE4 VE1 one that does not answer in time is a verifier failure, and hears that its time is over', async () => {
    let signal: AbortSignal | undefined
    const verifier: Verifier = (input) => ((signal = input.signal), new Promise(() => undefined))
    const { run, clock } = await ended({ verifier })
    await clock.advance(59_999)
    expect([signal?.aborted, (await statuses(run))['a']]).toEqual([false, 'verifying'])
    await clock.advance(1)
    expect([signal?.aborted, await verdicts(run, 'a')]).toEqual([true, ['a/1 fail verifier']])
  })

  test('VE4 with none registered the receipt is partial, needs_human is raised, dependants wait, and a person settles it', async () => {
    const { run, store, clock } = await ended({})
    expect(await verdicts(run, 'a')).toEqual(['a/1 partial'])
    expect((await run.receipt('a'))?.score).toMatchObject({ value: 0.5, max: 1 })
    expect(store.lines(run.id).join('\n')).toContain('"raised":["needs_human"]')
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'blocked' })
    expect((await run.tasks())[0]?.awaits_verdict).toBe(true)
    expect((await run.explain('b')).waits).toMatchObject([{ for: 'verdict' }])
    await run.settle('a', { result: 'pass', by: 'ada' })
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'starting' })
    expect((await run.tasks())[0]?.awaits_verdict).toBeUndefined()
  })

  test('VE4 what was left to a person stays with them when the next fleet has a verifier', async () => {
    const { run, store, clock } = await ended({})
    store.crash()
    const next = await openBench({ clock, store: store.peer(), seed: 'next', verifier: () => ({ value: 1 }) })
    const again = await next.fleet.run(run.id)
    expect(await statuses(again)).toEqual({ a: 'completed', b: 'blocked' })
    await again.settle('a', { result: 'fail', by: 'ada' })
    await clock.settle()
    expect(await statuses(again)).toEqual({ a: 'failed', b: 'cancelled' })
  })

  test('VE4 SC5 a pass whose expected artifacts are missing is partial, and no person holds up its dependants', async () => {
    const { run, store } = await ended({ verifier: () => ({ value: 1 }) }, { expected_artifacts: ['report'] })
    expect(await verdicts(run, 'a')).toEqual(['a/1 partial'])
    expect(store.lines(run.id).join('\n')).not.toContain('needs_human')
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'starting' })
  })
})

describe('RE3 RE5', () => {
  const mending = { initial_backoff_seconds: 1, max_attempts: 3 }

  async function mended(retry_on?: readonly string[]) {
    const judged: VerifierInput[] = []
    const verifier: Verifier = (input) => {
      judged.push(input)
      if (input.attempt === 1) throw new Error('the file cannot be read: write it as UTF-8')
      return { value: 1, notes: 'good' }
    }
    const bench = await openBench({ verifier })
    const policy = { ...mending, ...(retry_on && { retry_on }) }
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { ...prompt, retry_policy: policy })] })
    await bench.clock.settle()
    bench.transport.attempt('a').complete({ output: 'first' })
    await bench.clock.advance(1_000)
    return { ...bench, run, judged }
  }

  test('RE3 RE5 retry_on verifier gives the next attempt the verdict on the last, and the verifier the receipts before', async () => {
    const { transport, clock, run, judged } = await mended(['verifier'])
    const { assign } = transport.attempt('a')
    expect(assign.attempt).toBe(2)
    const before: Partial<FleetReceipt> = { attempt: 1, result: 'fail', failure_kind: 'verifier', score: { value: 0, max: 1 } }
    expect(assign.previous).toMatchObject([before])
    expect(assign.previous[0]?.evidence).toContain('write it as UTF-8')
    transport.attempt('a').complete({ output: 'second' })
    await clock.settle()
    expect(await verdicts(run)).toEqual(['a/1 fail verifier', 'a/2 pass'])
    expect(judged.map(({ previous }) => previous.length)).toEqual([0, 1])
    expect((await run.summary()).status).toBe('completed')
  })

  test('RE3 without retry_on a verifier failure is not retried', async () => {
    const { transport, run } = await mended()
    expect(transport.attempts).toHaveLength(1)
    expect((await run.summary()).status).toBe('failed')
  })

  test('RE5 what a verifier found wrong with the work is read by the next attempt: score, notes and evidence', async () => {
    const verifier: Verifier = ({ attempt }) => ({ value: attempt === 1 ? 0.4 : 1, notes: `draft ${attempt}: mend the title` })
    const bench = await openBench({ verifier })
    await bench.fleet.start({ name: 'r', tasks: [task('a', { ...prompt, retry_policy: mending })] })
    await bench.clock.settle()
    bench.transport.attempt('a').complete({ output: 'draft' })
    await bench.clock.advance(1_000)
    const notes = 'draft 1: mend the title'
    expect(bench.transport.attempt('a').assign.previous).toMatchObject([
      { attempt: 1, result: 'fail', failure_kind: 'task', score: { value: 0.4, max: 1, notes }, evidence: notes },
    ])
  })
})
