import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { ProcessRecord } from '../protocol/wire.ts'
import type { Clock } from '../ports/clock.ts'
import type { CommandLaunch } from './commands/command-launch.ts'
import { childProcess } from './child-process.ts'
import { isGroupAlive, processFacts, signalGroup } from './process-group.ts'

/** A program that was started. */
export interface Program {
  /** Undefined where it runs on another machine. */
  readonly record: ProcessRecord | undefined
  /** Asks the whole group to end, and kills it after the grace (HO3). Nothing happens once the leader has exited. */
  terminate(graceMs: number): void
  /** The other ends of the pipes that were asked for, by descriptor. */
  readonly pipes: readonly (Readable | Writable | null | undefined)[]
  /** Resolves when the leader has exited, its output was read, and its group was killed. Never rejects. */
  readonly ended: Promise<ProgramEnd>
}

/** How a program ended. */
export interface ProgramEnd {
  readonly exitCode?: number
  readonly signal?: string
  /** Why the signal was sent, where that is known. */
  readonly because?: string
  /** Why it could not be run, where that was found out only at its end; trying again would not mend it (RE3). */
  readonly unrunnable?: string
  /** Why nobody knows how it ended. Nothing of it runs any more. */
  readonly lost?: string
  /** A folder of this machine that holds what the scorer reads, where the root of the work is elsewhere (VE2). */
  readonly evidenceRoot?: string
  /** False when something outside the group still holds the output open. */
  readonly isDrained: boolean
  /** True when something of it is left that could not be ended. */
  readonly isLeft?: boolean
}

/** A program of this machine. */
export type LocalProgram = Program & { readonly record: ProcessRecord }

/** How long a killed group's output may take to end; after that somebody else holds it. */
const closeMs = 200

/**
 * Starts a program without a shell as the leader of its own process group. Its output is read as fast as it comes, so it is never
 * blocked (HO4). Rejects with the platform's error when it cannot be started.
 */
export async function startProgram(
  launch: CommandLaunch,
  options: {
    readonly clock: Clock
    /** After the leader's exit, how long processes that hold its output open may go on (HO3). */
    readonly drainLimitMs: number
    /** Left out: whoever started it reads the second of `pipes`, at once. */
    readonly stdout?: (bytes: Uint8Array) => void
    readonly stderr: (bytes: Uint8Array) => void
    /** Its standard input is a pipe, the first of `pipes`. Default: it is empty. */
    readonly hasInput?: boolean
    /** What descriptors from 3 are: pipes to this process, descriptors of this process, or what they would be anyway. */
    readonly beyond?: readonly ('pipe' | 'ignore' | number)[]
    /** The group that is asked to end, where that is not the program's own. */
    readonly asked?: () => number | undefined
  },
): Promise<LocalProgram> {
  const { clock, drainLimitMs, hasInput = false, beyond = [], asked } = options
  const { program, args, cwd, environment } = launch
  const standard = [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'] as const
  const spawned = childProcess().spawn(program, args, {
    cwd,
    env: environment,
    detached: true,
    shell: false,
    stdio: [...standard, ...beyond],
  })
  // The types know the streams only where there are three; these two are pipes.
  const child = spawned as ChildProcess & { readonly stdout: Readable; readonly stderr: Readable }
  const exited = happening(child, 'exit')
  const closed = happening(child, 'close')
  await once(child, 'spawn')
  child.on('error', () => {})
  const group = child.pid!
  const started = processFacts(group)?.started ?? ''
  // No await between the start and these lines: output that nobody listens to is thrown away when the program exits.
  if (options.stdout !== undefined) child.stdout.on('data', options.stdout)
  child.stdout.on('error', () => {})
  child.stderr.on('data', options.stderr).on('error', () => {})

  return {
    record: { group, started },
    pipes: child.stdio,
    terminate(graceMs) {
      if (exited.signal.aborted) return
      signalGroup(asked?.() ?? group, 'SIGTERM')
      // The sleep never rejects, and ends with the leader.
      void clock.sleep(graceMs, { signal: exited.signal }).then(() => {
        if (!exited.signal.aborted) signalGroup(group, 'SIGKILL')
      })
    },
    ended: endOf({ child, group, exited, closed, clock, drainLimitMs }),
  }
}

async function endOf(parts: {
  readonly child: ChildProcess & { readonly stdout: Readable; readonly stderr: Readable }
  readonly group: number
  readonly exited: Happening
  readonly closed: Happening
  readonly clock: Clock
  readonly drainLimitMs: number
}): Promise<ProgramEnd> {
  const { child, group, exited, closed, clock, drainLimitMs } = parts
  // The leader was just reaped. While any member of its group is left the platform does not give its id to another group;
  // an empty group's id may be given again, so it is never signalled later.
  const hasLeftMembers = await exited.promise.then(() => isGroupAlive(group))
  await clock.sleep(drainLimitMs, { signal: closed.signal })
  if (hasLeftMembers) signalGroup(group, 'SIGKILL')
  await clock.sleep(closeMs, { signal: closed.signal })
  const isDrained = closed.signal.aborted
  child.stdout.destroy()
  child.stderr.destroy()
  return {
    ...(child.exitCode === null ? {} : { exitCode: child.exitCode }),
    ...(child.signalCode === null ? {} : { signal: child.signalCode }),
    isDrained,
  }
}

interface Happening {
  readonly promise: Promise<void>
  readonly signal: AbortSignal
}

/** An event of a child, to be waited for and to end waits. */
function happening(child: ChildProcess, event: 'exit' | 'close'): Happening {
  const controller = new AbortController()
  const promise = new Promise<void>((resolve) =>
    child.once(event, () => {
      controller.abort()
      resolve()
    }),
  )
  return { promise, signal: controller.signal }
}
