import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createFleet } from '../../src/index.ts'
import type { CheckRunner, Transport } from '../../src/index.ts'
import { systemClock } from '../../src/host/clock.ts'
import { systemEnvironment } from '../../src/host/environment.ts'
import { diskFiles } from '../../src/host/files.ts'
import { childProcessLauncher } from '../../src/transports/programs/child-process.ts'
import { poolTransport } from '../../src/transports/programs/worker-pool.ts'
import { scratch } from '../fixtures/scratch.ts'
import { workerFolder } from '../support/bundled-package.ts'

let installed: Awaited<ReturnType<typeof workerFolder>>
beforeAll(async () => {
  installed = await workerFolder()
})
afterAll(() => installed[Symbol.asyncDispose]())

/** Workers that see the files of the fleet, or that get everything over their line, as those of other hosts do. */
function programs(
  words: readonly string[],
  sharesFiles: boolean,
  serves: { handlers?: readonly string[]; plain?: boolean },
): Transport {
  const clock = systemClock()
  const command = [process.execPath, ...words] as const
  const launcher = childProcessLauncher({ command, clock, environment: systemEnvironment() })
  const pool = poolTransport({
    ...serves,
    launcher: { ...launcher, sharesFiles, kind: sharesFiles ? launcher.kind : 'ssh' },
    clock,
    files: diskFiles(),
  })
  return sharesFiles ? pool : { ...pool, checks: answering }
}

/** Runs the commands of scorers where the work was done: here it only says where it was asked. */
const answering: CheckRunner = {
  enforces: { network: false, fileWrites: false, environment: false, processes: false },
  run: ({ program }) => Promise.resolve({ exitCode: program === 'true' ? 0 : 1, output: '' }),
}

/** Runs one task for each scorer, and gives what became of them; nothing of theirs may lie in the fleet's own folder. */
async function judge(sharesFiles: boolean): Promise<Readonly<Record<string, string>>> {
  const { path: workspace, remove } = await scratch({ 'out/fleet-only.txt': 'the fleet has it' })
  const fleet = await createFleet({
    workspace,
    verifier: ({ prompt }) => ({ value: prompt === 'yes' ? 1 : 0 }),
    workers: [
      { id: 'handlers', slots: 4, transport: programs([installed.program('steady.mjs')], sharesFiles, { handlers: ['leaves'] }) },
      {
        id: 'zero',
        roles: ['zero'],
        transport: programs([installed.program('evil.mjs'), 'does its work'], sharesFiles, { plain: true }),
      },
      {
        id: 'three',
        roles: ['three'],
        transport: programs([installed.program('evil.mjs'), 'exits with a code'], sharesFiles, { plain: true }),
      },
    ],
  })
  onTestFinished(async () => {
    await fleet.close()
    await remove()
  })
  const leaving = (id: string, input: Record<string, unknown>, scorer: Record<string, unknown>) => ({
    id,
    handler: 'leaves',
    input,
    scorer,
  })
  const tasks = [
    { id: 'exit', worker: { role: 'zero' }, scorer: { kind: 'exit_code' } },
    { id: 'exit-bad', worker: { role: 'three' }, scorer: { kind: 'exit_code' } },
    leaving('file', { 'out/a.txt': 'x' }, { kind: 'file_exists', path: 'out/a.txt' }),
    leaving('file-bad', {}, { kind: 'file_exists', path: 'out/missing.txt' }),
    leaving('file-folder', { 'out/folder': null }, { kind: 'file_exists', path: 'out/folder' }),
    leaving('file-out', { 'out/link': { to: '/etc/hostname' } }, { kind: 'file_exists', path: 'out/link' }),
    leaving('regex', { 'out/r.txt': 'built' }, { kind: 'regex_match', path: 'out/r.txt', pattern: '^built' }),
    leaving('regex-bad', { 'out/rb.txt': 'built' }, { kind: 'regex_match', path: 'out/rb.txt', pattern: 'broken' }),
    leaving('regex-large', { 'out/rl.txt': 'x'.repeat(1_000_001) }, { kind: 'regex_match', path: 'out/rl.txt', pattern: 'x' }),
    leaving('json', { 'out/j.json': '{"ok":true}' }, { kind: 'json_path', path: 'out/j.json', expression: '$.ok' }),
    leaving('json-bad', { 'out/jb.json': '{"ok":false}' }, { kind: 'json_path', path: 'out/jb.json', expression: '$.ok' }),
    leaving('command', {}, { kind: 'command', command: 'true' }),
    leaving('command-bad', {}, { kind: 'command', command: 'false' }),
    leaving('prompt', {}, { kind: 'code_whale_verifier_prompt', prompt: 'yes' }),
    leaving('prompt-bad', {}, { kind: 'code_whale_verifier_prompt', prompt: 'no' }),
    leaving('manual', {}, { kind: 'manual' }),
    leaving('fleet-only', {}, { kind: 'file_exists', path: 'out/fleet-only.txt' }),
  ]
  const run = await fleet.start({
    name: 'r',
    tasks: tasks.map((task) => ({ name: task.id, instructions: 'x', retry_policy: { max_attempts: 1 }, ...task })) as never,
  })
  const { receipts } = await run.result()
  expect(readdirSync(`${workspace}/out`).length).toBe(sharesFiles ? 9 : 1)
  return Object.fromEntries(
    Object.values(receipts).map(({ task_id, result, failure_kind }) => [
      task_id,
      failure_kind === undefined ? result : `${result} ${failure_kind}`,
    ]),
  )
}

const verdicts = {
  ...{
    exit: 'pass',
    'exit-bad': 'fail task',
    file: 'pass',
    'file-bad': 'fail task',
    'file-folder': 'fail task',
    'file-out': 'fail verifier',
  },
  ...{ regex: 'pass', 'regex-bad': 'fail task', 'regex-large': 'fail verifier', json: 'pass', 'json-bad': 'fail task' },
  ...{ command: 'pass', 'command-bad': 'fail task', prompt: 'pass', 'prompt-bad': 'fail task', manual: 'partial' },
}

describe('all seven scorers', () => {
  test('VE2 judge the work of a program that sees the files of the fleet', async () => {
    expect(await judge(true)).toEqual({ ...verdicts, 'fleet-only': 'pass' })
  })

  test('VE2 judge the work of a worker elsewhere alike, by what lies there and not here', async () => {
    expect(await judge(false)).toEqual({ ...verdicts, 'fleet-only': 'fail task' })
  })
})
