import type { Clock } from '../ports/clock.ts'
import type { ConnectionListener, WorkerConnection } from '../ports/worker-connection.ts'
import type { SessionOpening } from '../protocol/worker-http.ts'
import { bodyLines, BodyTooLarge } from './body-lines.ts'
import { eventStream } from './event-stream.ts'
import type { EventStream } from './event-stream.ts'
import { createKeptEvents } from './kept-events.ts'

/** Bounds of one session. */
export interface SessionLimits {
  /** How often something is sent at least, and expected of the worker; three times this without a word end the session. */
  readonly keepAliveMs: number
  /** Bytes that are kept for a worker that does not read; more ends the session. */
  readonly maxBacklogBytes: number
  /** Bytes of a line, and of a post. */
  readonly maxLineBytes: number
  readonly maxBodyBytes: number
}

/** What became of a post. */
export type PostOutcome =
  | { readonly taken: number }
  | {
      readonly refused: 'out_of_order' | 'replaced' | 'invalid_request' | 'too_large' | 'unknown_session'
      readonly message: string
    }

/** A conversation with a worker that goes over any number of requests, as one connection. */
export interface Session {
  readonly id: string
  readonly connection: WorkerConnection
  /** The body of a connect; undefined when what it asks for is no longer kept. It takes the place of the one before it. */
  stream(options: { readonly after: number | undefined; readonly poll: boolean }): ReadableStream<Uint8Array> | undefined
  /** Reads a post, and takes the place of one that is still being read. Lines that were taken before are passed over. */
  post(body: ReadableStream<Uint8Array> | null, from: number): Promise<PostOutcome>
  /** The worker heard everything up to this number. */
  heard(number: number): void
  /** The worker ends it. */
  end(reason: string): void
}

/** How long the last lines of an ended session wait for the worker to fetch them. */
const lingerMs = 5_000
/** Lines that are taken before everything else gets its turn. */
const linesATurn = 64

export function createSession(options: {
  readonly id: string
  readonly limits: SessionLimits
  readonly clock: Clock
  /** Nothing of it is left. */
  readonly onGone: () => void
}): Session {
  const { id, limits, clock, onGone } = options
  const events = createKeptEvents()
  const waiting: (string | Uint8Array)[] = []
  let listener: ConnectionListener | undefined
  let endReason: string | undefined
  let isGone = false
  let stream: EventStream | undefined
  let reading: { cancel(): void } | undefined
  let taken = 0
  let isPaused = false
  let goOn: (() => void) | undefined
  let disarm = watch(limits.keepAliveMs * 3)

  /** Armed again at every word of the worker, and shorter while it holds no stream. */
  function watch(ms: number): () => void {
    return clock.alarm(ms, () => end('nothing was heard of the worker'), { keepAlive: false })
  }

  function rearm(ms: number): void {
    if (endReason !== undefined) return
    disarm()
    disarm = watch(ms)
  }

  function deliver(line: Uint8Array): void {
    taken += 1
    if (listener === undefined) waiting.push(line)
    else listener.line(line)
  }

  /** Nothing more is heard; what was sent can still be fetched for a moment. */
  function end(reason: string): void {
    if (endReason !== undefined) return
    endReason = reason
    disarm()
    reading?.cancel()
    events.end(reason)
    if (!isGone) disarm = clock.alarm(lingerMs, vanish, { keepAlive: false })
    listener?.end(reason)
  }

  function vanish(): void {
    if (isGone) return
    isGone = true
    disarm()
    stream?.stop()
    onGone()
  }

  async function post(body: ReadableStream<Uint8Array> | null, from: number): Promise<PostOutcome> {
    if (endReason !== undefined) return { refused: 'unknown_session', message: `The session has ended: ${endReason}.` }
    rearm(limits.keepAliveMs * 3)
    if (from > taken + 1) {
      return {
        refused: 'out_of_order',
        message: `The post begins with line ${from}; the next one is ${taken + 1}. Send that first.`,
      }
    }
    reading?.cancel()
    if (body === null) return { taken }
    const reader = body.getReader()
    let isReplaced = false
    const mine = {
      cancel() {
        isReplaced = true
        goOn?.()
        void reader.cancel().catch(() => undefined)
      },
    }
    reading = mine
    try {
      let number = from
      let cut = 0
      const bounds = { line: limits.maxLineBytes, body: limits.maxBodyBytes }
      const lines = bodyLines(reader, bounds, { part: () => rearm(limits.keepAliveMs * 3), rest: (left) => (cut = left) })
      for await (const line of lines) {
        // Whoever hears a line may end the session, or another post may come.
        if (isReplaced) break
        if (number++ <= taken) continue
        deliver(line)
        while (isPaused && !isReplaced) await new Promise<void>((resolve) => (goOn = resolve))
        // A flood does not keep the others waiting.
        if (taken % linesATurn === 0) await clock.turn()
      }
      if (isReplaced)
        return { refused: 'replaced', message: 'Another post has taken the place of this one, or the session has ended.' }
      if (cut > 0)
        return { refused: 'invalid_request', message: 'The last line of the post has no line break, so it was not taken.' }
      return { taken }
    } catch (error) {
      if (isReplaced || !(error instanceof BodyTooLarge)) return { refused: 'replaced', message: 'The post was cut off.' }
      end(`the worker sent too much: ${error.message}`)
      mine.cancel()
      return { refused: 'too_large', message: `The post was refused: ${error.message}. The session has ended.` }
    } finally {
      if (reading === mine) reading = undefined
    }
  }

  return {
    id,
    connection: {
      send(line) {
        if (endReason !== undefined) return
        events.add(line)
        if (events.bytes > limits.maxBacklogBytes) end(`the worker did not read ${events.bytes} bytes that were sent to it`)
      },
      listen(heard) {
        listener = heard
        for (const line of waiting.splice(0)) heard.line(line)
        if (endReason !== undefined) heard.end(endReason)
      },
      close: end,
      pause(paused) {
        isPaused = paused
        if (!paused) goOn?.()
      },
    },
    stream({ after, poll }) {
      const isNew = after === undefined
      const from = after ?? 0
      if (from < events.first || from > events.last) return undefined
      events.heard(from)
      stream?.stop()
      const opening: SessionOpening = { session: id, keep_alive_ms: limits.keepAliveMs }
      const made = eventStream({
        events,
        after: from,
        poll,
        clock,
        opening: isNew ? new TextEncoder().encode(`event: session\ndata: ${JSON.stringify(opening)}\n\n`) : undefined,
        keepAliveMs: limits.keepAliveMs,
        onEnd({ wasLast }) {
          if (stream !== made) return
          stream = undefined
          if (wasLast) vanish()
          // A line that is down for longer than this is no line; a worker that is there asks again at once.
          else rearm(limits.keepAliveMs)
        },
      })
      stream = made
      rearm(limits.keepAliveMs * 3)
      return made.body
    },
    post,
    heard(number) {
      events.heard(number)
    },
    end(reason) {
      end(reason)
      vanish()
    },
  }
}
