import { describe, expect, test } from 'vitest'
import { entriesOf, fieldsOf, statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { defineTask } from '../../../src/worker/define-task.ts'
import type { Run } from '../../../src/fleet/run-handle.ts'
import type { StandardSchema } from '../../../src/worker/standard-schema.ts'

const once = { retry_policy: { max_attempts: 1 } }
const file = (path: string) => ({ scorer: { kind: 'file_exists', path }, ...once })

/** A bench whose workspace is `/base`, and whose scorer waits until it is let go. */
async function slowScorer(more: object = {}) {
  let go: () => void = () => undefined
  const gone = new Promise<void>((resolve) => (go = resolve))
  const plain = memoryFiles({ '/base/done.txt': 'x' })
  const files = {
    ...plain,
    facts: (path: string) => (path.endsWith('done.txt') ? gone : Promise.resolve()).then(() => plain.facts(path)),
  }
  return { ...(await openBench({ files, workspace: '/base', ...more })), go }
}

async function ended(
  bench: BenchFleet,
  more: Record<string, unknown>,
  result: Parameters<ReturnType<BenchFleet['transport']['attempt']>['complete']>[0] = {},
) {
  const run = await bench.fleet.start({ name: 'r', tasks: [task('a', more)] })
  await bench.clock.settle()
  bench.transport.attempt('a').complete(result)
  await bench.clock.settle()
  return run
}

describe('VE1', () => {
  test('VE1 a worker’s word is not enough: the scorer decides (T7)', async () => {
    const files = memoryFiles({ '/base/there.txt': 'x' })
    const run = await ended(await openBench({ files, workspace: '/base' }), file('missing.txt'), {
      exit_code: 0,
      summary: 'all done',
    })
    expect(await verdicts(run)).toEqual(['a/1 fail task'])
    const good = await ended(await openBench({ files, workspace: '/base' }), file('there.txt'), { exit_code: 0 })
    expect(await verdicts(good)).toEqual(['a/1 pass'])
  })

  test('VE1 entering verifying ends the deadline of the lease and the time limit', async () => {
    const bench = await slowScorer({ limits: { scorerTimeoutMs: 3_600_000 } })
    const run = await ended(bench, { ...file('done.txt'), timeout_seconds: 30 })
    expect(await statuses(run)).toEqual({ a: 'verifying' })
    await bench.clock.advance(1_800_000)
    expect(await statuses(run)).toEqual({ a: 'verifying' })
    expect(bench.fleet.workers()[0]?.status).toBe('online')
    bench.go()
    await bench.clock.settle()
    expect(await verdicts(run)).toEqual(['a/1 pass'])
  })

  test('VE1 entering verifying frees the slot', async () => {
    const bench = await slowScorer()
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a', file('done.txt')), task('b')] })
    await bench.clock.settle()
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    expect(await statuses(run)).toEqual({ a: 'verifying', b: 'starting' })
    expect(await run.summary()).toMatchObject({ running: 2 })
  })

  test('VE1 SC7 entering verifying keeps the claims: who overlaps waits for the verdict', async () => {
    const bench = await slowScorer()
    const claim = { workspace: { writable_paths: ['out'] } }
    const tasks = [task('a', { ...file('done.txt'), ...claim }), task('b', claim), task('c')]
    const run = await bench.fleet.start({ name: 'r', tasks })
    await bench.clock.settle()
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    // One slot: the task behind the one that waits for the claim has it.
    expect(await statuses(run)).toEqual({ a: 'verifying', b: 'enqueued', c: 'starting' })
    bench.transport.attempt('c').complete()
    await bench.clock.settle()
    expect((await statuses(run))['b']).toBe('enqueued')
    bench.go()
    await bench.clock.settle()
    expect((await statuses(run))['b']).toBe('starting')
  })

  test('VE1 a scorer has its own timeout, which is a verifier failure', async () => {
    const bench = await slowScorer()
    const run = await ended(bench, file('done.txt'))
    await bench.clock.advance(59_999)
    expect(await statuses(run)).toEqual({ a: 'verifying' })
    await bench.clock.advance(1)
    expect(await verdicts(run)).toEqual(['a/1 fail verifier'])
    expect((await run.receipt('a'))?.evidence).toContain('60 s')
  })

  test('VE1 the verdict carries the attempt: one that comes after a restart judges nothing', async () => {
    const bench = await slowScorer()
    const run = await ended(bench, file('done.txt'))
    await run.restart('a')
    await bench.clock.settle()
    bench.go()
    await bench.clock.settle()
    expect([await statuses(run), await verdicts(run)]).toEqual([{ a: 'starting' }, []])
    expect(bench.transport.attempt('a').assign.attempt).toBe(2)
  })

  test.each([
    ['no scorer', {}, 'partial'],
    ['exit_code', { scorer: { kind: 'exit_code' } }, 'pass'],
    ['manual', { scorer: { kind: 'manual' } }, 'partial'],
  ])('VE1 %s is decided in the same turn, and shares one entry with the end', async (_, more, result) => {
    const bench = await openBench()
    const run = await ended(bench, more, { exit_code: 0 })
    const last = entriesOf(bench.store, run.id).filter((entry) => entry.task === 'a')
    expect(last.at(-1)).toMatchObject({
      set: { status: 'completed' },
      receipt: { result },
      events: [{ state: 'completed', exit_code: 0 }],
    })
    expect(last.map((entry) => entry.set?.status)).not.toContain('verifying')
  })

  test('VE1 a scorer that needs an effect shows verifying first', async () => {
    const bench = await openBench({ files: memoryFiles({ '/base/done.txt': 'x' }), workspace: '/base' })
    const run = await ended(bench, file('done.txt'))
    const stepsOf = (entry: Entry) =>
      [...(entry.tasks ?? []).map((added) => added.set), entry.set].flatMap((set) => set?.status ?? [])
    expect(entriesOf(bench.store, run.id).flatMap(stepsOf)).toEqual(['enqueued', 'starting', 'verifying', 'completed'])
  })

  test('VE1 a verdict that was outstanding at a crash is asked for again', async () => {
    const bench = await slowScorer()
    const { id } = await ended(bench, file('done.txt'))
    bench.store.crash()
    const files = memoryFiles({ '/base/done.txt': 'x' })
    const second = await openBench({ clock: bench.clock, store: bench.store.peer(), seed: 'second', files, workspace: '/base' })
    await second.clock.settle()
    const run = await second.fleet.run(id)
    expect([await verdicts(run), second.transport.attempts.length]).toEqual([['a/1 pass'], 0])
  })
})

describe('VE2', () => {
  test.each([
    ['0 passes', { exit_code: 0 }, ['a/1 pass']],
    ['another code is a task failure', { exit_code: 7 }, ['a/1 fail task']],
    ['none is a transport failure', {}, ['a/1 fail transport']],
  ])('VE2 exit_code: %s (M29, M31)', async (_, result, expected) => {
    const run = await ended(await openBench(), { scorer: { kind: 'exit_code' }, ...once }, result)
    expect(await verdicts(run)).toEqual(expected)
    if (expected[0] === 'a/1 pass') expect((await run.receipt('a'))?.score).toMatchObject({ value: 1, max: 1 })
  })

  test('VE2 without a scorer another exit code is a task failure all the same (M31)', async () => {
    const run = await ended(await openBench(), once, { exit_code: 7 })
    expect(await verdicts(run)).toEqual(['a/1 fail task'])
    expect(await run.summary()).toMatchObject({ failed: 1, task_failed: 1, status: 'failed' })
  })

  test('VE2 a scorer only lowers: after a non-zero exit, an error, a timeout or a loss none runs (W14)', async () => {
    const asked: string[] = []
    const plain = memoryFiles({ '/base/done.txt': 'x' })
    const files = { ...plain, facts: (path: string) => (asked.push(path), plain.facts(path)) }
    const bench = await openBench({ files, workspace: '/base', slots: 4 })
    const more = { ...file('done.txt'), timeout_seconds: 30 }
    const run = await bench.fleet.start({ name: 'r', tasks: ['exit', 'error', 'timeout'].map((id) => task(id, more)) })
    await bench.clock.settle()
    asked.length = 0
    bench.transport.attempt('timeout').accept()
    bench.transport.attempt('exit').complete({ exit_code: 3 })
    bench.transport.attempt('error').fail('thrown')
    await bench.clock.advance(30_000)
    expect((await verdicts(run)).toSorted()).toEqual(['error/1 fail task', 'exit/1 fail task', 'timeout/1 timeout task'])
    const lost = await bench.fleet.start({ name: 's', tasks: [task('lost', more)] })
    await bench.clock.settle()
    bench.transport.attempt('lost').accept()
    await bench.clock.settle()
    bench.transport.drop('w1')
    await bench.clock.settle()
    expect(await verdicts(lost)).toEqual(['lost/1 fail transport'])
    expect(asked.filter((path) => path.endsWith('done.txt'))).toEqual([])
  })

  test('VE2 the paths of a scorer are confined to the root of the task', async () => {
    const files = memoryFiles({ '/base/sub/in.txt': 'x', '/base/out.txt': 'x' })
    const at = (path: string) => ({ ...file(path), workspace: { root: 'sub' } })
    expect(await verdicts(await ended(await openBench({ files, workspace: '/base' }), at('in.txt')))).toEqual(['a/1 pass'])
    const [verdict] = await verdicts(await ended(await openBench({ files, workspace: '/base' }), at('/base/out.txt')))
    expect(verdict).toMatch(/^a\/1 fail/)
    const climbing = ended(await openBench({ files, workspace: '/base' }), at('../out.txt'))
    await expect(climbing).rejects.toMatchObject({ code: 'invalid_document', message: expect.stringContaining('scorer.path') })
  })

  test('VE2 json_path passes when a result exists and is not null or false', async () => {
    const files = memoryFiles({ '/base/r.json': JSON.stringify({ ok: true, no: false, nil: null, zero: 0 }) })
    const verdict = async (expression: string) => {
      const bench = await openBench({ files, workspace: '/base' })
      const run = await bench.fleet.start({
        name: 'r',
        tasks: [task('a', { ...once, scorer: { kind: 'json_path', path: 'r.json', expression } })],
      })
      await bench.clock.settle()
      bench.transport.attempt('a').complete()
      await run.result()
      return (await verdicts(run))[0]
    }
    expect(await verdict('$.ok')).toBe('a/1 pass')
    expect(await verdict('$.zero')).toBe('a/1 pass')
    for (const expression of ['$.no', '$.nil', '$.missing']) expect(await verdict(expression)).toBe('a/1 fail task')
    expect(await verdict('$[')).toBe('a/1 fail verifier')
  })
})

describe('VE5', () => {
  test.each([
    ['no scorer', {}, []],
    ['manual', { scorer: { kind: 'manual' } }, ['needs_human']],
  ])('VE5 %s gives partial with score 0.5; manual alone raises needs_human (W35)', async (_, more, raised) => {
    const bench = await openBench()
    const run = await ended(bench, more, { output: 'x' })
    expect(await run.receipt('a')).toMatchObject({ result: 'partial', score: { value: 0.5, max: 1 } })
    const told = bench.heard.flatMap((event) => (event.event === 'alert.raised' ? [event.payload.class] : []))
    expect(told.filter((name) => name === 'needs_human')).toEqual(raised)
  })

  test('VE5 settle replaces a partial verdict with who and why, as a new entry', async () => {
    const bench = await openBench()
    const run = await ended(bench, { scorer: { kind: 'manual' } }, { output: 'x' })
    const before = bench.store.lines(run.id)
    await bench.clock.advance(1_000)
    expect(await run.settle('a', { result: 'pass', by: 'ann', why: 'looks right', score: { value: 9, max: 10 } })).toMatchObject({
      changed: true,
    })
    const [first, second] = await run.receipts('a')
    expect(first).toMatchObject({ result: 'partial', attempt: 1 })
    expect(second).toMatchObject({
      result: 'pass',
      attempt: 1,
      score: { value: 9, max: 10 },
      settled: { by: 'ann', why: 'looks right' },
      output: 'x',
      completed_at: new Date(bench.clock.now()).toISOString(),
    })
    expect(bench.store.lines(run.id).slice(0, before.length)).toEqual(before)
    expect(entriesOf(bench.store, run.id).at(-1)?.kind).toBe('task.settled')
    expect((await run.summary()).status).toBe('completed')
  })

  test('VE5 it does so once', async () => {
    const run = await ended(await openBench(), {})
    const both = await Promise.allSettled([
      run.settle('a', { result: 'pass', by: 'ann' }),
      run.settle('a', { result: 'fail', by: 'bob' }),
    ])
    expect(both.map((outcome) => (outcome.status === 'fulfilled' ? 'settled' : outcome.reason.code))).toEqual([
      'settled',
      'not_settleable',
    ])
    await expect(run.settle('a', { result: 'fail', by: 'bob' })).rejects.toMatchObject({
      code: 'not_settleable',
      message: expect.stringContaining('settled before'),
    })
    expect((await run.receipt('a'))?.settled).toEqual({ by: 'ann' })
  })

  test('VE5 what has no partial verdict cannot be settled', async () => {
    const bench = await openBench()
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { scorer: { kind: 'exit_code' } })] })
    await bench.clock.settle()
    await expect(run.settle('a', { result: 'pass', by: 'ann' })).rejects.toMatchObject({ code: 'not_settleable' })
    bench.transport.attempt('a').complete({ exit_code: 0 })
    await bench.clock.settle()
    await expect(run.settle('a', { result: 'fail', by: 'ann' })).rejects.toMatchObject({ code: 'not_settleable' })
    expect(await verdicts(run)).toEqual(['a/1 pass'])
  })

  test('VE5 a failing verdict turns task and run to failed', async () => {
    const bench = await openBench()
    const run = await ended(bench, {})
    expect((await run.summary()).status).toBe('completed')
    await run.settle('a', { result: 'fail', by: 'ann', why: 'wrong' })
    expect([await statuses(run), await verdicts(run)]).toEqual([{ a: 'failed' }, ['a/1 partial', 'a/1 fail task']])
    expect(await run.summary()).toMatchObject({ status: 'failed', failed: 1, task_failed: 1, completed: 0, partial: 0 })
    expect((await bench.fleet.runs())[0]?.status).toBe('failed')
    await expect(run.result().then((result) => result.assertCompleted())).rejects.toMatchObject({ code: 'run_not_completed' })
  })

  test.each([
    ['by its tasks', async (run: Run) => run.cancelTask('b')],
    ['by a command', async (run: Run) => run.cancel()],
  ])('VE5 RU3 a failing verdict turns a run that was cancelled %s to failed', async (_, cancel) => {
    const bench = await openBench()
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await bench.clock.settle()
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    await cancel(run)
    expect((await run.summary()).status).toBe('cancelled')
    await run.settle('a', { result: 'fail', by: 'ann', why: 'wrong' })
    expect(await statuses(run)).toEqual({ a: 'failed', b: 'cancelled' })
    expect(await run.summary()).toMatchObject({ status: 'failed', failed: 1, cancelled: 1 })
    expect((await bench.fleet.runs())[0]?.status).toBe('failed')
  })

  test('VE5 a passing verdict leaves a cancelled run cancelled', async () => {
    const bench = await openBench()
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await bench.clock.settle()
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    await run.cancelTask('b')
    await run.settle('a', { result: 'pass', by: 'ann' })
    expect((await run.summary()).status).toBe('cancelled')
  })

  test('VE5 a failing verdict cancels the dependants that have not started, held or queued; what runs goes on', async () => {
    const bench = await openBench({ slots: 1 })
    const run = await bench.fleet.start({
      name: 'r',
      tasks: [
        task('a'),
        task('runs', { depends_on: ['a'] }),
        task('queued', { depends_on: ['a'] }),
        task('held', { depends_on: ['queued'] }),
      ],
    })
    await bench.clock.settle()
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    expect(await statuses(run)).toEqual({ a: 'completed', runs: 'starting', queued: 'enqueued', held: 'blocked' })
    await run.settle('a', { result: 'fail', by: 'ann' })
    expect(await statuses(run)).toEqual({ a: 'failed', runs: 'starting', queued: 'cancelled', held: 'cancelled' })
    expect((await run.receipt('queued'))?.evidence).toContain('a')
    bench.transport.attempt('runs').complete()
    await bench.clock.settle()
    expect((await run.summary()).status).toBe('failed')
  })

  test('VE5 a verdict outlives the fleet', async () => {
    const bench = await openBench()
    const { id } = await ended(bench, {})
    await (await bench.fleet.run(id)).settle('a', { result: 'fail', by: 'ann' })
    bench.store.crash()
    const second = await openBench({ clock: bench.clock, store: bench.store.peer(), seed: 'second' })
    const run = await second.fleet.run(id)
    expect([(await run.summary()).status, await verdicts(run)]).toEqual(['failed', ['a/1 partial', 'a/1 fail task']])
    await expect(run.settle('a', { result: 'pass', by: 'bob' })).rejects.toMatchObject({ code: 'not_settleable' })
  })

  test('VE5 a run that ended in another fleet can be settled in this one', async () => {
    const bench = await openBench()
    const { id } = await ended(bench, {})
    await bench.fleet.close()
    const second = await openBench({ clock: bench.clock, store: bench.store.peer(), seed: 'second' })
    const run = await second.fleet.run(id)
    await run.settle('a', { result: 'pass', by: 'ann' })
    expect(await verdicts(run)).toEqual(['a/1 partial', 'a/1 pass'])
  })
})

