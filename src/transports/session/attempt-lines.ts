import { attemptId } from '../../protocol/attempt-key.ts'
import type { AttemptKey } from '../../protocol/wire.ts'
import type { KnownAttempt } from '../../protocol/worker-protocol.ts'
import { createAttemptLine } from './attempt-line.ts'
import type { AttemptLine } from './attempt-line.ts'

/** The attempts that sessions of one worker remember, over its reconnects. */
export class AttemptLines {
  readonly #lines = new Map<string, AttemptLine>()

  /** The line of an attempt, made when there is none; the oldest of those that have ended, or were never assigned, go first. */
  of(key: AttemptKey): AttemptLine {
    const name = attemptId(key)
    let line = this.#lines.get(name)
    if (line === undefined) {
      this.#lines.set(name, (line = createAttemptLine(key)))
      if (this.#lines.size > most) this.#forgetOne()
    }
    return line
  }

  find(key: AttemptKey): AttemptLine | undefined {
    return this.#lines.get(attemptId(key))
  }

  /** Takes a worker's word for what it knows, and how far it has come; nothing else is remembered. */
  take(known: readonly KnownAttempt[]): void {
    for (const attempt of known) {
      const line = this.of(attempt)
      line.heard = Math.max(line.heard, attempt.acked)
      line.sent = Math.max(line.sent, attempt.heard)
      line.forget(attempt.heard)
    }
    const names = new Set(known.map(attemptId))
    for (const name of this.#lines.keys()) if (!names.has(name)) this.#lines.delete(name)
  }

  all(): Iterable<AttemptLine> {
    return this.#lines.values()
  }

  #forgetOne(): void {
    for (const [name, line] of this.#lines) {
      if (!line.hasEnded && line.folder !== undefined) continue
      this.#lines.delete(name)
      return
    }
  }
}

/** Lines that are remembered; what still comes of forgotten ones is fenced by the attempt's number (LE2). */
const most = 1_000
