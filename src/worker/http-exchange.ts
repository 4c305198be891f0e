import type { Clock } from '../ports/clock.ts'
import { workerHttp } from '../protocol/worker-http.ts'

/** What a request came to. */
export type Exchange =
  | { readonly ok: true; readonly response: Response }
  /** `final`: asking again would be answered the same. */
  | { readonly ok: false; readonly final: boolean; readonly code?: string; readonly reason: string }

/** Asks one fleet over HTTP. */
export interface HttpExchange {
  /** Never rejects. A response that is no answer of a fleet, a proxy's page for one, is a failure that may pass. */
  ask(method: 'GET' | 'POST' | 'DELETE', options: AskOptions): Promise<Exchange>
}

export interface AskOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

/** Ends what a request waits for when nothing is heard for so long. */
export interface Watchdog {
  readonly signal: AbortSignal
  /** True once it gave up. */
  readonly gaveUp: boolean
  heard(nextMs: number): void
  off(): void
}

export function watchdog(clock: Clock, ms: number, outer: AbortSignal): Watchdog {
  const controller = new AbortController()
  let gaveUp = false
  const giveUp = (): void => {
    gaveUp = true
    controller.abort()
  }
  const arm = (next: number): (() => void) => clock.alarm(next, giveUp, { keepAlive: true })
  const end = (): void => controller.abort()
  let disarm = arm(ms)
  if (outer.aborted) end()
  outer.addEventListener('abort', end, { once: true })
  return {
    signal: controller.signal,
    get gaveUp() {
      return gaveUp
    },
    heard(nextMs) {
      disarm()
      disarm = arm(nextMs)
    },
    off() {
      disarm()
      outer.removeEventListener('abort', end)
    },
  }
}

export function httpExchange(options: {
  /** Of the fleet's handler, without `/connect`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof globalThis.fetch
}): HttpExchange {
  const base = options.url.replace(/\/+$/, '')

  return {
    async ask(method, { headers, body, signal }) {
      const path = method === 'POST' ? workerHttp.messages : workerHttp.connect
      const expected = method === 'GET' ? workerHttp.types.events : 'application/json'
      let response: Response
      try {
        response = await options.fetch(base + path, {
          method,
          headers: {
            ...options.headers,
            accept: expected,
            ...(body !== undefined && { 'content-type': workerHttp.types.lines }),
            ...headers,
          },
          signal,
          redirect: 'error',
          ...(body !== undefined && { body }),
        })
        if (response.ok && (response.headers.get('content-type') ?? '').startsWith(expected)) return { ok: true, response }
        return refused(response.status, await response.text())
      } catch (error) {
        return { ok: false, final: false, reason: wordsOf(error) }
      }
    },
  }
}

/** What a fleet refuses it refuses in JSON; whatever else answers is on the way, and may come to its senses. */
function refused(status: number, text: string): Exchange {
  const error = errorIn(text)
  if (error === undefined) return { ok: false, final: false, reason: `the answer was ${status}, and not of a fleet` }
  return { ok: false, final: status < 500 && error.code !== 'replaced', code: error.code, reason: error.message }
}

function errorIn(text: string): { readonly code: string; readonly message: string } | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } }
    if (typeof error?.code === 'string' && typeof error.message === 'string') return { code: error.code, message: error.message }
  } catch {
    // It is no JSON, so it is no answer of a fleet.
  }
  return undefined
}

/** What `fetch` says of a failed line lies in its cause. */
function wordsOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (!(cause instanceof Error)) return 'the request failed'
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}