describe('VE6', () => {
  test('VE6 every attempt that ended by itself, by failure, timeout, staleness or cancellation has a receipt (W14)', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 5 })
    const more = { ...once, timeout_seconds: 600 }
    const tasks = [
      task('itself', more),
      task('failure', more),
      task('timeout', { ...once, timeout_seconds: 10 }),
      task('stale', more),
      task('cancel', more),
    ]
    const run = await fleet.start({ name: 'r', tasks })
    await clock.settle()
    for (const held of transport.attempts) held.accept()
    await clock.settle()
    transport.attempt('itself').complete()
    transport.attempt('failure').fail('no')
    await clock.settle()
    await run.cancelTask('cancel')
    await clock.advance(60_000)
    expect((await verdicts(run)).toSorted()).toEqual([
      'cancel/1 skip',
      'failure/1 fail task',
      'itself/1 partial',
      'stale/1 fail transport',
      'timeout/1 timeout task',
    ])
  })

  test('VE6 every field of a receipt names what it is of: the run, the task, the worker, the attempt', async () => {
    const bench = await openBench()
    const run = await ended(bench, { retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 } }, { exit_code: 1 })
    bench.transport.attempt('a').complete({ exit_code: 0 })
    await bench.clock.settle()
    const of = (attempt: number) => ({ run_id: run.id, task_id: 'a', worker_id: 'w1', attempt })
    expect(await run.receipts('a')).toMatchObject([of(1), of(2)])
    const waiting = await bench.fleet.create({ name: 's', tasks: [task('b')] })
    await waiting.cancel()
    expect(await waiting.receipt('b')).toMatchObject({ run_id: waiting.id, task_id: 'b', worker_id: 'fleet' })
    expect(await waiting.receipt('b')).not.toHaveProperty('attempt')
  })

  test('VE6 receipt and status are one entry and never disagree (W14, W15)', async () => {
    const { fleet, clock, transport, store, heard } = await openBench({ slots: 3 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', once), task('c')] })
    await clock.settle()
    transport.attempt('a').complete()
    transport.attempt('b').fail('no')
    await clock.settle()
    await run.cancelTask('c')
    const allowed: Record<string, string[]> = { completed: ['pass', 'partial'], failed: ['fail', 'timeout'], cancelled: ['skip'] }
    const ends = entriesOf(store, run.id).filter((entry) => entry.receipt !== undefined)
    expect(ends).toHaveLength(3)
    for (const { set, receipt } of ends) expect(allowed[set?.status ?? '']).toContain(receipt?.result)
    // Both are told, next to each other.
    await clock.settle()
    for (const id of ['a', 'b', 'c']) {
      const told = heard.filter((event) => event.task_id === id && event.event !== 'alert.raised').map((event) => event.event)
      expect(told.slice(-2)).toEqual(['task.receipt_recorded', 'task.terminal'])
    }
  })

  test('VE6 a verdict against a result is one end: no completed task is ever shown (W15)', async () => {
    const bench = await openBench({ files: memoryFiles(), workspace: '/base' })
    const run = await ended(bench, file('missing.txt'))
    await bench.clock.settle()
    expect(bench.heard.flatMap((event) => (event.event === 'task.terminal' ? [event.payload.status] : []))).toEqual(['failed'])
    expect(await statuses(run)).toEqual({ a: 'failed' })
  })

  test('VE6 receipts of every attempt are kept, oldest first (T8, T9)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').fail('first')
    await clock.advance(5_000)
    transport.attempt('a').complete()
    await clock.settle()
    expect((await run.receipts('a')).map((receipt) => [receipt.attempt, receipt.result, receipt.evidence])).toEqual([
      [1, 'fail', 'first'],
      [2, 'partial', 'No scorer was given.'],
    ])
  })

  test('VE6 evidence in a receipt is at most 4 KiB, whatever its letters', async () => {
    for (const letter of ['x', 'ä', '漢', '🦊']) {
      const { fleet, clock, transport } = await openBench()
      const run = await fleet.start({ name: 'r', tasks: [task('a', once)] })
      await clock.settle()
      transport.attempt('a').fail(letter.repeat(10_000))
      await clock.settle()
      const evidence = (await run.receipt('a'))?.evidence ?? ''
      expect(new TextEncoder().encode(evidence).length).toBeLessThanOrEqual(4096)
      expect(evidence.length).toBeGreaterThan(1_000)
      expect(evidence).not.toContain('\uFFFD')
    }
  })
})

