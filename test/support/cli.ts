import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../../src/cli/cli.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const loader = import.meta.resolve('tsx')

/** A folder with a store in it, and the command line at work there. */
export interface CliFolder extends AsyncDisposable {
  readonly path: string
  /** Writes a file, JSON unless it is text, and gives its path. */
  file(name: string, content: unknown): Promise<string>
  has(name: string): boolean
  /** Names of what lies in the folder. */
  entries(): Promise<string[]>
  /** Runs the command line to its end, in this process: with the store, the workspace and the files of the folder. */
  call(...args: readonly string[]): Promise<CliEnd>
  /** Runs the command line to its end, in a process of its own. */
  flotilla(...args: readonly string[]): Promise<CliEnd>
  /** Starts the command line. Whatever is left of it is killed with the folder. */
  start(...args: readonly string[]): CliProcess
}

/** How the command line ended. */
export interface CliEnd {
  /** The exit code, or the name of the signal that killed it. */
  readonly exit: number | string
  readonly out: string
  readonly err: string
  /** Lines of standard output as JSON. */
  readonly rows: readonly Record<string, unknown>[]
}

/** A command line that runs. */
export interface CliProcess {
  readonly child: ChildProcess
  readonly out: string
  /** Resolves once standard output has the text; rejects when the process ends without it. */
  says(text: string): Promise<void>
  readonly ended: Promise<CliEnd>
}

export async function cliFolder(): Promise<CliFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'flotilla-cli-')))
  const running = new Set<CliProcess>()

  function start(...args: readonly string[]): CliProcess {
    const started = startCli(path, args)
    running.add(started)
    void started.ended.then(() => running.delete(started))
    return started
  }

  return {
    path,
    async file(name, content) {
      await writeFile(
        join(path, name),
        typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
      )
      return join(path, name)
    },
    has: (name) => existsSync(join(path, name)),
    entries: () => readdir(path),
    call: (...args) => callCli(path, args),
    flotilla: (...args) => start(...args).ended,
    start,
    async [Symbol.asyncDispose]() {
      for (const { child, ended } of running) {
        child.kill('SIGKILL')
        await ended
      }
      await rm(path, { recursive: true, force: true })
    },
  }
}

/** A task that runs a line of shell, and passes with exit code 0. */
export function shellTask(id: string, line: string, fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { id, name: id, instructions: line, metadata: { command: ['sh', '-c', line] }, scorer: { kind: 'exit_code' }, ...fields }
}

/** A line of shell that goes on until a file appears; a test that fails leaves none of it for long. */
export function untilFile(name: string): string {
  return `i=0; while ! test -e ${name} && [ $i -lt 400 ]; do i=$((i+1)); sleep 0.05; done`
}

async function callCli(path: string, args: readonly string[]): Promise<CliEnd> {
  let out = ''
  let err = ''
  const terminal: Terminal = {
    live: false,
    interactive: false,
    colour: false,
    stdout: process.stdout,
    columns: () => 100,
    rows: () => 24,
    out: (text) => void (out += typeof text === 'string' ? text : new TextDecoder().decode(text)),
    err: (text) => void (err += text),
    now: () => Date.now(),
    user: () => 'tester',
    stay: () => () => {},
    every: () => () => {},
    keys: () => () => {},
    onEnd: () => () => {},
  }
  const [verb = '', ...rest] = args
  const inFolder =
    verb === 'run' && rest[0] !== undefined ? [verb, join(path, rest[0]), '--workspace', path, ...rest.slice(1)] : args
  const exit = await runCommandLine([...inFolder, '--folder', join(path, '.flotilla')], terminal)
  // As it would read in the folder itself.
  const [told, remarks] = [out, err].map((text) => text.replaceAll(`${path}/`, '')) as [string, string]
  return endOf(exit, told, remarks)
}

function startCli(cwd: string, args: readonly string[]): CliProcess {
  const child = spawn(process.execPath, ['--import', loader, '-C', 'flotilla-source', main, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = once(child, 'close').then(([code, signal]) => endOf((code ?? signal) as number | string, out, err))
  return {
    child,
    get out() {
      return out
    },
    async says(text) {
      const end = ended.then(() => 'ended' as const)
      while (!out.includes(text)) {
        const next = await Promise.race([once(child.stdout, 'data'), end])
        if (next === 'ended' && !out.includes(text))
          throw new Error(`It ended without saying ${JSON.stringify(text)}:\n${out}\n${err}`)
      }
    },
    ended,
  }
}

/** Its rows are read when they are asked for: what is for a person may be no NDJSON. */
function endOf(exit: number | string, out: string, err: string): CliEnd {
  return {
    exit,
    out,
    err,
    get rows() {
      return rowsOf(out)
    },
  }
}

function rowsOf(out: string): Record<string, unknown>[] {
  const lines = out.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}
