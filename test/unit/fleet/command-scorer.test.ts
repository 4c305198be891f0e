import { describe, expect, test } from 'vitest'
import type { CheckCommand, CheckEnd, CheckRunner } from '../../../src/ports/check-runner.ts'
import type { Enforcement } from '../../../src/ports/transport.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { fieldsOf, statuses, verdicts } from '../../support/looking.ts'
import { createTestTransport } from '../../support/test-transport.ts'

const nothing: Enforcement = { network: false, fileWrites: false, environment: false, processes: false }
const everything: Enforcement = { network: true, fileWrites: true, environment: true, processes: true }

/** A host whose checks the test ends. */
function playedChecks(enforces = nothing) {
  const asked: { readonly command: CheckCommand; readonly signal: AbortSignal; end(how: CheckEnd): void }[] = []
  const checks: CheckRunner = {
    enforces,
    run: (command, { signal }) => new Promise((end) => asked.push({ command, signal, end })),
  }
  return { asked, checks }
}

const checked = (more: object = {}) => ({
  scorer: { kind: 'command', command: 'npm', args: ['test'] },
  retry_policy: { max_attempts: 1 },
  ...more,
})

/** A bench of one worker elsewhere, whose host runs the checks; its task `a` has handed back its result. */
async function verifying(more: object = {}, options: object = {}) {
  const { asked, checks } = playedChecks()
  const transport = createTestTransport({ checks })
  const files = memoryFiles({ '/base/sub/done.txt': 'x' })
  const bench = await openBench({ transport, files, workspace: '/base', ...options })
  const run = await bench.fleet.start({ name: 'r', tasks: [task('a', checked(more))] })
  await bench.clock.settle()
  transport.attempt('a').complete({ output: { built: true }, exit_code: 0 })
  await bench.clock.settle()
  return { ...bench, run, asked, checks }
}

describe('VE3', () => {
  test('VE3 the host of the task’s worker is asked, with the attempt’s root, environment and result, and without a shell', async () => {
    const { asked, run } = await verifying({ workspace: { root: 'sub', environment: { allowlist: ['PATH'] } } })
    expect(await statuses(run)).toEqual({ a: 'verifying' })
    expect(asked).toHaveLength(1)
    expect(asked[0]!.command).toMatchObject({
      key: { run_id: run.id, task_id: 'a', attempt: 1 },
      ...{ worker: 'w1', program: 'npm', args: ['test'], root: '/base/sub', environment: { PATH: process.env['PATH'] } },
      input: { run_id: run.id, task_id: 'a', attempt: 1, output: { built: true }, exit_code: 0, previous: [], task: { id: 'a' } },
    })
    expect(asked[0]!.command.confined).toBeUndefined()
  })

  test.each<[string, CheckEnd, string, object]>([
    ['exit code 0 passes', { exitCode: 0, output: 'fine' }, 'a/1 pass', { value: 1, max: 1 }],
    [
      'exit code 0 passes with its score',
      { exitCode: 0, output: '', score: { value: 3, max: 4 } },
      'a/1 pass',
      { value: 3, max: 4 },
    ],
    ['another code is a task failure', { exitCode: 2, output: 'bad' }, 'a/1 fail task', { value: 0, max: 1 }],
    [
      'another code has its score too',
      { exitCode: 2, output: '', score: { value: 0.3, notes: 'too long' } },
      'a/1 fail task',
      { value: 0.3, notes: 'too long' },
    ],
    ['what could not run is a verifier failure', { problem: 'It is not there.', output: '' }, 'a/1 fail verifier', { value: 0 }],
  ])('VE3 %s', async (_, end, verdict, score) => {
    const { asked, run, clock } = await verifying()
    asked[0]!.end(end)
    await clock.settle()
    expect(await verdicts(run)).toEqual([verdict])
    const receipt = await run.receipt('a')
    expect(receipt?.score).toMatchObject(score)
    expect(receipt?.evidence).toContain('problem' in end ? end.problem : `npm ended with exit code ${end.exitCode}.`)
    if (end.output !== '') expect(receipt?.evidence).toContain(end.output)
  })

  test('VE3 it has a timeout of its own, is stopped then, and its end is waited for', async () => {
    const { asked, run, clock } = await verifying()
    await clock.advance(599_999)
    expect([asked[0]!.signal.aborted, await statuses(run)]).toEqual([false, { a: 'verifying' }])
    await clock.advance(1)
    expect([asked[0]!.signal.aborted, await statuses(run)]).toEqual([true, { a: 'verifying' }])
    asked[0]!.end({ exitCode: 0, output: 'so far' })
    await clock.settle()
    expect(await verdicts(run)).toEqual(['a/1 fail verifier'])
    expect((await run.receipt('a'))?.evidence).toMatch(/longer than 600 s\.[^]*so far/)
  })

  test('VE3 its timeout is an option', async () => {
    const { asked, clock } = await verifying({}, { limits: { commandScorerTimeoutMs: 5_000 } })
    await clock.advance(4_999)
    expect(asked[0]!.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(asked[0]!.signal.aborted).toBe(true)
  })

  test.each(['cancel', 'restart'] as const)('VE3 RU5 LE9 a %s stops it, and what it says then judges nothing', async (way) => {
    const { asked, run, clock } = await verifying()
    if (way === 'cancel') await run.cancel()
    else await run.restart('a')
    await clock.settle()
    expect(asked[0]!.signal.aborted).toBe(true)
    asked[0]!.end({ exitCode: 0, output: '' })
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: way === 'cancel' ? 'cancelled' : 'starting' })
    expect(await verdicts(run)).toEqual(way === 'cancel' ? ['a/1 skip'] : [])
  })

  test('VE3 CO8 closing stops it and waits for its end; the next fleet asks again, and there is one verdict', async () => {
    const { asked, run, clock, fleet, store, checks } = await verifying()
    let isClosed = false
    const closed = fleet.close().then(() => (isClosed = true))
    await clock.advance(20_000)
    expect([asked[0]!.signal.aborted, isClosed]).toEqual([true, false])
    asked[0]!.end({ exitCode: 0, output: '' })
    await clock.settle()
    await closed
    const transport = createTestTransport({ checks })
    const files = memoryFiles({ '/base/sub/done.txt': 'x' })
    const next = await openBench({ clock, store: store.peer(), seed: 'next', transport, files, workspace: '/base' })
    expect([asked.length, transport.attempts.length]).toEqual([2, 0])
    asked[1]!.end({ exitCode: 4, output: '' })
    await clock.settle()
    expect(await verdicts(await next.fleet.run(run.id))).toEqual(['a/1 fail task'])
  })

  test('VE3 what the work used up is not asked for again: the scorer runs in the task’s root', async () => {
    const files = memoryFiles({ '/base/sub/plan.txt': 'x' })
    const { asked, checks } = playedChecks()
    const transport = createTestTransport({ checks })
    const bench = await openBench({ transport, files, workspace: '/base' })
    const workspace = { root: 'sub', required_files: ['plan.txt'] }
    await bench.fleet.start({ name: 'r', tasks: [task('a', checked({ workspace, input_files: ['plan.txt'] }))] })
    await bench.clock.settle()
    await files.removeFolder('/base/sub/plan.txt')
    transport.attempt('a').complete({ exit_code: 0 })
    await bench.clock.settle()
    expect(asked[0]?.command.root).toBe('/base/sub')
  })
})

