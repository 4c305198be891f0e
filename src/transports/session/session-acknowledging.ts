import type { AttemptMessage } from '../../protocol/wire.ts'
import type { AckFrame } from '../../protocol/worker-protocol.ts'
import type { AttemptLine } from './attempt-line.ts'
import type { AttemptLines } from './attempt-lines.ts'

/** Tells a worker that resumes what it may forget: what is durable (HO7). */
export interface Acknowledging {
  /** The reader of the channel has dealt with a message. */
  dealt(message: AttemptMessage): void
  /** Something was said again: its acknowledgement was lost on the way, or is still to come. */
  repeated(line: AttemptLine): void
}

export function createAcknowledging(parts: {
  readonly lines: AttemptLines
  /** Resolves, and never rejects, once everything that was dealt with so far is durable. */
  readonly kept: () => Promise<void>
  /** Does nothing once the line is gone. */
  readonly transmit: (frame: AckFrame) => void
}): Acknowledging {
  const { lines, kept, transmit } = parts
  let working: Promise<void> | undefined
  let isMore = false

  function later(): void {
    isMore = true
    working ??= acknowledge().finally(() => (working = undefined))
  }

  async function acknowledge(): Promise<void> {
    while (isMore) {
      isMore = false
      const reached = [...lines.all()].filter(({ dealt, acked }) => dealt > acked).map((line) => [line, line.dealt] as const)
      await kept()
      for (const [line, seq] of reached) {
        line.acked = Math.max(line.acked, seq)
        transmit({ type: 'ack', ...line.key, seq })
      }
    }
  }

  return {
    dealt(message) {
      const line = message.seq === undefined ? undefined : lines.find(message)
      if (line === undefined || message.seq === undefined) return
      if (message.seq > line.dealt) line.dealt = message.seq
      later()
    },
    repeated(line) {
      if (line.acked > 0) transmit({ type: 'ack', ...line.key, seq: line.acked })
      if (line.dealt > line.acked) later()
    },
  }
}
