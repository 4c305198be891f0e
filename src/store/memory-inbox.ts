import { joinSignals } from '../protocol/joined-signal.ts'
import type { PostedAnswer, PostedCommand } from '../protocol/command.ts'
import type { Clock } from '../ports/clock.ts'
import type { InboxItem } from '../ports/store.ts'
import { Bell } from './bell.ts'

interface Posted {
  readonly command: PostedCommand
  isTaken: boolean
  answer: PostedAnswer | undefined
}

const answersKept = 1000

/** Posted commands of a memory store, in the order of their arrival. */
export class MemoryInbox {
  readonly #clock: Clock
  readonly #posted = new Map<string, Posted>()
  readonly #changed = new Bell()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async post(
    command: PostedCommand,
    { waitMs, signal }: { readonly waitMs: number; readonly signal?: AbortSignal },
  ): Promise<PostedAnswer | undefined> {
    signal?.throwIfAborted()
    const posted = this.#posted.get(command.id) ?? { command: structuredClone(command), isTaken: false, answer: undefined }
    this.#posted.set(command.id, posted)
    this.#changed.ring()
    const until = this.#clock.monotonic() + waitMs
    while (posted.answer === undefined && this.#clock.monotonic() < until) {
      const done = new AbortController()
      using both = joinSignals([done.signal, signal])
      const rest = this.#clock.sleep(until - this.#clock.monotonic(), { signal: both.signal })
      await Promise.race([this.#changed.wait(both.signal), rest])
      done.abort()
      signal?.throwIfAborted()
    }
    if (posted.answer !== undefined) this.#posted.delete(command.id)
    return posted.answer
  }

  async *take(signal: AbortSignal): AsyncGenerator<InboxItem> {
    while (!signal.aborted) {
      const next = [...this.#posted.values()].find(({ isTaken }) => !isTaken)
      if (next === undefined) {
        await this.#changed.wait(signal)
        continue
      }
      next.isTaken = true
      yield {
        command: next.command,
        answer: async (answer) => {
          next.answer = structuredClone(answer)
          this.#forgetAnswers()
          this.#changed.ring()
        },
      }
    }
  }

  /** Answers that nobody fetched do not pile up. */
  #forgetAnswers(): void {
    const answered = [...this.#posted.values()].filter(({ answer }) => answer !== undefined)
    for (const { command } of answered.slice(0, Math.max(0, answered.length - answersKept))) this.#posted.delete(command.id)
  }

  /** What was taken and not answered is there for the next owner. */
  giveBack(): void {
    for (const posted of this.#posted.values()) posted.isTaken = posted.answer !== undefined
    this.#changed.ring()
  }
}
