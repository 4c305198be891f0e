import type { Readable, Writable } from 'node:stream'
import type { Clock } from '../../ports/clock.ts'
import type { CommandLaunch } from '../commands/command-launch.ts'
import { createLineReader } from '../line-reader.ts'
import type { ScanSince } from '../orphans.ts'
import { startProgram } from '../program.ts'
import type { Program, ProgramEnd } from '../program.ts'
import { stdioConnection } from './stdio-connection.ts'
import type { LaunchOrder, StartedWorker } from './worker-launcher.ts'

/** How long a worker program whose output or input has ended may take to exit, before the line is given up without knowing why. */
const exitPatienceMs = 500

/** After the leader's exit, how long what it has started may hold its output open (HO3). */
const drainLimitMs = 200

/** Characters of one line of what it writes besides the protocol (HO4). */
const lineLimit = 1024 * 1024

/** How a worker program is started. */
export interface WorkerProgramOptions {
  readonly launch: CommandLaunch
  readonly clock: Clock
  readonly log: LaunchOrder['log']
  /** Ends what the end of the program leaves behind; awaited before `stop` resolves. Must not reject. */
  readonly sweep?: (since: ScanSince) => Promise<void>
}

/**
 * Starts a program that speaks the worker protocol over its standard input and output, as the leader of its own process group (HO3, HO4). Its
 * standard error, and whatever else it prints, is log. Rejects with the platform's error when it cannot be started.
 */
export async function startWorkerProgram(options: WorkerProgramOptions): Promise<StartedWorker> {
  const { launch, clock, log, sweep } = options
  const stderr = createLineReader({ limit: lineLimit, emit: log })
  const stdout = createLineReader({ limit: lineLimit, emit: log })
  const at = clock.monotonic()
  const program = await startProgram(launch, { clock, drainLimitMs, hasInput: true, stderr: stderr.write })
  const [input, output] = program.pipes as readonly [Writable, Readable]
  const connection = stdioConnection({ input, output, other: stdout.write })
  const ended = program.ended.then((end) => {
    stderr.end()
    stdout.end()
    connection.end(exitReason(end))
  })
  const gone = new AbortController()
  void ended.then(() => gone.abort())
  // A program that only closed a pipe lives on; a line of which one half is gone is no line.
  const giveUp = (what: string) => void clock.sleep(exitPatienceMs, { signal: gone.signal }).then(() => connection.end(what))
  output.once('close', () => giveUp('it closed its output'))
  input.once('error', () => giveUp('it closed its input'))

  return {
    connection,
    process: program.record,
    stop: (graceMs) =>
      stop({ program, input, clock, ended, gone: gone.signal, graceMs }).then(() => sweep?.({ pid: program.record.group, at })),
  }
}

/** The end of its input asks it to go; TERM follows, and KILL (HO3). */
async function stop(parts: {
  readonly program: Program
  readonly input: Writable
  readonly clock: Clock
  readonly ended: Promise<void>
  readonly gone: AbortSignal
  readonly graceMs: number
}): Promise<void> {
  const { program, input, clock, ended, gone, graceMs } = parts
  input.end()
  if (graceMs > 0) await clock.sleep(graceMs, { signal: gone })
  program.terminate(graceMs > 0 ? termToKillMs : 0)
  await ended
  input.destroy()
}

/** After the grace, what is left gets so long between TERM and KILL. */
const termToKillMs = 500

function exitReason({ exitCode, signal }: ProgramEnd): string {
  if (signal !== undefined) return `it was ended by ${signal}`
  return exitCode === undefined ? 'it ended' : `it exited with code ${exitCode}`
}
