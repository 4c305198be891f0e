import type { Clock } from '../ports/clock.ts'
import type { Files } from '../ports/files.ts'
import type { Channel, ChannelEnd, WorkerLaunch } from '../ports/transport.ts'
import type { FleetError } from '../protocol/errors.ts'
import type { AssignMessage, AttemptMessage, FromWorker, ToWorker } from '../protocol/wire.ts'
import { transferPieceBytes, workerProtocolVersion } from '../protocol/worker-protocol.ts'
import type { AttemptFrame, FleetAttemptFrame, WorkerFrame } from '../protocol/worker-protocol.ts'
import { addPiece, AttemptLines, takeTransfer } from './attempt-line.ts'
import type { AttemptLine } from './attempt-line.ts'
import { evidenceRoot, keepEvidenceFile } from './evidence-store.ts'
import { outOfPlace } from './framed-connection.ts'
import { createMessageChannel } from './message-channel.ts'
import { stagedFiles } from './staged-files.ts'
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
  let lastHeard = clock.monotonic()
  let isPaused = false
  let stopListening = (): void => undefined

  const over = (reason: string) => {
    if (isOver) return
    isOver = true
    stopListening()
    const end = () => {
      messages.end()
      announceEnd({ reason: closing ?? reason, asked: closing !== undefined })
    }
    // What was heard is handed on before the end; what does not resume again would be lost.
    const pending = [...lines.all()].flatMap((line) => line.pending ?? [])
    if (pending.length === 0) end()
    else void Promise.allSettled(pending).then(end)
  }
  const violate = (error: FleetError) => connection.refuse(error.code, error.message)

  // --- what the worker says

  function take(frame: WorkerFrame): void {
    if (isOver) return
    lastHeard = clock.monotonic()
    switch (frame.type) {
      case 'hello':
        return violate(outOfPlace('a second hello'))
      case 'ack': {
        const line = lines.find(frame)
        for (const seq of line?.unacked.keys() ?? []) if (seq <= frame.seq) line?.unacked.delete(seq)
        return
      }
      case 'drain':
        return messages.push({ type: 'drain' })
      case 'bye':
        connection.close(`the worker left: ${frame.reason}`)
        return
      case 'ping':
      case 'pong':
        return
      case 'heartbeat':
        return messages.push(frame)
      default:
        return number(frame)
    }
  }

  /** Every frame of an attempt is taken once, in its place (HO7, HO8). */
  function number(frame: Exclude<AttemptFrame, { type: 'heartbeat' }>): void {
    const known = lines.find(frame)
    const line = known ?? lines.of(frame)
    // An attempt that this session knows nothing of is the fleet's to judge (LE2).
    if (known === undefined) line.heard = frame.seq - 1
    if (frame.seq <= line.heard) return repeated(line)
    if (line.hasEnded) return violate(outOfPlace(`a message of the type ${frame.type} after the last one of its attempt`))
    if (frame.seq > line.heard + 1)
      return violate(outOfPlace(`the message ${frame.seq} of an attempt where ${line.heard + 1} was expected`))
    line.heard = frame.seq
    takeNumbered(line, frame)
  }

  function takeNumbered(line: AttemptLine, frame: Exclude<AttemptFrame, { type: 'heartbeat' }>): void {
    switch (frame.type) {
      case 'chunk':
        return addPiece(line, frame.transfer, Buffer.from(frame.bytes, 'base64'))
      case 'evidence': {
        const bytes = frame.transfer === undefined ? new Uint8Array() : (takeTransfer(line, frame.transfer) ?? new Uint8Array())
        const { folder } = line
        if (sharesFiles || folder === undefined) return
        line.hasEvidence = true
        line.pending = (line.pending ?? Promise.resolve()).then(() => keepEvidenceFile(folder, frame, bytes))
        return
      }
      case 'artifact':
        return takeArtifact(line, frame)
      case 'result':
      case 'failed':
      case 'stopped':
        line.hasEnded = true
        return handOn(line, frame)
      default:
        return handOn(line, frame)
    }
  }

  function takeArtifact(line: AttemptLine, frame: Extract<AttemptFrame, { type: 'artifact' }>): void {
    const { bytes: written, transfer, ...rest } = frame
    const inLine = written === undefined ? undefined : Buffer.from(written, 'base64')
    const bytes = transfer === undefined ? inLine : takeTransfer(line, transfer)
    if (bytes !== undefined || (sharesFiles && transfer === undefined)) {
      return handOn(line, { ...rest, ...(bytes !== undefined && { bytes: new Uint8Array(bytes) }) })
    }
    const refused =
      transfer === undefined
        ? `${frame.path} came by its path, but this worker's files are not the fleet's. Send its bytes.`
        : `${frame.path} is larger than what a worker elsewhere may send.`
    send({ type: 'collected', ...line.key, report: frame.report, refused })
  }

  /** Hands a message to the reader of the channel, after what must be done before it. */
  function handOn(line: AttemptLine, message: AttemptMessage): void {
    if (line.pending === undefined) return push(message)
    line.pending = line.pending.then(
      () => push(message.type === 'result' && line.hasEvidence ? withEvidence(line, message) : message),
      (error: unknown) => {
        const reason = `What its scorer reads could not be kept: ${String(error)}`
        push(message.type === 'result' ? { ...line.key, type: 'failed', failure_kind: 'transport', reason } : message)
      },
    )
  }

  function push(message: AttemptMessage): void {
    messages.push(message)
    if (isPaused || messages.backlog < unreadLimit) return
    isPaused = true
    connection.pause(true)
  }

  /** What is read from the channel is dealt with when the next is asked for. */
  async function* dealing(): AsyncGenerator<FromWorker> {
    for await (const message of messages) {
      if (isPaused && messages.backlog < unreadLimit / 2) {
        isPaused = false
        connection.pause(false)
      }
      yield message
      if (!resumes || message.type === 'hello' || message.type === 'drain' || message.seq === undefined) continue
      const line = lines.find(message)
      if (line !== undefined && message.seq > line.dealt) line.dealt = message.seq
      acknowledgeLater()
    }
  }

  // --- acknowledging: what is durable, a worker may forget

  let acknowledging: Promise<void> | undefined
  let moreToAcknowledge = false

  function acknowledgeLater(): void {
    moreToAcknowledge = true
    // It never rejects: a store that fails is waited for.
    acknowledging ??= acknowledge().finally(() => (acknowledging = undefined))
  }

  async function acknowledge(): Promise<void> {
    while (moreToAcknowledge && !isOver) {
      moreToAcknowledge = false
      const reached = [...lines.all()].filter(({ dealt, acked }) => dealt > acked).map((line) => [line, line.dealt] as const)
      await launch.kept()
      for (const [line, seq] of reached) {
        line.acked = Math.max(line.acked, seq)
        if (!isOver) connection.send({ type: 'ack', ...line.key, seq })
      }
    }
  }

  /** Its acknowledgement was lost on the way, or is still to come. */
  function repeated(line: AttemptLine): void {
    if (resumes && line.acked > 0) connection.send({ type: 'ack', ...line.key, seq: line.acked })
    if (line.dealt > line.acked) acknowledgeLater()
  }

  // --- what the fleet says

  function send(message: ToWorker): void {
    const line = message.type === 'assign' ? assigned(message) : lines.of(message)
    if (message.type === 'assign' && !sharesFiles && message.task.input_files.length > 0) {
      line.pending = stage(line, message).then(
        () => say(line, frameOf(message)),
        (error: unknown) =>
          push({
            ...line.key,
            type: 'failed',
            failure_kind: 'transport',
            reason: `Its input files could not be sent: ${String(error)}`,
          }),
      )
    } else say(line, message.type === 'assign' ? frameOf(message) : message)
  }

  function assigned(message: AssignMessage): AttemptLine {
    const line = lines.of(message)
    line.folder = message.folder
    return line
  }

  function frameOf(message: AssignMessage): Omit<Extract<FleetAttemptFrame, { type: 'assign' }>, 'seq'> {
    if (sharesFiles) return message
    const { folder: _, root: __, ...rest } = message
    return rest
  }

  async function stage(line: AttemptLine, { root, task }: AssignMessage): Promise<void> {
    let transfer = 0
    for await (const { path, bytes } of stagedFiles(files, root, task.input_files)) {
      transfer += 1
      for (let at = 0; at < bytes.length; at += transferPieceBytes) {
        const piece = Buffer.from(bytes.subarray(at, at + transferPieceBytes)).toString('base64')
        say(line, { type: 'chunk', ...line.key, transfer, bytes: piece })
      }
      say(line, { type: 'file', ...line.key, path, transfer })
    }
  }

  function say(line: AttemptLine, message: Unnumbered): void {
    line.sent += 1
    const frame = { ...message, seq: line.sent } as FleetAttemptFrame
    if (resumes) line.unacked.set(line.sent, frame)
    if (!isOver) connection.send(frame)
  }

  // --- the life of the line

  const beat = (): void => {
    if (isOver) return
    if (clock.monotonic() - lastHeard > silentBeats * heartbeatMs) {
      connection.close('nothing was heard of the worker')
      return
    }
    connection.send({ type: 'ping' })
    stopListening = clock.alarm(heartbeatMs, beat, { keepAlive: false })
  }

  function begin(): void {
    for (const { acked, heard, ...key } of hello.attempts) {
      const line = lines.of(key)
      line.heard = Math.max(line.heard, acked)
      line.sent = Math.max(line.sent, heard)
    }
    lines.retain(hello.attempts)
    connection.send({
      type: 'welcome',
      protocol: workerProtocolVersion,
      worker_id: launch.workerId,
      incarnation: launch.incarnation,
      slots: launch.slots,
      lease_ttl_ms: launch.leaseTtlMs,
      heartbeat_ms: heartbeatMs,
      shares_files: sharesFiles,
    })
    for (const line of lines.all()) for (const frame of line.unacked.values()) connection.send(frame)
    const attempts = hello.attempts.map(({ run_id, task_id, attempt }) => ({ run_id, task_id, attempt }))
    messages.push({ type: 'hello', worker_id: launch.workerId, incarnation: launch.incarnation, attempts })
    connection.listen({ frame: take, end: over })
    if (resumes) stopListening = clock.alarm(heartbeatMs, beat, { keepAlive: false })
  }

  begin()
  return {
    send,
    messages: dealing(),
    closed,
    async close({ reason, graceMs }) {
      if (isOver) return
      if (closing === undefined) connection.send({ type: 'bye', reason, grace_ms: graceMs })
      closing ??= reason
      const gone = new AbortController()
      void closed.then(() => gone.abort())
      await clock.sleep(graceMs, { signal: gone.signal })
      connection.close(reason)
      over(reason)
    },
  }
}

/** Silence for so many heartbeats is the end of a line that was open. */
const silentBeats = 3

type Unnumbered = FleetAttemptFrame extends infer Frame ? (Frame extends FleetAttemptFrame ? Omit<Frame, 'seq'> : never) : never

function withEvidence(line: AttemptLine, message: Extract<AttemptMessage, { type: 'result' }>): AttemptMessage {
  return { ...message, ...(line.folder !== undefined && { evidence_root: evidenceRoot(line.folder) }) }
}

/** Text counts by its length: it is the only thing that a worker can send without end. */
function weigh(message: FromWorker): number {
  return message.type === 'log' ? message.text.length : 0
}
