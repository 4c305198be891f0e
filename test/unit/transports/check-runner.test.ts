import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import type { CheckCommand } from '../../../src/ports/check-runner.ts'
import { createRedactor } from '../../../src/security/redactor.ts'
import { commandTransport, type CommandTransportOptions } from '../../../src/transports/commands/command.ts'
import { isRunning, numberAfter, until } from '../../fixtures/processes.ts'
import { scratch } from '../../fixtures/scratch.ts'

async function bench(options: Partial<CommandTransportOptions> = {}) {
  const folder = await scratch({ 'work.txt': 'done' })
  onTestFinished(() => folder.remove())
  const root = folder.path
  const variables: Readonly<Record<string, string>> = { PATH: process.env['PATH'] ?? '', FLEET_ONLY: 'of the fleet' }
  const environment = { get: (name: string) => variables[name] }
  const { checks } = commandTransport({ clock: systemClock(), environment, drainLimitMs: 300, termToKillMs: 200, ...options })
  const stop = new AbortController()
  const run = (argv: readonly [string, ...string[]], more: Partial<CheckCommand> = {}) => {
    const [program, ...args] = argv
    return checks.run(
      {
        key: { run_id: 'r', task_id: 't', attempt: 2 },
        worker: 'w',
        storeId: `checks-${process.pid}`,
        ...{ program, args, root, folder: join(root, 'attempt') },
        ...{ environment: {}, confined: undefined, input: { told: true } },
        ...more,
      },
      { signal: stop.signal },
    )
  }
  return { root, stop, run, shell: (script: string, more?: Partial<CheckCommand>) => run(['sh', '-c', script], more) }
}

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))

