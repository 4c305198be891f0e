import type { Clock } from '../ports/clock.ts'
import type { ConnectionListener, WorkerConnection } from '../ports/worker-connection.ts'
import type { SessionOpening } from '../protocol/worker-http.ts'
import { eventStream } from './event-stream.ts'
import type { EventStream } from './event-stream.ts'
import { createKeptEvents } from './kept-events.ts'
import { createPosts } from './posts.ts'
import type { PostOutcome } from './posts.ts'

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

  /** Nothing more is heard; what was sent can still be fetched for a moment. */
  function end(reason: string): void {
    if (endReason !== undefined) return
    endReason = reason
    disarm()
    posts.cancel()
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

  const posts = createPosts({
    ...{ limits, clock },
    line(line) {
      if (listener === undefined) waiting.push(line)
      else listener.line(line)
    },
    heard: () => rearm(limits.keepAliveMs * 3),
    overLimit: (why) => end(`the worker sent too much: ${why}`),
  })

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
      pause: posts.pause,
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
    async post(body, from) {
      if (endReason !== undefined) return { refused: 'unknown_session', message: `The session has ended: ${endReason}.` }
      rearm(limits.keepAliveMs * 3)
      return posts.read(body, from)
    },
    heard(number) {
      events.heard(number)
    },
    end(reason) {
      end(reason)
      vanish()
    },
  }
}
