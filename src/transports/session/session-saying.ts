import type { Files } from '../../ports/files.ts'
import type { AssignMessage, AttemptMessage, ToWorker } from '../../protocol/wire.ts'
import { transferPieceBytes } from '../../protocol/worker-protocol.ts'
import type { FleetAttemptFrame } from '../../protocol/worker-protocol.ts'
import type { AttemptLine } from './attempt-line.ts'
import type { AttemptLines } from './attempt-lines.ts'
import { stagedFiles } from './staged-files.ts'

/** Says to a worker what the fleet has for it: numbered, and kept for the next line where the worker resumes (HO7). */
export interface Saying {
  send(message: ToWorker): void
  /** Says again, in order, what was not acknowledged. */
  resend(): void
}

type Unnumbered = FleetAttemptFrame extends infer Frame ? (Frame extends FleetAttemptFrame ? Omit<Frame, 'seq'> : never) : never

export function createSaying(parts: {
  readonly lines: AttemptLines
  readonly resumes: boolean
  readonly sharesFiles: boolean
  /** The fleet's files, for workers that do not see them. */
  readonly files: Files
  /** Does nothing once the line is gone. */
  readonly transmit: (frame: FleetAttemptFrame) => void
  /** Hands a message to the reader of the channel, in the worker's place. */
  readonly push: (message: AttemptMessage) => void
}): Saying {
  const { lines, resumes, sharesFiles, files, transmit, push } = parts

  function say(line: AttemptLine, message: Unnumbered): void {
    line.sent += 1
    const frame = { ...message, seq: line.sent } as FleetAttemptFrame
    if (resumes) line.unacked.set(line.sent, frame)
    transmit(frame)
  }

  function assign(message: AssignMessage): void {
    const line = lines.of(message)
    line.folder = message.folder
    if (sharesFiles) return say(line, message)
    const { folder: _, root, ...rest } = message
    if (message.task.input_files.length === 0) return say(line, rest)
    line.pending = stage(line, root, message.task.input_files).then(
      () => say(line, rest),
      (error: unknown) => {
        const reason = `Its input files could not be sent: ${error instanceof Error ? error.message : String(error)}`
        push({ ...line.key, type: 'failed', failure_kind: 'transport', reason })
      },
    )
  }

  async function stage(line: AttemptLine, root: string, named: readonly string[]): Promise<void> {
    let transfer = 0
    for await (const { path, bytes } of stagedFiles(files, root, named)) {
      transfer += 1
      for (let at = 0; at < bytes.length; at += transferPieceBytes) {
        const piece = Buffer.from(bytes.subarray(at, at + transferPieceBytes)).toString('base64')
        say(line, { type: 'chunk', ...line.key, transfer, bytes: piece })
      }
      say(line, { type: 'file', ...line.key, path, transfer })
    }
  }

  return {
    send(message) {
      if (message.type === 'assign') assign(message)
      else say(lines.of(message), message)
    },
    resend() {
      for (const line of lines.all()) for (const frame of line.unacked.values()) transmit(frame)
    },
  }
}