describe('a check', () => {
  it('VE3 runs in the task’s root, and its exit code and what it wrote are told', async () => {
    const { shell } = await bench()
    const end = await shell('cat work.txt; echo oops >&2')
    expect({ ...end, output: end.output.split('\n').toSorted() }).toEqual({ exitCode: 0, output: ['', 'done', 'oops'] })
    expect(await shell('exit 7')).toEqual({ exitCode: 7, output: '' })
  })

  it('VE3 goes through no shell', async () => {
    const { run } = await bench()
    expect(await run(['echo', '$HOME; exit 3', '*'])).toEqual({ exitCode: 0, output: '$HOME; exit 3 *\n' })
  })

  it('VE3 the last line of standard output that is a score gives the score, whatever stands around it', async () => {
    const { shell } = await bench()
    const scoreOf = async (script: string) => {
      const end = await shell(script)
      return 'exitCode' in end ? end.score : end
    }
    const first = `echo '{"value":1}'`
    const second = `echo '  {"value": 7, "max": 10, "notes": "two lines are long", "more": 1}'`
    expect(await scoreOf(`${first}; ${second}; echo bye; exit 1`)).toEqual({ value: 7, max: 10, notes: 'two lines are long' })
    for (const other of ['[{"value":2}]', '{"value":"2"}', '{"score":2}', '{"value":2', '{"value":1e999}'])
      expect(await scoreOf(`${first}; echo '${other}'`), other).toEqual({ value: 1 })
    expect(await scoreOf(`echo '{"value":2}' >&2`)).toBeUndefined()
  })

  it('WS3 LE6 a check has the essentials, what the task allows, and the lease in its environment', async () => {
    const { root, shell } = await bench()
    const end = await shell('env -u PWD -u SHLVL -u _ -u OLDPWD', { environment: { ALLOWED: 'yes' } })
    const lines = end.output.trimEnd().split('\n').toSorted()
    expect(lines).toEqual(
      [
        'ALLOWED=yes',
        `FLOTILLA_ARTIFACTS=${root}/attempt/artifacts`,
        'FLOTILLA_ATTEMPT=2',
        `FLOTILLA_FOLDER=${root}/attempt`,
        `FLOTILLA_INPUT=${root}/attempt/scorer-input.json`,
        'FLOTILLA_RUN=r',
        `FLOTILLA_STORE=checks-${process.pid}`,
        'FLOTILLA_TASK=t',
        `PATH=${process.env['PATH'] ?? ''}`,
      ].toSorted(),
    )
  })

  it('VE3 finds what it is told in its input, and what the attempt left in the folder', async () => {
    const { root, shell } = await bench()
    await mkdir(join(root, 'attempt/artifacts'), { recursive: true })
    expect((await shell('cp "$FLOTILLA_INPUT" seen.json; ls -d "$FLOTILLA_ARTIFACTS"')).output).toBe(
      `${root}/attempt/artifacts\n`,
    )
    expect(JSON.parse(await readFile(join(root, 'seen.json'), 'utf8'))).toEqual({ told: true })
  })

  it('RE7 one that cannot be started, or is killed, says why instead of an exit code', async () => {
    const { root, run, shell } = await bench()
    expect(await run(['no-such-program'])).toEqual({
      problem: expect.stringContaining('cannot run no-such-program: there is no such program') as string,
      output: '',
    })
    expect(await run(['./work.txt'])).toMatchObject({ problem: expect.stringContaining('may not be executed') as string })
    expect(await shell('echo so far; kill -9 $$')).toEqual({ problem: 'sh was killed by SIGKILL.', output: 'so far\n' })
    expect(await run(['true'], { root: join(root, 'gone') })).toMatchObject({
      problem: expect.stringContaining('is no folder') as string,
    })
    expect(await run(['true'])).toMatchObject({ exitCode: 0 })
  })

  it('SE2 one that must be confined is not run where nothing can confine it', async () => {
    const { root, shell } = await bench({ probe: () => ({ missing: 'no bubblewrap' }) })
    const end = await shell('touch ran', { confined: { network: false, writable_paths: [] } })
    expect(end).toEqual({ problem: 'Nothing here can confine sh.', output: '' })
    await expect(readFile(join(root, 'ran'))).rejects.toThrow('ENOENT')
    await shell('touch ran')
    expect(await readFile(join(root, 'ran'), 'utf8')).toBe('')
  })

  it('SE5 its output is redacted before it is cut, the score too', async () => {
    const redactor = createRedactor([{ key: 'TOKEN', value: 'hunter2-hunter2' }])
    const { shell } = await bench({ redactor: () => redactor })
    const end = await shell(
      `echo hunter2-hunter2; echo '{"value":1,"notes":"it is hunter2-hunter2"}'; head -c 32760 /dev/zero | tr '\\0' x; echo hunter2-hunter2`,
    )
    expect(end.output).not.toContain('hunter2')
    expect(end.output.startsWith('<secret:TOKEN>\n')).toBe(true)
    expect(end).toMatchObject({ score: { notes: 'it is <secret:TOKEN>' } })
  })

  it('HO4 a flood is cut in the middle, and its end decides', async () => {
    const { shell } = await bench()
    const end = await shell(`echo begin; yes line | head -n 200000; echo '{"value":0.25}'; echo end`)
    expect(end.output.length).toBeLessThan(100_000)
    expect(end.output).toMatch(/^begin\n/)
    expect(end.output).toMatch(/characters left out\]/)
    expect(end.output).toMatch(/end\n$/)
    expect(end).toMatchObject({ exitCode: 0, score: { value: 0.25 } })
  })

  it('HO3 aborting stops the whole tree, also what ignores TERM, and it is gone when the check resolves', async () => {
    const { root, stop, shell } = await bench()
    const read = () => readFile(join(root, 'out.txt'), 'utf8').catch(() => '')
    const running = shell(`exec ${fixture('ignore-term.sh')} > out.txt`)
    await until(async () => (await read()).includes('ready'))
    const pids = /ready (\d+) (\d+)/
      .exec(await read())!
      .slice(1)
      .map(Number)
    expect(pids.map(isRunning)).toEqual([true, true])
    stop.abort()
    expect(await running).toMatchObject({ problem: expect.stringContaining('SIGKILL') as string })
    expect(pids.map(isRunning)).toEqual([false, false])
  })

  it.runIf(process.platform === 'linux')('LE6 what left its group is killed with it', async () => {
    const { root, stop, shell } = await bench()
    const running = shell('setsid sh -c "echo escaped \\$\\$ > pid.txt; exec sleep 60" & sleep 60')
    const read = () => readFile(join(root, 'pid.txt'), 'utf8').catch(() => '')
    await until(async () => (await read()).includes('escaped'))
    const pid = numberAfter('escaped', await read())
    expect(isRunning(pid)).toBe(true)
    stop.abort()
    await running
    expect(isRunning(pid)).toBe(false)
  })
})
