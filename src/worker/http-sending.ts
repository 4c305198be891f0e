import { workerHttp } from '../protocol/worker-http.ts'
import type { HttpSessionState } from './http-connection.ts'
import { watchdog } from './http-exchange.ts'
import type { Exchange } from './http-exchange.ts'
import { pauseBeforeRetry } from './reconnect-pause.ts'

/** Bytes of a post, unless a single line has more. Small ones lose less when they are cut. */
const batchBytes = 64 * 1_024
/** A post has this long, and a quarter of a millisecond a byte besides: slow lines are no broken ones. */
const answerMs = 15_000
/** How long the last lines of the fleet are waited for once it does not know the session any more. */
const lastLinesMs = 2_000

export interface Sending {
  /** The number of the first line in the outbox. */
  readonly number: number
  readonly done: Promise<void>
}

/** Posts what is in the outbox, in order, and takes out what was taken. Says something every so often, so that the fleet knows that it is there. */
export function sendLines(state: HttpSessionState, outbox: string[]): Sending {
  let number = 1
  let failures = 0

  async function send(): Promise<void> {
    while (!state.over.aborted) {
      if (state.opening === undefined) {
        await woken(state)
        continue
      }
      if (outbox.length === 0 && !(await isDue(state))) continue
      const exchange = await post(state, outbox, number)
      if (state.over.aborted) return
      if ('taken' in exchange) {
        failures = 0
        outbox.splice(0, exchange.taken + 1 - number)
        number = exchange.taken + 1
        state.heardAt = state.clock.monotonic()
        continue
      }
      if (exchange.final) {
        // Why it ended is in its last lines, which come the other way.
        if (exchange.code === 'unknown_session') await state.clock.sleep(lastLinesMs, { signal: state.over })
        return state.fail(exchange.reason)
      }
      failures += 1
      if (isGivenUp(state)) return state.fail(exchange.reason)
      await pauseBeforeRetry(state, failures)
    }
  }

  return {
    get number() {
      return number
    },
    done: send(),
  }
}

async function post(
  state: HttpSessionState,
  outbox: readonly string[],
  number: number,
): Promise<{ readonly taken: number } | Extract<Exchange, { ok: false }>> {
  const body = batchOf(outbox)
  const dog = watchdog(state.clock, answerMs + body.length / 4, state.over)
  try {
    const exchange = await state.exchange.ask('POST', {
      headers: {
        [workerHttp.header.session]: state.opening?.session ?? '',
        [workerHttp.header.from]: String(number),
        [workerHttp.header.heard]: String(state.heard),
      },
      body,
      signal: dog.signal,
    })
    if (!exchange.ok) return exchange
    const { taken } = (await exchange.response.json()) as { taken?: unknown }
    if (typeof taken === 'number' && taken >= number - 1 && taken < number + outbox.length) return { taken }
    return { ok: false, final: true, reason: 'the fleet answered with a number that it cannot have' }
  } catch {
    return { ok: false, final: false, reason: dog.gaveUp ? 'the fleet did not answer' : 'the answer was cut off' }
  } finally {
    dog.off()
  }
}

function batchOf(outbox: readonly string[]): string {
  let bytes = 0
  const end = outbox.findIndex((line) => (bytes += line.length) > batchBytes)
  return outbox.slice(0, end < 0 ? undefined : Math.max(1, end)).join('')
}

/** Waits for something to send; true when it is time to say something anyway. */
async function isDue(state: HttpSessionState): Promise<boolean> {
  const asleep = new AbortController()
  let isWoken = false
  state.wake = () => {
    isWoken = true
    asleep.abort()
  }
  await state.clock.sleep(state.opening?.keep_alive_ms ?? 0, { signal: asleep.signal })
  state.wake = () => undefined
  return !isWoken
}

function woken(state: HttpSessionState): Promise<void> {
  return new Promise((resolve) => {
    state.wake = () => {
      state.wake = () => undefined
      resolve()
    }
  })
}

function isGivenUp({ opening, clock, heardAt }: HttpSessionState): boolean {
  return clock.monotonic() - heardAt >= (opening?.keep_alive_ms ?? 0) * 3
}