describe('VE8', () => {
  const positive: StandardSchema<unknown, { n: number }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const n = (value as { n?: unknown } | null)?.n
        return typeof n === 'number' && n > 0
          ? { value: { n } }
          : { issues: [{ message: 'expected a positive number', path: ['n'] }] }
      },
    },
  }

  const typed = async (returned: unknown, more: Record<string, unknown> = {}) => {
    const count = defineTask({ name: 'count', output: positive, run: () => returned as { n: number } })
    const bench = await openBench({ handlers: { count } })
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { handler: 'count', ...once, ...more })] })
    await bench.clock.settle()
    return run
  }

  test('VE8 a typed task whose output schema accepted the output passes when it has no other scorer', async () => {
    const run = await typed({ n: 1, more: 'is dropped' })
    expect(await run.receipt('a')).toMatchObject({ result: 'pass', score: { value: 1 }, output: { n: 1 } })
  })

  test('VE8 one that refused it is a task failure with the complaints of the schema', async () => {
    const run = await typed({ n: -1 })
    expect(await verdicts(run)).toEqual(['a/1 fail task'])
    expect((await run.receipt('a'))?.evidence).toContain('output.n: expected a positive number')
  })

  test('VE8 another scorer decides in its place', async () => {
    expect(await verdicts(await typed({ n: 1 }, { scorer: { kind: 'manual' } }))).toEqual(['a/1 partial'])
  })

  test('VE8 without an output schema the result is partial', async () => {
    const bench = await openBench({ handlers: { plain: () => ({ n: 1 }) } })
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { handler: 'plain' })] })
    await bench.clock.settle()
    expect(await verdicts(run)).toEqual(['a/1 partial'])
  })
})

