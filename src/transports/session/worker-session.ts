import type { Clock } from '../../ports/clock.ts'
import type { Files } from '../../ports/files.ts'
import type { Channel, ChannelEnd, WorkerLaunch } from '../../ports/transport.ts'
import type { FromWorker } from '../../protocol/wire.ts'
import { workerProtocolVersion } from '../../protocol/worker-protocol.ts'
import type { FleetFrame, WorkerFrame } from '../../protocol/worker-protocol.ts'
import { AttemptLines } from './attempt-lines.ts'
import { outOfPlace } from './framed-connection.ts'
import { createMessageChannel } from '../message-channel.ts'
import { createAcknowledging } from './session-acknowledging.ts'
import { createHearing } from './session-hearing.ts'
import { createSaying } from './session-saying.ts'
import type { Greeting } from './worker-greeting.ts'

/** On what terms a worker that said hello is taken. */
export interface SessionTerms {
  readonly launch: Pick<WorkerLaunch, 'workerId' | 'incarnation' | 'slots' | 'leaseTtlMs' | 'kept'>
  readonly clock: Clock
  /** The worker sees the files of the fleet under the same paths. */
  readonly sharesFiles: boolean
  /** The fleet's files, for workers that do not see them. */
  readonly files: Files
  /** What sessions of this worker remember of its attempts, over its reconnects. Default: nothing from before. */
  readonly lines?: AttemptLines
}

/** Text that lies unread before a worker that can be held back is. */
const unreadLimit = 4 * 1_048_576

/** Silence for so many heartbeats is the end of a line that was open. */
const silentBeats = 3

/**
 * The fleet's end of the worker protocol, as a channel (HO1): numbers what it sends, takes what it hears once and in order, puts files
 * together, and for workers that resume acknowledges what is durable and says again what they did not hear (HO7). Whatever breaks the
 * protocol ends the line with an error that says what was expected, and nothing else (HO8).
 */
export function openSession({ hello, line: connection }: Greeting, terms: SessionTerms): Channel {
  const { launch, clock, sharesFiles, files, lines = new AttemptLines() } = terms
  const resumes = hello.resumes === true
  const messages = createMessageChannel<FromWorker>(weigh)
  const heartbeatMs = launch.leaseTtlMs / 4
  let announceEnd!: (end: ChannelEnd) => void
  const closed = new Promise<ChannelEnd>((resolve) => (announceEnd = resolve))
  let closing: string | undefined
  let isOver = false
  let isPaused = false
  let lastHeard = clock.monotonic()
  let disarmBeat = (): void => undefined

  const transmit = (frame: FleetFrame) => {
    if (!isOver) connection.send(frame)
  }
  const push = (message: FromWorker) => {
    messages.push(message)
    if (isPaused || messages.backlog < unreadLimit) return
    isPaused = true
    connection.pause(true)
  }
  const saying = createSaying({ lines, resumes, sharesFiles, files, transmit, push })
  const acknowledging = createAcknowledging({ lines, kept: launch.kept, transmit })
  const hearing = createHearing({
    ...{ lines, sharesFiles, push, answer: saying.send },
    violate: (error) => connection.refuse(error.code, error.message),
    repeated: (line) => resumes && acknowledging.repeated(line),
  })

  function take(frame: WorkerFrame): void {
    if (isOver) return
    lastHeard = clock.monotonic()
    switch (frame.type) {
      case 'hello': {
        const { code, message } = outOfPlace('a second hello')
        return connection.refuse(code, message)
      }
      case 'ack':
        return lines.find(frame)?.forget(frame.seq)
      case 'bye':
        return connection.close(`the worker left: ${frame.reason}`)
      case 'ping':
      case 'pong':
        return
      case 'drain':
        return messages.push({ type: 'drain' })
      case 'heartbeat':
        return messages.push(frame)
      default:
        return hearing.take(frame)
    }
  }

  /** What is read from the channel is dealt with when the next is asked for. */
  async function* dealing(): AsyncGenerator<FromWorker> {
    for await (const message of messages) {
      if (isPaused && messages.backlog < unreadLimit / 2) {
        isPaused = false
        connection.pause(false)
      }
      yield message
      if (resumes && message.type !== 'hello' && message.type !== 'drain') acknowledging.dealt(message)
    }
  }

  function over(reason: string): void {
    if (isOver) return
    isOver = true
    disarmBeat()
    const end = () => {
      messages.end()
      announceEnd({ reason: closing ?? reason, asked: closing !== undefined })
    }
    // What was heard is handed on before the end; what is not said again would be lost.
    const pending = [...lines.all()].flatMap((line) => line.pending ?? [])
    if (pending.length === 0) end()
    else void Promise.allSettled(pending).then(end)
  }

  /** A line on which nothing is heard may be half open: nobody would tell. */
  function beat(): void {
    if (clock.monotonic() - lastHeard > silentBeats * heartbeatMs) return connection.close('nothing was heard of the worker')
    transmit({ type: 'ping' })
    disarmBeat = clock.alarm(heartbeatMs, beat, { keepAlive: false })
  }

  function begin(): void {
    const { workerId, incarnation, slots, leaseTtlMs } = launch
    lines.take(hello.attempts)
    transmit({
      ...{ type: 'welcome', protocol: workerProtocolVersion, worker_id: workerId, incarnation, slots },
      ...{ lease_ttl_ms: leaseTtlMs, heartbeat_ms: heartbeatMs, shares_files: sharesFiles },
    })
    saying.resend()
    const attempts = hello.attempts.map(({ run_id, task_id, attempt }) => ({ run_id, task_id, attempt }))
    messages.push({ type: 'hello', worker_id: workerId, incarnation, attempts })
    connection.listen({ frame: take, end: over })
    if (resumes && !isOver) disarmBeat = clock.alarm(heartbeatMs, beat, { keepAlive: false })
  }

  begin()
  return {
    send: saying.send,
    messages: dealing(),
    closed,
    async close({ reason, graceMs }) {
      if (isOver) return
      if (closing === undefined) transmit({ type: 'bye', reason, grace_ms: graceMs })
      closing ??= reason
      const gone = new AbortController()
      void closed.then(() => gone.abort())
      await clock.sleep(graceMs, { signal: gone.signal })
      connection.close(reason)
      over(reason)
    },
  }
}

/** Text counts by its length: it is the only thing that a worker can send without end. */
function weigh(message: FromWorker): number {
  return message.type === 'log' ? message.text.length : 0
}
