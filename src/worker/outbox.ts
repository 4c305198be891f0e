import type { AttemptKey } from '../protocol/wire.ts'
import type { AttemptFrame } from '../protocol/worker-protocol.ts'
import { writeFrame } from './write-frame.ts'

/** What a frame of an attempt says, without the key and the number that the outbox gives it. */
export type Saying = Unnumbered<Exclude<AttemptFrame, { type: 'heartbeat' }>>
type Unnumbered<Frame> = Frame extends AttemptFrame ? Omit<Frame, keyof AttemptKey | 'seq'> : never

/** Bounds of what one attempt keeps while the fleet does not take it. Characters of lines. */
export interface OutboxLimits {
  /** Above it the next file waits. One that is on its way is kept whole: it is acknowledged with the frame that names it. */
  readonly window: number
  /** Above it text for the log is left out; what was left out is counted and said. */
  readonly log: number
  /** Above it, pieces of files not counted, the attempt cannot go on. */
  readonly all: number
}

const outboxLimits: OutboxLimits = {
  window: 2 * 1024 * 1024,
  log: 4 * 1024 * 1024,
  all: 16 * 1024 * 1024,
}

/** What a worker says of one attempt, numbered, and kept until the fleet has acknowledged it where it does (HO7). */
export interface Outbox {
  /** The number of the last frame that the fleet acknowledged. */
  readonly acked: number
  /** Nothing is kept, and the last frame was said. */
  readonly isDelivered: boolean
  /** More is kept than the attempt may keep. */
  readonly isFull: boolean
  /** Says something; throws `too_large` for what no fleet would take, and then nothing was said. Nothing is said after the last frame. */
  say(saying: Saying): void
  /** Adds to the log, or leaves it out when too much is kept. */
  log(text: string): void
  /** Says the last frame. */
  end(saying: Saying): void
  /** The fleet has taken everything up to this number. */
  ack(seq: number): void
  /** Transmits what is kept once more, in order. */
  resend(): void
  /** Resolves when there is room for a file; with false when there is no use for it any more. */
  room(): Promise<boolean>
  /** Nobody waits for what would still be said but the last frame. */
  readonly isGivenUp: boolean
  /** From now on nobody does. */
  giveUp(): void
}

/** Longest piece of text in a frame: no character of it takes more than six bytes in JSON. */
const textPiece = 128 * 1_024

/** Creates the outbox of one attempt. `transmit` hands a line to the connection, if there is one, and never throws. */
export function createOutbox(options: {
  readonly key: AttemptKey
  /** Whether the fleet acknowledges. */
  readonly keeps: boolean
  readonly transmit: (line: string) => void
  readonly limits?: OutboxLimits
}): Outbox {
  const { key, keeps, transmit, limits = outboxLimits } = options
  let kept: { readonly seq: number; readonly line: string; readonly isPiece: boolean }[] = []
  let keptSize = 0
  let piecesSize = 0
  let last = 0
  let acked = 0
  let hasEnded = false
  let isGivenUp = false
  let leftOut = 0
  let waiting: (() => void)[] = []

  const say = (saying: Saying) => {
    if (hasEnded) return
    const seq = last + 1
    const line = writeFrame({ ...saying, ...key, seq } as AttemptFrame)
    last = seq
    if (keeps) {
      const isPiece = saying.type === 'chunk'
      kept.push({ seq, line, isPiece })
      keptSize += line.length
      if (isPiece) piecesSize += line.length
    }
    transmit(line)
  }
  const tellLeftOut = () => {
    if (leftOut === 0) return
    const text = `[${leftOut} characters of the log were left out: the fleet could not be reached, and no more was kept]\n`
    leftOut = 0
    say({ type: 'log', text })
  }
  const hasRoom = () => keptSize < limits.window
  const wakeWaiting = () => {
    if (!hasRoom() && !isGivenUp) return
    const ready = waiting
    waiting = []
    for (const wake of ready) wake()
  }

  return {
    get acked() {
      return acked
    },
    get isDelivered() {
      return hasEnded && kept.length === 0
    },
    get isFull() {
      return keptSize - piecesSize > limits.all
    },
    say,
    log(text) {
      for (let from = 0; from < text.length;) {
        const piece = text.slice(from, endOfPiece(text, from))
        from += piece.length
        if (keptSize - piecesSize + piece.length > limits.log) leftOut += piece.length
        else {
          tellLeftOut()
          say({ type: 'log', text: piece })
        }
      }
    },
    end(saying) {
      if (hasEnded) return
      tellLeftOut()
      say(saying)
      hasEnded = true
    },
    ack(seq) {
      if (seq <= acked) return
      acked = Math.min(seq, last)
      const taken = kept.findIndex((one) => one.seq > acked)
      const gone = taken < 0 ? kept : kept.slice(0, taken)
      kept = taken < 0 ? [] : kept.slice(taken)
      for (const { line, isPiece } of gone) {
        keptSize -= line.length
        if (isPiece) piecesSize -= line.length
      }
      wakeWaiting()
    },
    resend() {
      for (const { line } of kept) transmit(line)
    },
    get isGivenUp() {
      return isGivenUp
    },
    async room() {
      if (!hasRoom() && !isGivenUp) await new Promise<void>((resolve) => waiting.push(resolve))
      return !isGivenUp
    },
    giveUp() {
      isGivenUp = true
      wakeWaiting()
    },
  }
}

/** Where a piece of a text ends, never inside a character. */
function endOfPiece(text: string, from: number): number {
  const end = from + textPiece
  if (end >= text.length) return text.length
  const unit = text.charCodeAt(end - 1)
  return unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end
}
