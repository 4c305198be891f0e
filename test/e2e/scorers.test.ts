import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, test, vi } from 'vitest'
import { createFleet, jsonStore, openControl } from '../../src/index.ts'
import type { FleetRunSpecInput, FleetTaskSpecInput } from '../../src/index.ts'
import type { Entry } from '../../src/engine/entry.ts'
import { probeSandbox } from '../../src/transports/commands/sandbox-probe.ts'
import { isRunning, until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'
import { cliFolder, shellTask, untilFile } from '../support/cli.ts'
import type { CliFolder } from '../support/cli.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const probe = probeSandbox()
const lacking = 'missing' in probe ? `no sandbox here: ${probe.missing}` : undefined
const once = { retry_policy: { max_attempts: 1 } }
const shellScorer = (script: string) => ({ kind: 'command' as const, command: 'sh', args: ['-c', script] })

async function receiptsIn(folder: CliFolder) {
  const control = openControl(jsonStore({ folder: join(folder.path, '.flotilla') }))
  const [row] = await control.runs()
  const run = control.run(row!.id)
  const found = { status: (await run.summary()).status, receipts: await run.receipts() }
  const entries = (await jsonStore({ folder: join(folder.path, '.flotilla') }).read(row!.id, {
    from: 1,
    limit: 1_000,
  })) as unknown as Entry[]
  await control.close()
  return { ...found, entries }
}

describe('the scorers of a task file', () => {
  it('VE2 VE3 VE4 VE5 all seven pass and fail for the right reasons', async () => {
    await using folder = await cliFolder()
    const work = `echo '{"ok":true,"no":false}' > $0.json; echo built > $0.txt`
    const of = (id: string, scorer: object): Record<string, unknown> => ({
      ...shellTask(id, work, { scorer, ...once }),
      metadata: { command: ['sh', '-c', work, id] },
    })
    await folder.file('t.json', [
      of('exit', { kind: 'exit_code' }),
      { ...of('exit-bad', { kind: 'exit_code' }), metadata: { command: ['false'] } },
      of('file', { kind: 'file_exists', path: 'file.txt' }),
      of('file-bad', { kind: 'file_exists', path: 'nothing.txt' }),
      of('regex', { kind: 'regex_match', path: 'regex.txt', pattern: '^built' }),
      of('regex-bad', { kind: 'regex_match', path: 'regex-bad.txt', pattern: 'broken' }),
      of('regex-broken', { kind: 'regex_match', path: 'regex-broken.txt', pattern: '(' }),
      of('json', { kind: 'json_path', path: 'json.json', expression: '$.ok' }),
      of('json-bad', { kind: 'json_path', path: 'json-bad.json', expression: '$.no' }),
      of('command', { kind: 'command', command: 'grep', args: ['built', 'command.txt'] }),
      of('command-bad', { kind: 'command', command: 'grep', args: ['broken', 'command-bad.txt'] }),
      of('command-broken', { kind: 'command', command: 'no-such-program' }),
      of('prompt', { kind: 'code_whale_verifier_prompt', prompt: 'yes' }),
      of('prompt-bad', { kind: 'code_whale_verifier_prompt', prompt: 'no' }),
      of('prompt-broken', { kind: 'code_whale_verifier_prompt', prompt: 'throw' }),
      of('manual', { kind: 'manual' }),
    ])
    await folder.file(
      'judge.mjs',
      `export const verifier = ({ prompt }) => {
        if (prompt === 'throw') throw new Error('the model is away')
        return { value: prompt === 'yes' ? 1 : 0 }
      }`,
    )
    const ended = await folder.flotilla('run', 't.json', '--worker', 'judge.mjs')
    expect([ended.exit, ended.err]).toEqual([1, ''])
    const { receipts } = await receiptsIn(folder)
    const verdicts = Object.fromEntries(
      receipts.map(({ task_id, result, failure_kind }) => [
        task_id,
        failure_kind === undefined ? result : `${result} ${failure_kind}`,
      ]),
    )
    expect(verdicts).toEqual({
      ...{ exit: 'pass', file: 'pass', regex: 'pass', json: 'pass', command: 'pass', prompt: 'pass', manual: 'partial' },
      ...{ 'exit-bad': 'fail task', 'file-bad': 'fail task', 'regex-bad': 'fail task', 'json-bad': 'fail task' },
      ...{ 'command-bad': 'fail task', 'prompt-bad': 'fail task' },
      ...{ 'regex-broken': 'fail verifier', 'command-broken': 'fail verifier', 'prompt-broken': 'fail verifier' },
    })
  })

  it('VE4 with no verifier a prompt waits for a person, whose verdict is taken', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('draft', 'true', { scorer: { kind: 'code_whale_verifier_prompt', prompt: 'ok?' } })])
    const run = folder.start('run', 't.json', '--await-verdicts')
    await run.says('? draft')
    expect((await folder.call('settle', 'draft', 'pass', '--by', 'ada')).exit).toBe(0)
    expect((await run.ended).exit).toBe(0)
  })

  it('VE4 a worker module exports one verifier, a function', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('a', 'true')])
    await folder.file('one.mjs', 'export const verifier = () => ({ value: 1 })')
    await folder.file('two.mjs', 'export const verifier = () => ({ value: 1 })')
    await folder.file('three.mjs', 'export const verifier = 1')
    const twice = await folder.flotilla('run', 't.json', '--worker', 'one.mjs', '--worker', 'two.mjs')
    expect([twice.exit, twice.err]).toEqual([2, expect.stringContaining('another module exports a verifier too')])
    const wrong = await folder.flotilla('run', 't.json', '--worker', 'three.mjs')
    expect([wrong.exit, wrong.err]).toEqual([2, expect.stringContaining('its `verifier` must be a function')])
    expect((await folder.flotilla('run', 't.json', '--worker', 'one.mjs')).exit).toBe(0)
  })
})

