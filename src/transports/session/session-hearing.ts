import type { FleetError } from '../../protocol/errors.ts'
import type { AttemptMessage, CollectedMessage } from '../../protocol/wire.ts'
import type { AttemptFrame } from '../../protocol/worker-protocol.ts'
import { addPiece, takeTransfer } from './attempt-line.ts'
import type { AttemptLine } from './attempt-line.ts'
import type { AttemptLines } from './attempt-lines.ts'
import { evidenceRoot, keepEvidenceFile } from './evidence-store.ts'
import { outOfPlace } from './framed-connection.ts'

/** A frame of an attempt that has a number. */
export type NumberedFrame = Exclude<AttemptFrame, { type: 'heartbeat' }>

/** Takes what a worker says of its attempts: each frame once, in its place, with the bytes that belong to it (HO7, HO8). */
export interface Hearing {
  take(frame: NumberedFrame): void
}

export function createHearing(parts: {
  readonly lines: AttemptLines
  readonly sharesFiles: boolean
  /** Hands a message to the reader of the channel. */
  readonly push: (message: AttemptMessage) => void
  readonly answer: (message: CollectedMessage) => void
  /** The protocol was broken. */
  readonly violate: (error: FleetError) => void
  readonly repeated: (line: AttemptLine) => void
}): Hearing {
  const { lines, sharesFiles, push, answer, violate, repeated } = parts

  function take(frame: NumberedFrame): void {
    const known = lines.find(frame)
    const line = known ?? lines.of(frame)
    // An attempt that this session knows nothing of is the fleet's to judge (LE2).
    if (known === undefined) line.heard = frame.seq - 1
    if (frame.seq <= line.heard) return repeated(line)
    if (line.hasEnded) return violate(outOfPlace(`a message of the type ${frame.type} after the last one of its attempt`))
    if (frame.seq > line.heard + 1)
      return violate(outOfPlace(`the message ${frame.seq} of an attempt where ${line.heard + 1} was expected`))
    line.heard = frame.seq
    if (frame.type === 'chunk') addPiece(line, frame.transfer, Buffer.from(frame.bytes, 'base64'))
    else if (frame.type === 'evidence') takeEvidence(line, frame)
    else if (frame.type === 'artifact') takeArtifact(line, frame)
    else {
      line.hasEnded = frame.type === 'result' || frame.type === 'failed' || frame.type === 'stopped'
      handOn(line, frame)
    }
  }

  function takeEvidence(line: AttemptLine, frame: Extract<AttemptFrame, { type: 'evidence' }>): void {
    const bytes = frame.transfer === undefined ? undefined : takeTransfer(line, frame.transfer)
    const { folder } = line
    if (sharesFiles || folder === undefined) return
    line.hasEvidence = true
    line.pending = (line.pending ?? Promise.resolve()).then(() => keepEvidenceFile(folder, frame, bytes ?? new Uint8Array()))
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
    answer({ type: 'collected', ...line.key, report: frame.report, refused })
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

  return { take }
}

function withEvidence(line: AttemptLine, message: Extract<AttemptMessage, { type: 'result' }>): AttemptMessage {
  return { ...message, ...(line.folder !== undefined && { evidence_root: evidenceRoot(line.folder) }) }
}
