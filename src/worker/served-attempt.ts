import type { Clock } from '../ports/clock.ts'
import type { Files } from '../ports/files.ts'
import { FleetError, type FleetErrorCode } from '../protocol/errors.ts'
import type { AttemptKey, AttemptMessage, ToWorker } from '../protocol/wire.ts'
import type { FleetAttemptFrame, KnownAttempt } from '../protocol/worker-protocol.ts'
import { isFullDisk } from '../transports/full-disk.ts'
import type { AttemptFolder } from './attempt-folder.ts'
import { bounded } from './failure.ts'
import { createOutbox, type Outbox, type OutboxLimits, type Saying } from './outbox.ts'
import { createOutgoing, type Outgoing } from './outgoing.ts'

/** An attempt of the fleet, as a worker serves it: what was heard of it, what was said, and its files. */
export interface ServedAttempt {
  readonly key: AttemptKey
  /** How far it has come, for the next hello. */
  readonly known: KnownAttempt
  /** It was assigned, and its last frame was not said. */
  readonly isRunning: boolean
  /** Its last frame was said and, where the fleet acknowledges, taken; or the fleet wants to hear no more of it. */
  readonly isOver: boolean
  /** Takes a frame of the fleet. False: a frame before it is missing, so it was not taken. What was taken before changes nothing. */
  take(frame: FleetAttemptFrame): boolean
  /** Takes what the work says. Throws `too_large` for what no fleet would take, other than a last message. */
  say(message: AttemptMessage): void
  /** Aborts the work. */
  stop(code: FleetErrorCode, reason: string): void
  readonly outbox: Outbox
  /** Removes its files. */
  remove(): Promise<void>
}

/** What serving stands on. */
export interface ServedAttemptParts {
  readonly key: AttemptKey
  /** Whether the fleet acknowledges. */
  readonly keeps: boolean
  readonly clock: Clock
  readonly files: Files
  readonly limits?: OutboxLimits
  readonly transmit: (line: string) => void
  /** Hands a message to the work. */
  readonly toWork: (message: ToWorker) => void
  readonly makeFolder: () => AttemptFolder
  /** Why no work is begun; undefined while it is. */
  readonly refusal: () => string | undefined
  /** Why the worker leaves and gives its attempts back; undefined while it does not. */
  readonly leaving: () => string | undefined
  /** Something ended or was taken: `isRunning` or `isOver` may have changed. */
  readonly changed: () => void
}

type Assign = Extract<FleetAttemptFrame, { type: 'assign' }>