describe.runIf(process.platform === 'linux')('killing the fleet while a scorer runs', () => {
  it('VE3 LE6 CO5 ends, after resume, with one verdict, and nothing of the first check is left', async () => {
    await using folder = await cliFolder()
    const script = `echo $$ >> pids.txt; ${untilFile('go')}; test -e go; echo '{"value":0.75}'`
    await folder.file('t.json', [shellTask('a', 'echo worked >> work.txt', { scorer: shellScorer(script) })])
    const first = folder.start('run', 't.json')
    const pids = () =>
      folder.has('pids.txt') ? readFileSync(join(folder.path, 'pids.txt'), 'utf8').trim().split('\n').map(Number) : []
    await until(() => pids().length === 1, 'the scorer')
    first.child.kill('SIGKILL')
    await first.ended
    expect(isRunning(pids()[0]!)).toBe(true)
    const second = folder.start('resume')
    await until(() => pids().length === 2, 'the scorer again')
    expect(pids().map(isRunning)).toEqual([false, true])
    await folder.file('go', '')
    expect((await second.ended).exit).toBe(0)
    const { status, receipts, entries } = await receiptsIn(folder)
    expect([status, receipts]).toEqual(['completed', [expect.objectContaining({ attempt: 1, result: 'pass' })]])
    expect(receipts[0]?.score?.value).toBe(0.75)
    expect(entries.filter(({ receipt }) => receipt !== undefined)).toHaveLength(1)
    expect(await readFile(join(folder.path, 'work.txt'), 'utf8')).toBe('worked\n')
  })

  it('VE3 CO8 ending the fleet stops the check before it is gone', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('a', 'true', { scorer: shellScorer(`echo $$ > pid.txt; ${untilFile('never')}`) })])
    const run = folder.start('run', 't.json')
    await until(() => folder.has('pid.txt') && readFileSync(join(folder.path, 'pid.txt'), 'utf8') !== '', 'the scorer')
    const pid = Number(readFileSync(join(folder.path, 'pid.txt'), 'utf8'))
    expect(isRunning(pid)).toBe(true)
    run.child.kill('SIGINT')
    await run.ended
    expect(isRunning(pid)).toBe(false)
    expect((await receiptsIn(folder)).receipts).toEqual([])
  })
})

