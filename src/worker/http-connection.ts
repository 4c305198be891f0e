import type { Clock } from '../ports/clock.ts'
import type { ConnectionListener, WorkerConnection } from '../ports/worker-connection.ts'
import { workerHttp } from '../protocol/worker-http.ts'
import type { SessionOpening } from '../protocol/worker-http.ts'
import type { HttpExchange } from './http-exchange.ts'
import { receiveEvents } from './http-receiving.ts'
import { sendLines } from './http-sending.ts'

/** One session with a fleet over HTTP, as a connection. Requests that fail are asked again, until the fleet would have ended it too. */
export interface HttpConnection extends WorkerConnection {
  /** The fleet has given it a session, which has not ended. */
  readonly isOpen: boolean
  /** Nothing of its session came before its end: something on the way holds back what has not ended, so the next should poll. */
  readonly wasHeldBack: boolean
  /** Resolves, never rejects, when nothing of it is open any more. */
  readonly settled: Promise<void>
}

/** What both directions share. */
export interface HttpSessionState {
  readonly exchange: HttpExchange
  readonly clock: Clock
  /** A number in [0, 1), for waits that should differ. */
  readonly random: () => number
  /** What the fleet told of the session; undefined until it did. */
  opening: SessionOpening | undefined
  /** The number of the fleet's last line that was heard. */
  heard: number
  /** When an answer of the fleet was heard last, on the monotonic clock. */
  heardAt: number
  /** The end was the first that was heard. */
  wasHeldBack: boolean
  /** Aborts when it is over. */
  readonly over: AbortSignal
  /** Wakes the direction that sends. */
  wake: () => void
  /** Ends it. */
  fail(reason: string): void
}

/** How long the last words may take. */
const farewellMs = 2_000

export function httpConnection(options: {
  readonly exchange: HttpExchange
  readonly clock: Clock
  readonly random: () => number
  /** Asks for answers that end at once, from the beginning. Default: only once a stream has brought nothing. */
  readonly polls?: boolean
}): HttpConnection {
  const { exchange, clock, random } = options
  const ending = new AbortController()
  const outbox: string[] = []
  const unheard: string[] = []
  let listener: ConnectionListener | undefined
  let endReason: string | undefined
  let byUs = false

  const state: HttpSessionState = {
    exchange,
    clock,
    random,
    opening: undefined,
    heard: 0,
    heardAt: clock.monotonic(),
    wasHeldBack: false,
    over: ending.signal,
    wake: () => undefined,
    fail: (reason) => end(reason),
  }

  function end(reason: string): void {
    if (endReason !== undefined) return
    endReason = reason
    ending.abort()
    state.wake()
    listener?.end(reason)
  }

  function deliver(line: string): void {
    if (endReason !== undefined) return
    if (listener === undefined) unheard.push(line)
    else listener.line(line)
  }

  async function live(): Promise<void> {
    const sending = sendLines(state, outbox)
    await Promise.all([receiveEvents(state, { polls: options.polls ?? false, line: deliver }), sending.done])
    if (byUs && state.opening !== undefined) await leave(sending.number)
  }

  /** What was still to be said, and that it leaves: once, since nobody waits for it long. */
  async function leave(from: number): Promise<void> {
    const limit = new AbortController()
    const disarm = clock.alarm(farewellMs, () => limit.abort(), { keepAlive: true })
    const session = { [workerHttp.header.session]: state.opening?.session ?? '' }
    if (outbox.length > 0) {
      const headers = { ...session, [workerHttp.header.from]: String(from), [workerHttp.header.heard]: String(state.heard) }
      await settle(exchange.ask('POST', { headers, body: outbox.join(''), signal: limit.signal }))
    }
    await settle(exchange.ask('DELETE', { headers: session, signal: limit.signal }))
    disarm()
  }

  return {
    get wasHeldBack() {
      return state.wasHeldBack
    },
    get isOpen() {
      return state.opening !== undefined && endReason === undefined
    },
    send(line) {
      if (endReason !== undefined) return
      outbox.push(`${line}\n`)
      state.wake()
    },
    listen(heard) {
      listener = heard
      for (const line of unheard.splice(0)) heard.line(line)
      if (endReason !== undefined) heard.end(endReason)
    },
    close(reason) {
      byUs = endReason === undefined
      end(reason)
    },
    settled: live(),
  }
}

/** Reads an answer to its end, so that nothing of it stays open. */
async function settle(asked: ReturnType<HttpExchange['ask']>): Promise<void> {
  const exchange = await asked
  if (exchange.ok) await exchange.response.text().catch(() => undefined)
}