export function serveAttempt(parts: ServedAttemptParts): ServedAttempt {
  const { key, clock, files, toWork } = parts
  const outbox = createOutbox(parts)
  let heard = 0
  let phase: 'staging' | 'running' | 'ended' | 'unwanted' = 'staging'
  let isStopped = false
  let isOverfull = false
  let folder: AttemptFolder | undefined
  let stagingError: unknown
  let assign: Assign | undefined
  let sharesFiles = false
  /** What is being sent, one after another. */
  let sending: Promise<void> | undefined

  const ownFolder = () => (folder ??= parts.makeFolder())
  let sender: Outgoing | undefined
  /** Sends bytes. Most attempts send none. */
  const outgoing = (frame: Assign) =>
    (sender ??= createOutgoing({
      ...{ outbox, clock, files },
      place: {
        folder: frame.folder ?? ownFolder().open(),
        root: frame.root ?? ownFolder().openRoot(frame.task.workspace?.root),
      },
    }))

  const end = (saying: Saying) => {
    if (phase === 'ended' || phase === 'unwanted') return
    phase = 'ended'
    try {
      outbox.end(isOverfull && saying.type === 'stopped' ? overfull : saying)
    } catch (error) {
      if (!FleetError.is(error, 'too_large')) throw error
      const reason = `invalid_output: what the work returned cannot be sent: ${error.message} Hand it over as an artifact.`
      outbox.end({ type: 'failed', failure_kind: 'task', reason: bounded(reason), recoverable: true })
    }
    parts.changed()
  }

  /** After what is being sent; `fail` is told why it could not be done. */
  const then = (act: () => Promise<void> | void, fail: (reason: string) => void) => {
    const own = (sending ?? Promise.resolve()).then(act).catch((error: unknown) => fail(wordsOf(error)))
    sending = own
    void own.then(() => {
      if (sending === own) sending = undefined
    })
  }

  const begin = (frame: Assign) => {
    assign = frame
    phase = 'running'
    outbox.say({ type: 'accepted' })
    const refusal = parts.refusal()
    if (refusal !== undefined) return end({ type: 'stopped', released: refusal })
    try {
      if (stagingError !== undefined) throw stagingError
      sharesFiles = frame.folder !== undefined && frame.root !== undefined
      // A part of the message's own: a folder is made when the work asks for it.
      toWork({
        ...frame,
        get folder() {
          return frame.folder ?? ownFolder().open()
        },
        get root() {
          return frame.root ?? ownFolder().openRoot(frame.task.workspace?.root)
        },
      })
    } catch (error) {
      if (isFullDisk(error)) return end({ type: 'stopped', released: 'no room for the folder of the attempt' })
      const reason = bounded(`The worker could not make the folder of the attempt: ${wordsOf(error)}`)
      end({ type: 'failed', failure_kind: 'transport', reason })
    }
  }

  const stage = (act: () => void) => {
    try {
      if (phase === 'staging') act()
    } catch (error) {
      stagingError ??= error
    }
  }

  const stop = (code: FleetErrorCode, reason: string) => {
    isStopped = true
    outbox.giveUp()
    if (phase === 'staging') end({ type: 'stopped' })
    else toWork({ type: 'stop', ...key, code, reason, grace_ms: 0 })
  }

  const hear = (frame: FleetAttemptFrame) => {
    if (frame.type === 'assign') return void (phase === 'staging' && begin(frame))
    if (frame.type === 'chunk') return stage(() => ownFolder().take(frame.transfer, Buffer.from(frame.bytes, 'base64')))
    if (frame.type === 'file') return stage(() => ownFolder().place(frame.transfer, frame.path))
    if (frame.type !== 'stop') return toWork(frame)
    if (phase !== 'ended') return stop(frame.code, frame.reason)
    // Its lease is lost and its work has ended: whoever holds the lease now is nobody of this attempt.
    if (frame.code === 'lease_lost') {
      phase = 'unwanted'
      parts.changed()
    }
  }

  const sayArtifact = (message: Extract<AttemptMessage, { type: 'artifact' }>) => {
    const { bytes, ...report } = message
    if (sharesFiles && bytes === undefined) return outbox.say(report)
    const frame = assign
    if (frame === undefined) return
    const refuse = (refused: string) => toWork({ type: 'collected', ...key, report: message.report, refused })
    then(
      async () => {
        const refused = await outgoing(frame).artifact(message)
        if (refused !== undefined) refuse(refused)
      },
      (reason) => refuse(`The artifact could not be sent: ${reason}.`),
    )
  }

  const sayLast = (message: Extract<AttemptMessage, { type: 'result' | 'failed' }>) => {
    const frame = assign
    const fail = (why: string) => {
      end({
        type: 'failed',
        failure_kind: 'transport',
        reason: bounded(`The worker could not say what its scorer reads: ${why}`),
      })
    }
    if (message.type === 'result' && !sharesFiles && frame?.task.scorer !== undefined) {
      then(() => outgoing(frame).evidence(frame.task.scorer), fail)
    }
    if (sending === undefined) end(message)
    else then(() => end(message), fail)
  }

  return {
    key,
    outbox,
    get known() {
      return { ...key, acked: outbox.acked, heard }
    },
    get isRunning() {
      return phase === 'running'
    },
    get isOver() {
      return phase === 'unwanted' || (phase === 'ended' && outbox.isDelivered)
    },
    take(frame) {
      if (frame.seq <= heard) return true
      if (frame.seq > heard + 1) return false
      heard = frame.seq
      hear(frame)
      return true
    },
    say(message) {
      if (message.type === 'log') outbox.log(message.text)
      else if (message.type === 'artifact') sayArtifact(message)
      else if (message.type === 'result' || message.type === 'failed') sayLast(message)
      else if (message.type === 'stopped') end({ ...released(parts.leaving()), ...message })
      else if (message.type !== 'heartbeat') outbox.say(message)
      if (!outbox.isFull || isStopped) return
      isOverfull = true
      stop('lease_lost', overfull.reason)
    },
    stop,
    remove: () => folder?.remove() ?? Promise.resolve(),
  }
}

/** The work said more than can be kept, and the fleet took none of it. */
const overfull = {
  type: 'failed',
  failure_kind: 'transport',
  reason: 'The work reported more than its worker keeps while the fleet cannot be reached.',
} as const

function released(reason: string | undefined): { readonly type: 'stopped'; readonly released?: string } {
  return { type: 'stopped', ...(reason !== undefined && { released: reason }) }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