describe('a verdict by two processes at once', () => {
  const manual = [shellTask('draft', 'true', { scorer: { kind: 'manual' } })]

  async function settledTwice(folder: CliFolder): Promise<void> {
    const ends = await Promise.all([
      folder.flotilla('settle', 'draft', 'pass', '--by', 'ada', '--json'),
      folder.flotilla('settle', 'draft', 'pass', '--by', 'bob', '--json'),
    ])
    expect(ends.map(({ exit }) => exit).toSorted()).toEqual([0, 1])
    const [taken] = ends.filter(({ exit }) => exit === 0)
    const [refused] = ends.filter(({ exit }) => exit !== 0)
    // It came after the verdict, or it posted to the other process, which was gone before it looked: then the next owner refuses it.
    const codes = refused?.rows.map(({ error }) => (error as { readonly code: string } | undefined)?.code)
    expect(['not_settleable', 'posted_not_taken']).toContain(codes?.at(-1))
    expect((await folder.flotilla('resume')).err).toBe('')
    const by = taken === ends[0] ? 'ada' : 'bob'
    const { status, receipts, entries } = await receiptsIn(folder)
    expect(status).toBe('completed')
    expect(receipts.map(({ result, settled }) => [result, settled?.by])).toEqual([
      ['partial', undefined],
      ['pass', by],
    ])
    expect(entries.filter(({ kind }) => kind === 'task.settled')).toHaveLength(1)
  }

  it('VE5 ST10 is taken once while the fleet runs', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [...manual, shellTask('other', untilFile('go'))])
    const run = folder.start('run', 't.json', '--await-verdicts')
    await run.says('? draft')
    const settling = Promise.all([
      folder.flotilla('settle', 'draft', 'pass', '--by', 'ada'),
      folder.flotilla('settle', 'draft', 'fail', '--by', 'bob'),
    ])
    const ends = await settling
    expect(ends.map(({ exit }) => exit).toSorted()).toEqual([0, 1])
    await folder.file('go', '')
    const passed = ends[0].exit === 0
    expect((await run.ended).exit).toBe(passed ? 0 : 1)
    const { receipts } = await receiptsIn(folder)
    const drafts = receipts.filter(({ task_id }) => task_id === 'draft').map(({ result, settled }) => [result, settled?.by])
    expect(drafts).toEqual([['partial', undefined], passed ? ['pass', 'ada'] : ['fail', 'bob']])
  })

  it('VE5 ST10 LE10 is taken once when the fleet is gone and the run has long ended', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', manual)
    expect((await folder.flotilla('run', 't.json')).exit).toBe(3)
    await settledTwice(folder)
  })

  it('VE5 a second one says that it came too late, and changes nothing', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', manual)
    await folder.flotilla('run', 't.json')
    expect((await folder.flotilla('settle', 'draft', 'pass', '--by', 'ada')).exit).toBe(0)
    const late = await folder.flotilla('settle', 'draft', 'fail', '--by', 'bob')
    expect([late.exit, late.err]).toEqual([1, expect.stringContaining('it was settled before')])
    expect((await receiptsIn(folder)).receipts.at(-1)).toMatchObject({ result: 'pass', settled: { by: 'ada' } })
  })
})