describe('BU4', () => {
  test('BU4 the receipt says what was spent: tokens, tool calls, seconds', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    const held = transport.attempt('a')
    held.accept()
    held.send({ type: 'usage', input_tokens: 100, output_tokens: 20 } as never)
    held.send({ type: 'usage', input_tokens: 1, output_tokens: 2 } as never)
    held.send({ type: 'progress', event: { state: 'running_tool', tool: 'edit', call_id: '1' } } as never)
    held.send({ type: 'progress', event: { state: 'running_tool', tool: 'edit', call_id: '1' } } as never)
    held.send({ type: 'progress', event: { state: 'running_tool', tool: 'edit' } } as never)
    await clock.advance(12_500)
    held.complete()
    await clock.settle()
    expect(await run.receipt('a')).toMatchObject({
      usage: { input_tokens: 101, output_tokens: 22 },
      spent: { tokens: 123, tool_calls: 2, seconds: 12.5 },
    })
  })

  test('BU4 what all attempts of the task spent counts, and waiting costs nothing', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').send({ type: 'usage', input_tokens: 10, output_tokens: 0 } as never)
    await clock.advance(3_000)
    transport.attempt('a').fail('no')
    await clock.advance(5_000)
    transport.attempt('a').send({ type: 'usage', input_tokens: 5, output_tokens: 0 } as never)
    await clock.advance(2_000)
    transport.attempt('a').fail('no')
    await clock.settle()
    expect((await run.receipts('a')).map((receipt) => receipt.spent)).toEqual([
      { tokens: 10, tool_calls: 0, seconds: 3 },
      { tokens: 15, tool_calls: 0, seconds: 5 },
    ])
    await clock.advance(4_000)
    await run.cancelTask('a')
    expect((await run.receipt('a'))?.spent).toEqual({ tokens: 15, tool_calls: 0, seconds: 5 })
  })

  test('BU4 a task that nobody had spent nothing', async () => {
    const { fleet, clock } = await openBench({ workers: [] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.advance(60_000)
    await run.cancel()
    expect((await run.receipt('a'))?.spent).toEqual({ tokens: 0, tool_calls: 0, seconds: 0 })
  })

  test('BU4 the fields of the entry hold the spend, so that it outlives the fleet', async () => {
    const first = await openBench()
    const run = await first.fleet.start({ name: 'r', tasks: [task('a')] })
    await first.clock.settle()
    first.transport.attempt('a').send({ type: 'usage', input_tokens: 7, output_tokens: 0 } as never)
    await first.clock.settle()
    first.store.crash()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    await second.clock.settle()
    second.transport.attempt('a').complete()
    await second.clock.settle()
    expect((await (await second.fleet.run(run.id)).receipt('a'))?.spent?.tokens).toBe(7)
    expect(fieldsOf(second.store, run.id, 'a').inputTokens).toBe(7)
  })
})
