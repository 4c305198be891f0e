import type { WorkerConnection } from '../ports/worker-connection.ts'
import type { AttemptKey } from '../protocol/wire.ts'
import {
  type AckFrame,
  type FleetAttemptFrame,
  type FleetFrame,
  type WelcomeFrame,
  type WorkerFrame,
  workerProtocolVersion,
} from '../protocol/worker-protocol.ts'
import { createAttemptTable, type AttemptTableParts } from './attempt-table.ts'
import { readFleetFrame } from './frame-reader.ts'
import { helloOf, type RuntimeIdentity } from './hello.ts'
import { createTicker } from './ticker.ts'
import type { Vitals } from './vitals.ts'
import { writeFrame } from './write-frame.ts'

/** How a connection ended. */
export interface LineEnd {
  readonly reason: string
  /** The fleet answered the hello. */
  readonly wasWelcomed: boolean
  /** The fleet would not have it: a stable code, and why. */
  readonly refused?: { readonly code: string; readonly reason: string }
}

/** The worker's side of the protocol. It outlives its connections, when it was made with `resumes`. */
export interface WorkerRuntime {
  /** Speaks over a connection, in the place of an earlier one. Resolves, never rejects, when that connection has ended. */
  attach(connection: WorkerConnection): Promise<LineEnd>
  /** No other connection is of use: the fleet said bye, the worker leaves or, without `resumes`, its one connection has ended. */
  readonly isOver: boolean
  /** Resolves when it is over, all work has settled and the folders of the attempts are gone. Work that ignores its signal keeps it waiting. */
  readonly done: Promise<void>
  /** Takes no more attempts; what runs goes on. Resolves when nothing is left of any. */
  drain(reason?: string): Promise<void>
  /** Leaves: aborts what runs, gives it back, says bye and ends the connection. Resolves when all is said, or after the grace. */
  close(options: { readonly reason: string; readonly graceMs: number }): Promise<void>
}

/** How long the fleet may take to answer a hello, where another connection could do better. */
const welcomeTimeoutMs = 10_000

/** A connection, and how far it has come. */
interface Line {
  readonly connection: WorkerConnection
  welcome?: WelcomeFrame
  refused?: LineEnd['refused']
}

/** What a runtime stands on. */
export interface RuntimeParts extends AttemptTableParts, RuntimeIdentity {
  readonly vitals: () => Partial<Vitals>
}