describe.skipIf(lacking !== undefined)(lacking ?? 'the scorer of a task in a sandbox', () => {
  async function judged(
    task: Partial<FleetTaskSpecInput>,
    options: object = {},
    security_policy: FleetRunSpecInput['security_policy'] = {},
  ) {
    const folder = await scratch({ 'read.txt': 'read' })
    onTestFinished(() => folder.remove())
    const fleet = await createFleet({
      store: jsonStore({ folder: join(folder.path, '.flotilla') }),
      workers: [{ id: 'w', commands: true, trustLevel: 'sandbox' }],
      workspace: folder.path,
      ...options,
    })
    onTestFinished(() => fleet.close({ graceMs: 0 }))
    const command = ['sh', '-c', 'echo made > "$FLOTILLA_ARTIFACTS/made.txt"']
    const run = await fleet.start({
      name: 'r',
      security_policy,
      tasks: [{ id: 'a', name: 'a', instructions: 'a', metadata: { command }, ...once, ...task }],
    })
    await run.result()
    return { folder, receipt: await run.receipt('a') }
  }

  test('VE3 SE3 sees the workspace and what the attempt left, and writes nothing of either', async () => {
    const script = [
      'test "$(cat read.txt)" = read',
      'test "$(cat "$FLOTILLA_ARTIFACTS/made.txt")" = made',
      'grep -q \'"task_id": "a"\' "$FLOTILLA_INPUT"',
      '! touch written 2>/dev/null',
      '! touch "$FLOTILLA_ARTIFACTS/more.txt" 2>/dev/null',
      'touch "$FLOTILLA_FOLDER/own"',
      // The store is hidden, but for the way to the attempt's folder.
      'test "$(find .flotilla -type f | grep -v attempts)" = ""',
    ].map((line) => `${line} || { echo 'not: ${line.replaceAll("'", '')}'; exit 1; }`)
    const { receipt, folder } = await judged({ scorer: shellScorer(script.join('\n')) })
    expect([receipt?.result, receipt?.evidence]).toEqual(['pass', 'sh ended with exit code 0.'])
    await expect(readFile(join(folder.path, 'written'))).rejects.toThrow('ENOENT')
  })

  test('VE3 SE3 has no network, no other processes, and nothing of the fleet’s environment', async () => {
    const script =
      'ls /proc | grep -c "^[0-9]"; cat /proc/net/dev | tail -n +3 | cut -d: -f1; env | cut -d= -f1 | sort | tr "\\n" " "'
    const { receipt } = await judged({ scorer: shellScorer(script) })
    const [, processes, interfaces, names] = receipt?.evidence?.split('\n') ?? []
    expect(Number(processes)).toBeLessThan(10)
    expect(interfaces?.trim()).toBe('lo')
    expect(names).toMatch(/FLOTILLA_INPUT/)
    expect(names).not.toMatch(/VITEST|NODE_/)
  })

  test('VE3 SE4 what was granted to the task may be written by its scorer, and nothing else', async () => {
    const granted = { capability_grants: [{ capability: 'workspace-write', scope: 'out' }] }
    const scorer = shellScorer('touch out/verdict && ! touch beside 2>/dev/null')
    expect((await judged({ scorer })).receipt).toMatchObject({ result: 'fail', failure_kind: 'task' })
    const { receipt, folder } = await judged({ scorer }, {}, granted)
    expect(receipt?.result).toBe('pass')
    expect(await readFile(join(folder.path, 'out/verdict'), 'utf8')).toBe('')
  })

  test('RE7 a program that is not in the sandbox is a verifier failure', async () => {
    const { receipt } = await judged({ scorer: { kind: 'command', command: 'no-such-program' } })
    expect(receipt).toMatchObject({ result: 'fail', failure_kind: 'verifier' })
    expect(receipt?.evidence).toContain('There is no program no-such-program in the sandbox')
  })

  test('VE3 HO3 one that takes too long is ended with all in it', async () => {
    const limits = { commandScorerTimeoutMs: 500 }
    const before = performance.now()
    const { receipt } = await judged({ scorer: shellScorer('echo begun; sleep 61.7') }, { limits })
    expect(performance.now() - before).toBeLessThan(20_000)
    expect(receipt).toMatchObject({ result: 'fail', failure_kind: 'verifier' })
    expect(receipt?.evidence).toMatch(/longer than 0\.5 s\.[^]*begun/)
  })
})