describe('SE2', () => {
  const sandboxed = { security_policy: { max_trust_level: 'sandbox' as const }, tasks: [task('a', checked())] }

  test('SE2 VE3 a task whose scorer is a command is refused where nothing can hold that to its level, and taken where something can', async () => {
    const serving = (checks: Enforcement) => createTestTransport({ enforces: everything, checks: playedChecks(checks).checks })
    const refusing = await openBench({ transport: serving({ ...nothing, because: 'no bubblewrap' }) })
    await expect(refusing.fleet.create({ name: 'r', ...sandboxed })).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringContaining(
        'w1 cannot enforce the trust level sandbox on the command of its scorer: no bubblewrap',
      ) as string,
    })
    await refusing.fleet.create({ name: 'r', ...sandboxed, tasks: [task('a')] })
    const taking = await openBench({ transport: serving(everything) })
    await taking.fleet.create({ name: 'r', ...sandboxed })
  })

  test('SE1 VE3 the scorer is held to what its attempt was held to, also after another fleet took over', async () => {
    const { asked, checks } = playedChecks(everything)
    const transport = createTestTransport({ enforces: everything, checks })
    const bench = await openBench({ workers: [{ id: 'w1', transport, trustLevel: 'sandbox' }] })
    const grant = { capability: 'workspace-write' as const, scope: 'out' }
    const tasks = [task('a', checked())]
    const run = await bench.fleet.start({ name: 'r', tasks, security_policy: { capability_grants: [grant] } })
    await bench.clock.settle()
    transport.attempt('a').complete({ exit_code: 0 })
    await bench.clock.settle()
    const confined = { network: false, writable_paths: ['out'] }
    expect(asked[0]!.command.confined).toEqual(confined)
    expect(fieldsOf(bench.store, run.id, 'a')).toMatchObject({ pending: { confined } })
    bench.store.crash()
    // Its worker is another one now, which is held to nothing.
    const open = createTestTransport({ checks })
    await openBench({ clock: bench.clock, store: bench.store.peer(), seed: 'next', transport: open })
    expect(asked[1]!.command.confined).toEqual(confined)
  })

  test('SC3 VE3 a worker elsewhere gets no task whose scorer is a command, unless its transport runs those', async () => {
    const far = await openBench({ transport: createTestTransport({ survives: true }) })
    const { warnings } = await far.fleet.create({ name: 'r', tasks: [task('a', checked())] }).then((run) => run)
    expect(warnings.join()).toContain('w1 cannot run the command of its scorer on its host')
    const { checks } = playedChecks()
    const near = await openBench({ transport: createTestTransport({ survives: true, checks }) })
    expect((await near.fleet.create({ name: 'r', tasks: [task('a', checked())] })).warnings).toEqual([])
  })
})
