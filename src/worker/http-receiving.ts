import { workerHttp } from '../protocol/worker-http.ts'
import type { SessionOpening } from '../protocol/worker-http.ts'
import type { HttpSessionState } from './http-connection.ts'
import { watchdog } from './http-exchange.ts'
import type { Watchdog } from './http-exchange.ts'
import { pauseBeforeRetry } from './reconnect-pause.ts'
import { serverEvents } from './server-events.ts'
import type { ServerEvent } from './server-events.ts'

/** How long the first byte of an answer may take, with time left to ask in the other way before the worker gives the connection up. */
const firstByteMs = 5_000

/** How one request for events ended. */
interface Reading {
  /** The fleet answered: something came, or the answer to a poll came to its end. */
  readonly answered: boolean
  /** Nothing came, though the request was not refused: something on the way may hold it back. */
  readonly silent: boolean
  readonly empty: boolean
  readonly reason: string
}

/**
 * Asks for the fleet's lines until it is over, and again whenever a request ends or falls silent. Where a stream brings nothing, it asks for
 * answers that end at once: those pass what holds streams back.
 */
export async function receiveEvents(
  state: HttpSessionState,
  { polls, line }: { readonly polls: boolean; readonly line: (line: string) => void },
): Promise<void> {
  let failures = 0
  let poll = polls
  while (!state.over.aborted) {
    const reading = await readOnce(state, poll, line)
    if (state.over.aborted) return
    if (reading.answered) {
      failures = 0
      // Whatever ends every stream at once is not asked again at once.
      if (!poll || reading.empty) await pauseBeforeRetry(state, 1)
      continue
    }
    if (reading.silent && !poll) {
      poll = true
      continue
    }
    failures += 1
    // Without a session there is nothing to hold on to; with one, the fleet ends it after as long a silence.
    const lasts = state.opening === undefined ? 0 : state.opening.keep_alive_ms * 3
    if (state.clock.monotonic() - state.heardAt >= lasts) return state.fail(reading.reason)
    await pauseBeforeRetry(state, failures)
  }
}

async function readOnce(state: HttpSessionState, poll: boolean, line: (line: string) => void): Promise<Reading> {
  const { opening } = state
  const dog = watchdog(state.clock, opening === undefined ? firstByteMs : silenceMs(opening), state.over)
  let empty = true
  const broken = (reason: string): Reading => ({
    answered: !empty,
    silent: dog.gaveUp && empty,
    empty,
    reason: dog.gaveUp ? 'nothing was heard of the fleet' : reason,
  })
  try {
    const exchange = await state.exchange.ask('GET', { headers: headersOf(state, poll), signal: dog.signal })
    if (!exchange.ok) {
      if (exchange.final) state.fail(exchange.reason)
      return broken(exchange.reason)
    }
    for await (const event of serverEvents(exchange.response.body ?? new ReadableStream())) {
      empty = false
      hear(state, event, line, dog)
      if (state.over.aborted) break
    }
    state.heardAt = state.clock.monotonic()
    return { ...broken('the fleet ended the line'), answered: poll || !empty }
  } catch {
    return broken('the line was cut')
  } finally {
    dog.off()
  }
}

function headersOf({ opening, heard }: HttpSessionState, poll: boolean): Readonly<Record<string, string>> {
  const { header } = workerHttp
  return {
    ...(poll && { [header.poll]: '1' }),
    ...(opening !== undefined && { [header.session]: opening.session, [header.resume]: String(heard) }),
  }
}

function hear(state: HttpSessionState, { event, id, data }: ServerEvent, line: (line: string) => void, dog: Watchdog): void {
  state.heardAt = state.clock.monotonic()
  if (event === workerHttp.event.session && data !== undefined) {
    state.opening = openingIn(data)
    state.wake()
  } else if (event === workerHttp.event.end) {
    state.wasHeldBack = state.heard === 0
    const { reason } = JSON.parse(data ?? '{}') as { reason?: unknown }
    return state.fail(typeof reason === 'string' ? reason : 'the fleet ended the session')
  } else if (data !== undefined && Number(id) === state.heard + 1) {
    state.heard += 1
    line(data)
  }
  if (state.opening !== undefined) dog.heard(silenceMs(state.opening))
}

function openingIn(data: string): SessionOpening {
  const { session, keep_alive_ms } = JSON.parse(data) as Partial<Record<keyof SessionOpening, unknown>>
  if (typeof session !== 'string' || typeof keep_alive_ms !== 'number' || !(keep_alive_ms > 0)) {
    throw new Error('this is no session of a fleet')
  }
  return { session, keep_alive_ms }
}

/** The fleet says something at least every so often: twice that and a half without a word is a line that is down. */
function silenceMs({ keep_alive_ms }: SessionOpening): number {
  return keep_alive_ms * 2.5
}
