import type { Clock } from '../ports/clock.ts'
import type { KeptEvents } from './kept-events.ts'

/** A response body of server-sent events that is being read. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>
  /** Ends the body: another request has taken its place. */
  stop(): void
}

const keepAlive = new TextEncoder().encode(': keep-alive\n\n')

/**
 * Streams what is kept after a number, one event whenever the reader has room, so that a slow reader costs what is kept and no more. When
 * there is nothing to say for `keepAliveMs` it sends a comment; with `poll` it ends instead, and after what there was.
 */
export function eventStream(options: {
  readonly events: KeptEvents
  readonly after: number
  /** Sent before everything else. */
  readonly opening: Uint8Array | undefined
  readonly poll: boolean
  readonly keepAliveMs: number
  readonly clock: Clock
  /** The body has ended, or nobody reads it any more; `wasLast`: the session's last event was in it. */
  readonly onEnd: (how: { readonly wasLast: boolean }) => void
}): EventStream {
  const { events, poll, clock } = options
  let at = options.after
  let { opening } = options
  let hasSent = false
  let over = false
  let wake: (() => void) | undefined

  /** Resolves at a change, or with true when nothing changed for so long. */
  function change(): Promise<boolean> {
    return new Promise((resolve) => {
      const forget = events.onChange(() => done(false))
      const disarm = clock.alarm(options.keepAliveMs, () => done(true), { keepAlive: false })
      wake = () => done(false)
      function done(nothing: boolean): void {
        forget()
        disarm()
        wake = undefined
        resolve(nothing)
      }
    })
  }

  function finish(wasLast: boolean): void {
    if (over) return
    over = true
    wake?.()
    options.onEnd({ wasLast })
  }

  /** The next piece; `undefined` ends the body. */
  async function next(): Promise<Uint8Array | undefined> {
    if (opening !== undefined) {
      const first = opening
      opening = undefined
      hasSent = true
      return first
    }
    for (;;) {
      if (over) return undefined
      const event = events.after(at)
      if (event !== undefined) {
        at += 1
        hasSent = true
        return event
      }
      if (events.ending !== undefined) {
        const { ending } = events
        finish(true)
        return ending
      }
      if (poll && hasSent) return undefined
      const nothing = await change()
      if (nothing && !over) return poll ? undefined : keepAlive
    }
  }

  let isCancelled = false
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await next()
      if (isCancelled) return
      if (piece !== undefined) controller.enqueue(piece)
      if (piece !== undefined && !over) return
      controller.close()
      finish(false)
    },
    cancel() {
      isCancelled = true
      finish(false)
    },
  })
  return { body, stop: () => finish(false) }
}