export function createRuntime(parts: RuntimeParts): WorkerRuntime {
  const { clock, resumes } = parts
  let line: Line | undefined
  let terms: Pick<WelcomeFrame, 'lease_ttl_ms' | 'heartbeat_ms'> = { lease_ttl_ms: 0, heartbeat_ms: 0 }
  let heardAt = clock.monotonic()
  let disarmLoss: (() => void) | undefined
  let draining: string | undefined
  let leaving: string | undefined
  let isOver = false
  let isDone = false
  /** Ends the wait for what is still to be said. */
  let stopWaiting: AbortController | undefined
  let announceDone!: () => void
  const done = new Promise<void>((resolve) => (announceDone = resolve))

  const transmit = (text: string) => {
    if (line?.welcome !== undefined) line.connection.send(text)
  }
  const say = (frame: WorkerFrame) => transmit(writeFrame(frame))

  const finish = () => {
    if (!isOver || isDone || line !== undefined || attempts.running.length > 0) return
    isDone = true
    // What cannot be removed is left behind.
    void attempts
      .clear()
      .catch(() => {})
      .then(announceDone)
  }

  const attempts = createAttemptTable({
    ...parts,
    transmit,
    refusal: () => leaving ?? draining,
    leaving: () => leaving,
    changed: finish,
  })

  const startTicking = () => {
    if (!isOver) heartbeats.start(terms.heartbeat_ms)
  }
  const beat = () => {
    const { running } = attempts
    const vitals = running.length > 0 ? parts.vitals() : {}
    for (const key of running) say({ type: 'heartbeat', ...key, ...vitals })
    if (resumes) lookForSilence()
    return line !== undefined && !isOver && (resumes || running.length > 0)
  }
  const heartbeats = createTicker({ clock, tick: beat })
  const lookForSilence = () => {
    const silentMs = clock.monotonic() - heardAt
    // The rest of the lease is left to come back in.
    if (silentMs >= terms.lease_ttl_ms / 2) line?.connection.close(`nothing was heard for ${Math.round(silentMs / 1_000)} s`)
    else if (silentMs >= terms.heartbeat_ms / 2) say({ type: 'ping' })
  }

  const welcome = (own: Line, frame: WelcomeFrame) => {
    if (frame.protocol !== workerProtocolVersion) {
      const speaks = `the fleet speaks version ${frame.protocol} of the worker protocol`
      return own.connection.close(`${speaks}, and this worker ${workerProtocolVersion}`)
    }
    own.welcome = frame
    terms = frame
    disarmLoss?.()
    disarmLoss = undefined
    attempts.resend()
    if (draining !== undefined) say({ type: 'drain', reason: draining })
    startTicking()
  }

  const over = () => {
    isOver = true
    heartbeats.stop()
    disarmLoss?.()
  }

  /** Waits until all is said and, where the fleet acknowledges, taken; or for the grace, or for the end of the connection. */
  const lastWords = async (graceMs: number) => {
    over()
    stopWaiting = new AbortController()
    const { signal } = stopWaiting
    await Promise.race([attempts.emptied(), clock.sleep(graceMs, { signal })])
    stopWaiting.abort()
  }

  const bye = async (own: Line, reason: string, graceMs: number) => {
    attempts.abort('fleet_closed', reason)
    await lastWords(graceMs)
    own.connection.close(reason)
  }

  const ack = ({ run_id, task_id, attempt }: AttemptKey, seq: number) => {
    if (resumes && seq > 0) say({ type: 'ack', run_id, task_id, attempt, seq })
  }

  const hear = (own: Line, frame: FleetFrame) => {
    switch (frame.type) {
      case 'welcome':
        return welcome(own, frame)
      case 'refused':
        own.refused = { code: frame.code, reason: frame.reason }
        return own.connection.close(frame.reason)
      case 'ping':
        return own.connection.send(writeFrame({ type: 'pong' }))
      case 'pong':
      case 'drain':
        return
      case 'bye':
        // It never rejects, and resolves when the connection is closed.
        return void bye(own, frame.reason, frame.grace_ms)
      default:
        return own.welcome === undefined
          ? own.connection.close(`the fleet sent a frame ${frame.type} before its welcome`)
          : hearOfAttempt(own, frame)
    }
  }

  const hearOfAttempt = (own: Line, frame: FleetAttemptFrame | AckFrame) => {
    if (frame.type === 'ack') return attempts.ack(frame)
    const heard = attempts.take(frame)
    if (heard === undefined)
      return own.connection.close(`a frame of the fleet before number ${frame.seq} of its attempt is missing`)
    ack(frame, heard)
    startTicking()
  }

  const lost = (own: Line, reason: string) => {
    if (line !== own) return
    line = undefined
    heartbeats.stop()
    stopWaiting?.abort()
    if (!resumes) over()
    if (isOver) attempts.abort('lease_lost', `The connection to the fleet has ended: ${reason}.`)
    else armLoss()
    finish()
  }
  const armLoss = () => {
    const leftMs = Math.max(0, heardAt + terms.lease_ttl_ms - clock.monotonic())
    const act = () => attempts.abort('lease_lost', 'The fleet could not be reached for as long as the lease lasts.')
    disarmLoss ??= clock.alarm(leftMs, act, { keepAlive: false })
  }

  return {
    done,
    get isOver() {
      return isOver
    },
    attach(connection) {
      const own: Line = { connection }
      const before = line
      line = own
      before?.connection.close('another connection took its place')
      const late = () => {
        if (own.welcome === undefined) connection.close('the fleet did not answer the hello')
      }
      const disarm = resumes ? clock.alarm(welcomeTimeoutMs, late, { keepAlive: false }) : undefined
      return new Promise((resolve) => {
        connection.listen({
          line(text) {
            if (line !== own) return
            heardAt = clock.monotonic()
            try {
              hear(own, readFleetFrame(text))
            } catch (error) {
              connection.close(error instanceof Error ? error.message : String(error))
            }
          },
          end(reason) {
            disarm?.()
            lost(own, reason)
            resolve({ reason, wasWelcomed: own.welcome !== undefined, ...(own.refused && { refused: own.refused }) })
          },
        })
        connection.send(writeFrame(helloOf(parts, attempts.known)))
      })
    },
    drain(reason = 'the worker takes no more attempts') {
      draining ??= reason
      say({ type: 'drain', reason: draining })
      return attempts.emptied()
    },
    async close({ reason, graceMs }) {
      leaving ??= reason
      // Else what it gives back would be given to it again.
      say({ type: 'drain', reason })
      attempts.abort('fleet_closed', reason)
      await lastWords(graceMs)
      say({ type: 'bye', reason })
      line?.connection.close(reason)
      finish()
    },
  }
}
