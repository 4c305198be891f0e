import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { FleetSide } from '../fixtures/fleet-side.ts'
import { until } from '../fixtures/processes.ts'

/** A worker program that runs, with a fleet at the other end of its standard input and output. */
export interface SpawnedWorker extends Disposable {
  readonly fleet: FleetSide
  readonly child: ChildProcess
  /** Lines of standard output, as they came. */
  readonly lines: readonly string[]
  /** What it wrote to standard error so far. */
  log(): string
  write(line: string): void
  /** Resolves with the exit code, and how long after the call it exited. */
  exit(): Promise<{ readonly code: number | null; readonly afterMs: number }>
}

/** How it is started, and what it is told first. */
export interface SpawnOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly welcome?: NonNullable<ConstructorParameters<typeof FleetSide>[0]>
  /** Called with each line of each side. */
  readonly seen?: (side: 'worker' | 'fleet', line: string) => void
}

/** Starts a program that speaks the worker protocol, and waits for its hello. */
export async function spawnWorker(command: readonly [string, ...string[]], options: SpawnOptions = {}): Promise<SpawnedWorker> {
  const [program, ...words] = command
  const env = { ...process.env, ...options.env }
  const child = spawn(program, words, { cwd: options.cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const { seen = () => {} } = options
  const fleet = new FleetSide(options.welcome, { collects: true, seen: (line) => seen('worker', line) })
  const lines: string[] = []
  let log = ''
  let hasExited = false
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  void exited.then(() => (hasExited = true))
  child.once('error', (error) => (log += error.message))
  child.stdin.on('error', () => {})
  child.stderr.on('data', (piece: Buffer) => (log += piece.toString()))
  const write = (line: string) => {
    seen('fleet', line)
    child.stdin.write(`${line}\n`)
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    // What does not begin like this is no protocol, but what a program printed before it served.
    if (line.startsWith('{')) fleet.hear(line, write)
  })
  await until(() => lines.length > 0 || hasExited, 'the hello')
  return {
    ...{ fleet, child, lines, write },
    log: () => log,
    async exit() {
      const from = performance.now()
      return { code: await exited, afterMs: performance.now() - from }
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}
