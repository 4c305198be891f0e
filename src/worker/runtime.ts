import type { Clock } from '../ports/clock.ts'
import type { Files } from '../ports/files.ts'
import type { WorkerConnection } from '../ports/worker-connection.ts'
import type { FleetErrorCode } from '../protocol/errors.ts'
import type { AttemptKey, AttemptMessage } from '../protocol/wire.ts'
import {
  type FleetAttemptFrame,
  type FleetFrame,
  type HelloFrame,
  type PingFrame,
  workerProtocolVersion,
} from '../protocol/worker-protocol.ts'
import type { AttemptFolders } from './attempt-folder.ts'
import { createEndedAttempts } from './ended-attempts.ts'
import { readFleetFrame } from './fleet-frame.ts'
import { handlerWorker } from './handler-worker.ts'
import type { PlainHandler, TaskHandler } from './handler.ts'
import type { OutboxLimits } from './outbox.ts'
import { serveAttempt, type ServedAttempt } from './served-attempt.ts'
import type { Vitals } from './vitals.ts'
import { writeFrame } from './write-frame.ts'

/** Who a worker is, and what it does. */
export interface RuntimeIdentity {
  readonly workerId?: string
  /** Changes at each start. */
  readonly incarnation?: string
  readonly token?: string
  readonly capabilities?: readonly string[]
}

/** What a runtime stands on. */
export interface RuntimeParts extends RuntimeIdentity {
  readonly handlers: readonly TaskHandler[]
  readonly plain: PlainHandler | undefined
  /** It outlives its connections: what was not acknowledged is kept, and said again on the next one (HO7). */
  readonly resumes: boolean
  readonly clock: Clock
  readonly files: Files
  readonly folders: AttemptFolders
  readonly makeFolder: (path: string) => void
  readonly vitals: () => Partial<Vitals>
  readonly limits?: OutboxLimits
}

/** How a connection ended. */
export interface LineEnd {
  readonly reason: string
  /** The fleet answered the hello. */
  readonly wasWelcomed: boolean
  /** The fleet would not have it, and said why. */
  readonly refused?: { readonly code: string; readonly reason: string }
}

/** The worker's side of the protocol, which outlives its connections. */
export interface WorkerRuntime {
  /** Speaks over a connection, in the place of an earlier one. Resolves, never rejects, when that connection has ended. */
  attach(connection: WorkerConnection): Promise<LineEnd>
  /** No connection is of use any more: the fleet said bye, the worker leaves or, without `resumes`, its one connection has ended. */
  readonly isOver: boolean
  /** Resolves when it is over, all work has settled, and the folders of the attempts are gone. Work that ignores its signal keeps it waiting. */
  readonly done: Promise<void>
  /** Takes no more attempts; what runs goes on. */
  drain(reason?: string): void
  /** Leaves: aborts what runs, gives it back, says bye and ends the connection. Resolves like `done`, or after the grace. */
  close(options: { readonly reason: string; readonly graceMs: number }): Promise<void>
}

/** A connection, and how far it has come. */
interface Line {
  readonly connection: WorkerConnection
  welcome: Extract<FleetFrame, { type: 'welcome' }> | undefined
  refused: LineEnd['refused']
}

