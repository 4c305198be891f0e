import type { Writable } from 'node:stream'
import type { Clock } from '../../ports/clock.ts'
import { type ContainerLaunch, containerArguments } from '../../security/container.ts'
import type { ContainerClient } from './container-client.ts'
import { type Program, type ProgramEnd, startProgram } from '../program.ts'

/** Everything that a start stands on. */
export interface ContainerStart {
  readonly client: ContainerClient
  readonly clock: Clock
  /** Values of the variables that the launch names, for the client. */
  readonly environment: Readonly<Record<string, string>>
  /** Writes what the program finds in its standard input, and ends it. */
  readonly input?: (stream: Writable) => void
  readonly startLimitMs: number
  readonly drainLimitMs: number
  readonly stdout: (bytes: Uint8Array) => void
  readonly stderr: (bytes: Uint8Array) => void
}

/** How long the first look waits whether the container runs; each later one waits twice as long, up to the most. */
const looks = { firstMs: 250, mostMs: 2_000 }
/** How often what is just being made is asked to end. */
const askAgainMs = 100
/** How long a client may take to see that its container was killed. */
const clientLimitMs = 5_000
/** Exit codes from which on a client may speak of itself, or of a signal. */
const firstOwnCode = 125
/** A program that was killed, as the first process of its container tells it; most runtimes do not say whether for want of memory. */
const killedCode = 137

/**
 * Starts a container and the client that reads its output. Ending the client would leave the container running, so it is asked to end, and killed,
 * by its name, and removed at its end. A runtime that hangs is given up: its program then ends as one that never came to run. Rejects
 * with the platform's error when there is no client.
 */
export async function startContainer(launch: ContainerLaunch, start: ContainerStart): Promise<Program> {
  const { client, clock, drainLimitMs, startLimitMs } = start
  const { host } = client
  const { name, hasInput } = launch
  const recent = createTail()
  const stderr = (bytes: Uint8Array) => {
    recent.write(bytes)
    start.stderr(bytes)
  }
  const program = await startProgram(
    {
      program: host.program,
      args: containerArguments(launch, host),
      cwd: '/',
      environment: { ...host.environment, ...start.environment },
    },
    { clock, drainLimitMs, hasInput, stdout: start.stdout, stderr },
  )
  // A program that does not read its input, or is gone: its end tells.
  if (hasInput) start.input?.((program.pipes[0] as Writable).on('error', () => {}))
  const exited = new AbortController()
  const running = { client, clock, name, exited: exited.signal }
  let isLate = false
  // It never rejects, and ends with the client.
  void untilStarted(running, startLimitMs).then((seen) => {
    if (seen !== 'late') return
    isLate = true
    // A client that hangs would hang in what it is asked too.
    program.terminate(0)
  })
  return {
    record: program.record,
    pipes: program.pipes,
    ended: program.ended.then(async (end) => {
      exited.abort()
      const never = isLate ? `${host.runtime} did not start it within ${startLimitMs / 1000} s` : undefined
      return endOf(end, { client, launch, said: recent.text(), never })
    }),
    terminate(graceMs) {
      if (!exited.signal.aborted) void terminate(running, program, graceMs)
    },
  }
}

interface Running {
  readonly client: ContainerClient
  readonly clock: Clock
  readonly name: string
  /** Aborts when the client has ended. */
  readonly exited: AbortSignal
}

/** TERM, the grace, KILL, for the container; then an end of its client, which leads to the container's removal. Never rejects. */
async function terminate({ client, clock, name, exited }: Running, program: Program, graceMs: number): Promise<void> {
  const until = clock.monotonic() + graceMs
  // What is just being made does not hear, and a client that is killed meanwhile could leave it behind.
  while (!(await client.signal(name, 'TERM')) && !exited.aborted && clock.monotonic() < until) {
    await clock.sleep(askAgainMs, { signal: exited })
  }
  await clock.sleep(until - clock.monotonic(), { signal: exited })
  const last = clock.monotonic() + clientLimitMs
  while (!exited.aborted && clock.monotonic() < last) {
    const isHeard = await client.signal(name, 'KILL')
    await clock.sleep(isHeard ? last - clock.monotonic() : askAgainMs, { signal: exited })
  }
  if (!exited.aborted) program.terminate(0)
}

async function untilStarted({ client, clock, name, exited }: Running, limitMs: number): Promise<'started' | 'exited' | 'late'> {
  const until = clock.monotonic() + limitMs
  for (let waitMs = looks.firstMs; ; waitMs = Math.min(waitMs * 2, looks.mostMs)) {
    await clock.sleep(waitMs, { signal: exited })
    if (exited.aborted) return 'exited'
    const state = await client.state(name).catch(() => undefined)
    if (state?.hasStarted === true) return 'started'
    if (clock.monotonic() >= until) return exited.aborted ? 'exited' : 'late'
  }
}

/** How a container ended, which is removed after that. */
async function endOf(
  end: ProgramEnd,
  of: {
    readonly client: ContainerClient
    readonly launch: ContainerLaunch
    readonly said: string
    readonly never: string | undefined
  },
): Promise<ProgramEnd> {
  const { client, launch, said } = of
  const isPlain = end.exitCode !== undefined && end.exitCode < firstOwnCode
  const state = isPlain ? undefined : await client.state(launch.name).catch(() => undefined)
  const isLeft = !(await client.remove(launch.name))
  const left = { isDrained: end.isDrained, ...(isLeft && { isLeft }) }
  const missing = missingProgram(end, said)
  if (missing !== undefined) return { ...left, unrunnable: missing }
  const unstarted = of.never ?? (isPlain || state?.hasStarted === true ? undefined : said.trim() || endingOf(end))
  if (unstarted !== undefined) return { ...left, lost: unstarted }
  if (end.exitCode === killedCode) {
    const may = state?.isOutOfMemory === true ? 'it needed' : 'it may have needed'
    return { ...left, signal: 'SIGKILL', because: `${may} more than ${launch.limits.memoryBytes} bytes of memory` }
  }
  return { ...end, ...left, ...(state?.isRunning === true && { because: 'the client of its container ended' }) }
}

function endingOf({ exitCode, signal }: ProgramEnd): string {
  return `its client ended with ${exitCode === undefined ? (signal ?? 'a signal') : `the exit code ${exitCode}`}`
}

/** The first process of a container says so when it cannot become the program: catatonit of podman, tini of docker, or what hands secrets over. */
const unexecuted =
  /^(?:ERROR \(catatonit:\d+\): failed to exec pid1|\[FATAL tini \(\d+\)\] exec .* failed|\[flotilla\] exec failed): (.+)$/m

function missingProgram({ exitCode }: ProgramEnd, said: string): string | undefined {
  if (exitCode !== 1 && exitCode !== 126 && exitCode !== 127) return undefined
  return initProblem(said)
}

/** Why the first process of a container, which says so, could not become the program. */
export function initProblem(said: string): string | undefined {
  return unexecuted.exec(said)?.[1]
}

/** The end of what a stream said. */
function createTail(): { readonly write: (bytes: Uint8Array) => void; readonly text: () => string } {
  const decoder = new TextDecoder()
  let text = ''
  return {
    write(bytes) {
      text = (text + decoder.decode(bytes, { stream: true })).slice(-2_000)
    },
    text: () => text,
  }
}
