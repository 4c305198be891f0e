import type { Clock } from '../ports/clock.ts'
import { bodyLines, BodyTooLarge } from './body-lines.ts'

/** What became of a post. */
export type PostOutcome =
  | { readonly taken: number }
  | {
      readonly refused: 'out_of_order' | 'replaced' | 'invalid_request' | 'too_large' | 'unknown_session'
      readonly message: string
    }

/** The lines of a worker, over any number of posts: each is taken once, in its order. */
export interface Posts {
  /** Reads a post, and takes the place of one that is still being read. Lines that were taken before are passed over. */
  read(body: ReadableStream<Uint8Array> | null, from: number): Promise<PostOutcome>
  /** Whether lines wait to be read. */
  pause(isPaused: boolean): void
  /** Ends the post that is being read. */
  cancel(): void
}

/** Lines that are taken before everything else gets its turn. */
const linesATurn = 64

export function createPosts(options: {
  readonly limits: { readonly maxLineBytes: number; readonly maxBodyBytes: number }
  readonly clock: Pick<Clock, 'turn'>
  readonly line: (line: Uint8Array) => void
  /** Something came. */
  readonly heard: () => void
  /** A line or a post is over its limit; why, as the end of a sentence. */
  readonly overLimit: (why: string) => void
}): Posts {
  const { clock } = options
  const bounds = { line: options.limits.maxLineBytes, body: options.limits.maxBodyBytes }
  let reading: { cancel(): void } | undefined
  let taken = 0
  let isPaused = false
  let goOn: (() => void) | undefined

  /** Takes what is new of a post; gives the bytes after its last line break, or undefined when it was given up. */
  async function take(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    from: number,
    isOver: () => boolean,
  ): Promise<number | undefined> {
    let number = from
    let rest = 0
    for await (const line of bodyLines(reader, bounds, { part: options.heard, rest: (bytes) => (rest = bytes) })) {
      // Whoever hears a line may end it all, or another post may come.
      if (isOver()) break
      if (number++ <= taken) continue
      taken += 1
      options.line(line)
      while (isPaused && !isOver()) await new Promise<void>((resolve) => (goOn = resolve))
      // A flood does not keep the others waiting.
      if (taken % linesATurn === 0) await clock.turn()
    }
    return isOver() ? undefined : rest
  }

  return {
    async read(body, from) {
      if (from > taken + 1) return outOfOrder(from, taken + 1)
      reading?.cancel()
      if (body === null) return { taken }
      const reader = body.getReader()
      let isOver = false
      const mine = {
        cancel() {
          isOver = true
          goOn?.()
          void reader.cancel().catch(() => undefined)
        },
      }
      reading = mine
      try {
        const rest = await take(reader, from, () => isOver)
        if (rest === undefined) return replaced
        return rest > 0 ? cutOff : { taken }
      } catch (error) {
        if (isOver || !(error instanceof BodyTooLarge)) return replaced
        options.overLimit(error.message)
        mine.cancel()
        return { refused: 'too_large', message: `The post was refused: ${error.message}. The session has ended.` }
      } finally {
        if (reading === mine) reading = undefined
      }
    },
    pause(paused) {
      isPaused = paused
      if (!paused) goOn?.()
    },
    cancel: () => reading?.cancel(),
  }
}

const replaced: PostOutcome = {
  refused: 'replaced',
  message: 'The post broke off, another has taken its place, or the session has ended.',
}

const cutOff: PostOutcome = {
  refused: 'invalid_request',
  message: 'The last line of the post has no line break, so it was not taken.',
}

function outOfOrder(from: number, next: number): PostOutcome {
  return { refused: 'out_of_order', message: `The post begins with line ${from}; the next one is ${next}. Send that first.` }
}
