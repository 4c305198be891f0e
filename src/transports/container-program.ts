import type { Writable } from 'node:stream'
import type { Clock } from '../ports/clock.ts'
import { type ContainerLaunch, containerArguments } from '../security/container.ts'
import type { ContainerClient } from './container-client.ts'
import { type Program, type ProgramEnd, startProgram } from './program.ts'

/** Why there is no program. `missing`: the container has none of this name, or it cannot be executed. */
export type Unstarted = { readonly missing: string } | { readonly unstarted: string }

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
  readonly signal: AbortSignal
  readonly stdout: (bytes: Uint8Array) => void
  readonly stderr: (bytes: Uint8Array) => void
}

/** How long the first look waits; each later one waits twice as long, up to the most. */
const [firstLookMs, mostLookMs] = [250, 2_000]
/** How long a start that is no longer wanted may take until it can be ended by its name. */
const stopLimitMs = 3_000
/** How long a client may take to see that its container was killed. */
const clientLimitMs = 5_000
/** Exit codes from which on a client may speak of itself, or of a signal. */
const firstOwnCode = 125
const outOfMemoryCode = 137

/**
 * Starts a container and the client that reads its output, and waits until the runtime says that it runs, which a hanging one never does.
 * Ending the client would leave the container running, so it is asked to end, and killed, by its name; at its end it is removed. Rejects with
 * the signal's reason, or the platform's error, when nothing of it is left.
 */
export async function startContainer(launch: ContainerLaunch, start: ContainerStart): Promise<Program | Unstarted> {
  const { client, clock, signal, drainLimitMs, startLimitMs } = start
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
  const ended = program.ended.then(async (end) => {
    exited.abort()
    return endOf(end, { client, name, launch })
  })
  const kill = () => {
    void client.signal(name, 'KILL')
    // The sleep never rejects, and ends with the client.
    void clock.sleep(clientLimitMs, { signal: exited.signal }).then(() => {
      if (!exited.signal.aborted) program.terminate(0)
    })
  }

  const looking = { client, clock, name, exited: exited.signal }
  let seen = await untilStarted({ ...looking, limitMs: startLimitMs, signal })
  // What is just being made cannot be removed yet, and a client that is killed meanwhile could leave it behind.
  if (seen === 'stopped') seen = await untilStarted({ ...looking, limitMs: stopLimitMs })
  if (seen === 'started' && signal.aborted) kill()
  if (seen === 'late') program.terminate(0)
  if (seen === 'late' || signal.aborted) {
    await ended
    signal.throwIfAborted()
    return { unstarted: `${host.runtime} did not start it within ${startLimitMs / 1000} s` }
  }
  if (seen === 'exited') {
    const { end, hasStarted } = await ended
    signal.throwIfAborted()
    const missing = missingProgram(end, recent.text())
    if (missing !== undefined) return { missing }
    if (!hasStarted)
      return { unstarted: recent.text().trim() || `the client ended with ${end.exitCode ?? end.signal ?? 'nothing'}` }
  }
  return {
    record: program.record,
    pipes: program.pipes,
    ended: ended.then(({ end }) => end),
    terminate(graceMs) {
      if (exited.signal.aborted) return
      void client.signal(name, 'TERM')
      void clock.sleep(graceMs, { signal: exited.signal }).then(() => {
        if (!exited.signal.aborted) kill()
      })
    },
  }
}

async function untilStarted(looking: {
  readonly client: ContainerClient
  readonly clock: Clock
  readonly name: string
  readonly limitMs: number
  readonly signal?: AbortSignal
  readonly exited: AbortSignal
}): Promise<'started' | 'exited' | 'stopped' | 'late'> {
  const { client, clock, name, limitMs, signal, exited } = looking
  const until = clock.monotonic() + limitMs
  const waits = AbortSignal.any(signal === undefined ? [exited] : [signal, exited])
  for (let waitMs = firstLookMs; ; waitMs = Math.min(waitMs * 2, mostLookMs)) {
    await clock.sleep(waitMs, { signal: waits })
    if (exited.aborted) return 'exited'
    if (signal?.aborted === true) return 'stopped'
    const state = await client.state(name).catch(() => undefined)
    if (state?.hasStarted === true) return 'started'
    if (clock.monotonic() >= until) return 'late'
  }
}

/** How a container ended, which is removed after that. */
async function endOf(
  end: ProgramEnd,
  { client, name, launch }: { readonly client: ContainerClient; readonly name: string; readonly launch: ContainerLaunch },
): Promise<{ readonly end: ProgramEnd; readonly hasStarted: boolean }> {
  const isPlain = end.exitCode !== undefined && end.exitCode < firstOwnCode
  const state = isPlain ? undefined : await client.state(name).catch(() => undefined)
  const isLeft = !(await client.remove(name))
  const because = `it needed more than ${launch.limits.memoryBytes} bytes of memory`
  const { exitCode, ...rest } = end
  return {
    end: {
      ...(state?.isOutOfMemory === true && exitCode === outOfMemoryCode
        ? { ...rest, signal: 'SIGKILL', because }
        : { ...end, ...(state?.isRunning === true && { because: 'the client of its container ended' }) }),
      ...(isLeft && { isLeft }),
    },
    hasStarted: isPlain || state?.hasStarted === true,
  }
}

/** The first process of a container says so when it cannot become the program: catatonit of podman, tini of docker, or what hands secrets over. */
const unexecuted =
  /^(?:ERROR \(catatonit:\d+\): failed to exec pid1|\[FATAL tini \(\d+\)\] exec .* failed|\[flotilla\] exec failed): (.+)$/m

function missingProgram({ exitCode }: ProgramEnd, said: string): string | undefined {
  if (exitCode !== 1 && exitCode !== 126 && exitCode !== 127) return undefined
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
