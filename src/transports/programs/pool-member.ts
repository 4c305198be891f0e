import type { Clock } from '../../ports/clock.ts'
import type { Files } from '../../ports/files.ts'
import type { Channel, WorkerLaunch } from '../../ports/transport.ts'
import { FleetError } from '../../protocol/errors.ts'
import type { Confinement } from '../../protocol/wire.ts'
import { greet } from '../session/worker-greeting.ts'
import type { Greeting } from '../session/worker-greeting.ts'
import type { MemberWork } from './member-work.ts'
import type { StartedWorker, WorkerLauncher } from './worker-launcher.ts'
import { openSession } from '../session/worker-session.ts'

/** A worker program of a pool, which serves one attempt at a time. */
export interface PoolMember {
  readonly channel: Channel
  readonly started: StartedWorker
  /** What it is kept to, as a text: it serves only attempts that are kept to the same. */
  readonly confinement: string
  /** What it does. */
  work: MemberWork | undefined
  /** It gets no more attempts. */
  isLeaving: boolean
}

/** What a start takes. */
export interface MemberParts {
  readonly launcher: WorkerLauncher
  readonly launch: WorkerLaunch
  readonly clock: Clock
  readonly files: Files
  /** Handlers that the program must serve. */
  readonly handlers: readonly string[]
  readonly startTimeoutMs: number
}

/** Starts a program and waits for its hello. Rejects with what went wrong, and with the end of what it printed; then nothing of it is left. */
export async function startMember(
  parts: MemberParts,
  order: { readonly confined: Confinement | undefined; readonly log: (text: string) => void; readonly signal: AbortSignal },
): Promise<PoolMember> {
  const { launcher, launch, clock, files } = parts
  let printed = ''
  let isUp = false
  const log = (text: string) => {
    if (isUp) order.log(text)
    else printed = (printed + text).slice(-quotedChars)
  }
  const started = await launcher.start({ launch, confined: order.confined, log, signal: order.signal })
  try {
    const greeting = await greet(started.connection, { clock, helloTimeoutMs: parts.startTimeoutMs, signal: order.signal })
    requireFit(greeting, parts)
    isUp = true
    return {
      channel: openSession(greeting, { launch, clock, files, sharesFiles: launcher.sharesFiles }),
      started,
      confinement: confinementOf(order.confined),
      work: undefined,
      isLeaving: false,
    }
  } catch (error) {
    await started.stop(0)
    const reason = error instanceof Error ? error.message : String(error)
    throw new FleetError('invalid_message', printed.trim() === '' ? reason : `${reason} It printed: ${printed.trim()}`)
  }
}

/** Characters of what a program printed that the reason of its failed start may quote. */
const quotedChars = 2_000

/** A worker may only speak for itself, and must serve what it is asked for (SE7, SC3). */
function requireFit({ hello, line }: Greeting, { launch, handlers }: MemberParts): void {
  const refuse = (code: string, reason: string) => {
    line.refuse(code, reason)
    throw new FleetError('invalid_message', reason)
  }
  if (hello.worker_id !== undefined && hello.worker_id !== launch.workerId) {
    refuse(
      'unknown_worker',
      `The program says that it is the worker ${hello.worker_id}, but it was started as ${launch.workerId}.`,
    )
  }
  const missing = handlers.filter((name) => hello.handlers !== undefined && !hello.handlers.includes(name))
  if (missing.length > 0) {
    refuse('unknown_handler', `The program does not serve ${missing.join(', ')}, which its worker is registered for.`)
  }
}

export function confinementOf(confined: Confinement | undefined): string {
  return confined === undefined ? '' : JSON.stringify(confined)
}
