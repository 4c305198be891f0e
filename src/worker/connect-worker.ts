import { systemClock } from '../host/clock.ts'
import { systemIds } from '../host/ids.ts'
import type { Clock } from '../ports/clock.ts'
import { FleetError } from '../protocol/errors.ts'
import { isToken, reservedId } from '../protocol/ids.ts'
import { createWorkerRuntime, type WorkOptions } from './create-worker-runtime.ts'
import { httpConnection, type HttpConnection } from './http-connection.ts'
import { httpExchange } from './http-exchange.ts'
import { pauseBeforeRetry } from './reconnect-pause.ts'
import { refusalOf } from './refusal.ts'
import type { LineEnd, WorkerRuntime } from './runtime.ts'

/** Options of {@link connectWorker}. */
export interface ConnectOptions extends WorkOptions {
  /** Where the fleet serves its workers, without `/connect`: `https://fleet.example/workers`. It holds no credentials. */
  readonly url: string | URL
  /** Who this is: what the fleet registered it as. */
  readonly workerId: string
  /** Proves it. It travels in the first message, never in an address. */
  readonly token?: string
  /** True: `url` may be plain `http` to another machine, so that whoever is on the way reads token and secrets. Default: only to this one. */
  readonly plainHttp?: boolean
  /** Sent with every request, for what stands before the fleet. */
  readonly headers?: Readonly<Record<string, string>>
  /** Asks in its own way, with a client certificate for one. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Waits between connections, doubling from `firstMs` to `mostMs`, each drawn from its upper half. Default 500 and 30,000. */
  readonly reconnect?: { readonly firstMs: number; readonly mostMs: number }
  /** Where the folders of attempts are made. Default: the system's folder for temporary files. */
  readonly folder?: string
  /** Leaves when it aborts, as `close` does. */
  readonly signal?: AbortSignal
  /** Time. Default: the machine's. */
  readonly clock?: Clock
}

/** A worker that keeps itself connected. */
export interface ConnectedWorker extends AsyncDisposable {
  /** Whether it has a session with the fleet now. */
  readonly isConnected: boolean
  /**
   * Resolves when it has left and nothing of it is open. Rejects with the fleet's code when the fleet will not have it: `unauthenticated`,
   * `unsuited_worker`, or `invalid_message` for another version of the protocol, or since another process took its id.
   */
  readonly done: Promise<void>
  /** Takes no more attempts, and leaves when what runs has ended. */
  drain(): Promise<void>
  /** Leaves: what still runs after `graceMs` (default 5,000) is given back. Twice is safe. */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

/** What will not change by trying again. */
const final: ReadonlySet<string> = new Set(['unauthenticated', 'unsuited_worker', 'unsupported_protocol', 'superseded'])
/** How long work may take to end before the worker comes back as another incarnation. */
const settleMs = 10_000

/**
 * Connects to a fleet over HTTP, and does its tasks (HO2): events of the fleet come down, lines go up. It reconnects with a growing pause for
 * as long as it lives, and hands over what it did meanwhile; work goes on through a lost connection for as long as a lease lasts (HO7).
 * When the fleet closes it waits for the next one. Throws `invalid_option`.
 */
export function connectWorker(options: ConnectOptions): ConnectedWorker {
  const url = checked(options)
  const { workerId, token, clock = systemClock(), reconnect = { firstMs: 500, mostMs: 30_000 } } = options
  const { next, random } = systemIds()
  const exchange = httpExchange({
    url,
    headers: options.headers ?? {},
    fetch: options.fetch ?? ((...asked) => fetch(...asked)),
  })
  const leaving = new AbortController()
  const closing = new Set<Promise<void>>()
  let runtime = begin()
  let isDraining = false
  let current: HttpConnection | undefined
  let polls = false
  /** How long work may take to end once it leaves. */
  let leaveMs = 0

  function begin(): WorkerRuntime {
    const identity = { workerId, incarnation: next('inc'), ...(token !== undefined && { token }) }
    return createWorkerRuntime({ ...options, ...identity, clock, resumes: true })
  }

  async function connectOnce(): Promise<LineEnd> {
    const connection = (current = httpConnection({ exchange, clock, random, polls }))
    const settled = connection.settled.finally(() => closing.delete(settled))
    closing.add(settled)
    const end = await runtime.attach(connection)
    polls = connection.wasHeldBack
    return end
  }

  async function live(): Promise<void> {
    let failures = 0
    try {
      while (!leaving.signal.aborted) {
        const end = await connectOnce()
        if (leaving.signal.aborted) return
        if (end.refused !== undefined && final.has(end.refused.code)) throw refusalOf(end.refused)
        failures = end.wasWelcomed ? 1 : failures + 1
        if (runtime.isOver) {
          // The fleet said bye. Whatever comes in its place gets a worker that knows nothing of the attempts before.
          await Promise.race([runtime.done, clock.sleep(settleMs, { signal: leaving.signal })])
          if (isDraining) return
          runtime = begin()
        }
        await pauseBeforeRetry({ clock, random, over: leaving.signal }, failures, reconnect)
      }
    } finally {
      leaving.abort()
      await runtime.close({ reason: 'the worker leaves', graceMs: 0 })
      const late = new AbortController()
      await Promise.race([runtime.done, clock.sleep(leaveMs, { signal: late.signal })])
      late.abort()
      await Promise.all(closing)
    }
  }

  async function close({ graceMs = 5_000 }: { readonly graceMs?: number } = {}): Promise<void> {
    leaveMs = Math.max(leaveMs, graceMs)
    const said = runtime.close({ reason: 'the worker leaves', graceMs })
    leaving.abort()
    // Without a connection there is nobody to say it to.
    await Promise.race([said, done.catch(() => undefined)])
    await done.catch(() => undefined)
  }

  const leave = (): void => void close()
  const done = live().finally(() => options.signal?.removeEventListener('abort', leave))
  // Whoever waits for it hears of it; nobody else must fall over it.
  done.catch(() => undefined)
  if (options.signal?.aborted === true) leave()
  else options.signal?.addEventListener('abort', leave, { once: true })

  return {
    get isConnected() {
      return current?.isOpen === true
    },
    done,
    async drain() {
      isDraining = true
      await runtime.drain()
      await close({ graceMs: 0 })
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

/** The address, once everything that is wrong with the options would have been said. */
function checked({ url, workerId, plainHttp, reconnect }: ConnectOptions): string {
  const problems: string[] = []
  if (!isToken(workerId) || workerId === reservedId) problems.push('workerId: expected 1–128 of [A-Za-z0-9._-], and not "fleet"')
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) problems.push('url: expected an address with http or https')
  else {
    if (parsed.username + parsed.password + parsed.search + parsed.hash !== '') {
      problems.push(
        'url: an address is written down in many places; leave credentials, query and fragment out, and pass the token',
      )
    }
    if (parsed.protocol === 'http:' && plainHttp !== true && !isLoopback(parsed.hostname)) {
      problems.push('url: whoever is on the way would read the token; use https, or say plainHttp: true')
    }
  }
  if (reconnect !== undefined && !(reconnect.firstMs > 0 && reconnect.mostMs >= reconnect.firstMs)) {
    problems.push('reconnect: expected { firstMs, mostMs }, milliseconds above 0, the second not below the first')
  }
  if (parsed === undefined || problems.length > 0) {
    throw new FleetError('invalid_option', `The worker cannot connect like this:\n${problems.join('\n')}`, {
      details: { problems },
    })
  }
  return parsed.href
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