export function createRuntime(parts: RuntimeParts): WorkerRuntime {
  const { clock, resumes } = parts
  const attempts = new Map<string, ServedAttempt>()
  const endedAttempts = createEndedAttempts()
  const secrets = new Map<string, Readonly<Record<string, string>>>()
  const removals = new Set<Promise<void>>()
  let line: Line | undefined
  let heardAt = clock.monotonic()
  let ttlMs = 0
  let heartbeatMs = 0
  let disarmTick: (() => void) | undefined
  let disarmLoss: (() => void) | undefined
  let draining: string | undefined
  let leaving: string | undefined
  let isOver = false
  let isDone = false
  let announceDone!: () => void
  const done = new Promise<void>((resolve) => (announceDone = resolve))
  let wakeDelivered: (() => void) | undefined

  const work = handlerWorker({
    handlers: parts.handlers,
    ...(parts.plain && { plain: parts.plain }),
    clock,
    makeFolder: parts.makeFolder,
    redact: (text) => withoutSecrets(text, secrets.values()),
  }).connect((message: AttemptMessage) => attempts.get(nameOf(message))?.say(message))

  const transmit = (text: string) => {
    if (line?.welcome !== undefined) line.connection.send(text)
  }

  const hello = (): HelloFrame => ({
    type: 'hello',
    protocol: workerProtocolVersion,
    ...(parts.workerId !== undefined && { worker_id: parts.workerId }),
    ...(parts.incarnation !== undefined && { incarnation: parts.incarnation }),
    ...(parts.token !== undefined && { token: parts.token }),
    handlers: parts.handlers.map(({ name }) => name),
    plain: parts.plain !== undefined,
    ...(parts.capabilities !== undefined && { capabilities: parts.capabilities }),
    ...(resumes && { resumes }),
    attempts: [...attempts.values()].map(({ known }) => known),
  })

  const abortAll = (code: FleetErrorCode, reason: string) => {
    for (const attempt of attempts.values()) attempt.stop(code, reason)
  }

  const settle = () => {
    if (!isOver || isDone || [...attempts.values()].some(({ isRunning }) => isRunning)) return
    isDone = true
    void Promise.all(removals).then(() => {
      parts.folders.remove()
      announceDone()
    })
  }

  const over = () => {
    if (isOver) return
    isOver = true
    disarmTick?.()
    disarmLoss?.()
  }

  const changed = (name: string) => {
    const attempt = attempts.get(name)
    if (attempt?.isRunning === false) secrets.delete(name)
    if (attempt?.isOver === true) {
      attempts.delete(name)
      endedAttempts.add(name)
      const removal = attempt.remove().finally(() => removals.delete(removal))
      removals.add(removal)
    }
    if (attempts.size === 0) wakeDelivered?.()
    settle()
  }

  const newAttempt = (name: string, { run_id, task_id, attempt }: AttemptKey): ServedAttempt => {
    const served = serveAttempt({
      key: { run_id, task_id, attempt },
      keeps: resumes,
      clock,
      files: parts.files,
      limits: parts.limits,
      transmit,
      toWork: work.receive,
      makeFolder: parts.folders.make,
      refusal: () => leaving ?? draining,
      leaving: () => leaving,
      changed: () => changed(name),
    })
    attempts.set(name, served)
    return served
  }

  const armTick = () => {
    if (isOver) return
    disarmTick ??= clock.alarm(heartbeatMs, tick, { keepAlive: false })
  }
  const tick = () => {
    disarmTick = undefined
    if (line?.welcome === undefined) return
    const running = [...attempts.values()].filter(({ isRunning }) => isRunning)
    const vitals = running.length > 0 ? parts.vitals() : {}
    for (const { known } of running) {
      const { run_id, task_id, attempt } = known
      transmit(writeFrame({ type: 'heartbeat', run_id, task_id, attempt, ...vitals }))
    }
    if (resumes) {
      const silentMs = clock.monotonic() - heardAt
      // Half of the lease is left to come back in.
      if (silentMs >= ttlMs / 2) return line.connection.close(`nothing was heard for ${Math.round(silentMs / 1_000)} s`)
      if (silentMs >= heartbeatMs / 2) transmit(writeFrame({ type: 'ping' }))
    }
    if (resumes || running.length > 0) armTick()
  }

  const ack = ({ run_id, task_id, attempt }: AttemptKey, seq: number) => {
    if (resumes && seq > 0) transmit(writeFrame({ type: 'ack', run_id, task_id, attempt, seq }))
  }

  const takeFrame = (own: Line, frame: FleetAttemptFrame) => {
    const name = nameOf(frame)
    // It has ended, or was never heard of and cannot begin like this.
    const begins = frame.type === 'assign' || frame.type === 'chunk' || frame.type === 'file'
    const attempt = attempts.get(name) ?? (begins && !endedAttempts.has(name) ? newAttempt(name, frame) : undefined)
    if (attempt === undefined) return ack(frame, frame.seq)
    if (frame.type === 'assign' && frame.secrets !== undefined) secrets.set(name, frame.secrets)
    if (!attempt.take(frame)) {
      return own.connection.close(`the fleet's message ${frame.seq} of ${name} came before the one before it`)
    }
    ack(frame, attempt.known.heard)
    armTick()
  }

  const welcome = (own: Line, frame: Extract<FleetFrame, { type: 'welcome' }>) => {
    if (frame.protocol !== workerProtocolVersion) {
      return own.connection.close(
        `the fleet speaks version ${frame.protocol} of the worker protocol, not ${workerProtocolVersion}`,
      )
    }
    own.welcome = frame
    ttlMs = frame.lease_ttl_ms
    heartbeatMs = frame.heartbeat_ms
    disarmLoss?.()
    disarmLoss = undefined
    for (const attempt of attempts.values()) attempt.outbox.resend()
    if (draining !== undefined) transmit(writeFrame({ type: 'drain', reason: draining }))
    armTick()
  }

  /** Ends the connection when nothing is left to say, or after the grace. */
  const leave = async (own: Line | undefined, reason: string, graceMs: number) => {
    over()
    if (attempts.size > 0) {
      await new Promise<void>((resolve) => {
        const disarm = clock.alarm(graceMs, resolve, { keepAlive: true })
        wakeDelivered = () => {
          disarm()
          resolve()
        }
      })
    }
    own?.connection.close(reason)
    settle()
  }

  const hear = (own: Line, text: string | Uint8Array) => {
    if (line !== own) return
    heardAt = clock.monotonic()
    const frame = readFleetFrame(text)
    if (frame.type === 'welcome') return welcome(own, frame)
    if (frame.type === 'refused') {
      own.refused = { code: frame.code, reason: frame.reason }
      return own.connection.close(frame.reason)
    }
    if (frame.type === 'drain') return
    if (isPing(frame)) return frame.type === 'ping' ? own.connection.send(writeFrame({ type: 'pong' })) : undefined
    if (own.welcome === undefined) return own.connection.close(`the fleet sent ${frame.type} before its welcome`)
    if (frame.type === 'bye') {
      abortAll('fleet_closed', frame.reason)
      return void leave(own, frame.reason, frame.grace_ms)
    }
    if (frame.type !== 'ack') return takeFrame(own, frame)
    const attempt = attempts.get(nameOf(frame))
    attempt?.outbox.ack(frame.seq)
    changed(nameOf(frame))
  }

  const lose = (reason: string) => {
    abortAll('lease_lost', reason)
  }

  const lineEnded = (own: Line, reason: string) => {
    if (line !== own) return
    line = undefined
    disarmTick?.()
    disarmTick = undefined
    if (!resumes) over()
    if (isOver) {
      wakeDelivered?.()
      lose(`The connection to the fleet has ended: ${reason}.`)
      // Nobody takes what is left.
      for (const [name, attempt] of attempts) if (!attempt.isRunning) changed(name)
      return settle()
    }
    const leftMs = Math.max(0, heardAt + ttlMs - clock.monotonic())
    disarmLoss ??= clock.alarm(leftMs, () => lose('The fleet could not be reached for as long as the lease lasts.'), {
      keepAlive: false,
    })
  }

  return {
    done,
    get isOver() {
      return isOver
    },
    attach(connection) {
      const own: Line = { connection, welcome: undefined, refused: undefined }
      const before = line
      line = own
      before?.connection.close('another connection took its place')
      return new Promise((resolve) => {
        connection.listen({
          line(text) {
            try {
              hear(own, text)
            } catch (error) {
              connection.close(error instanceof Error ? error.message : String(error))
            }
          },
          end(reason) {
            lineEnded(own, reason)
            resolve({ reason, wasWelcomed: own.welcome !== undefined, ...(own.refused && { refused: own.refused }) })
          },
        })
        connection.send(writeFrame(hello()))
      })
    },
    drain(reason = 'the worker takes no more attempts') {
      draining ??= reason
      transmit(writeFrame({ type: 'drain', reason: draining }))
    },
    async close({ reason, graceMs }) {
      leaving ??= reason
      abortAll('fleet_closed', reason)
      const own = line
      await leave(undefined, reason, graceMs)
      transmit(writeFrame({ type: 'bye', reason }))
      own?.connection.close(reason)
      settle()
    },
  }
}

function isPing(frame: FleetFrame): frame is PingFrame {
  return frame.type === 'ping' || frame.type === 'pong'
}

function nameOf(key: AttemptKey): string {
  return `${key.run_id}/${key.task_id}/${key.attempt}`
}

/** Values of secrets stand in no reason of a failure, nor parts of them where a reason is cut (SE5). */
function withoutSecrets(text: string, secrets: Iterable<Readonly<Record<string, string>>>): string {
  let covered = text
  for (const each of secrets) {
    for (const [key, value] of Object.entries(each)) covered = covered.replaceAll(value, `<secret:${key}>`)
  }
  return covered
}
