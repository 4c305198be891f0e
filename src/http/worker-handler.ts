import { systemClock } from '../host/clock.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConnectionFacts, WorkerDoor } from '../ports/worker-door.ts'
import { sizeLimits } from '../protocol/size-limit.ts'
import { postBytes, workerHttp } from '../protocol/worker-http.ts'
import { answer, refuse } from './answer.ts'
import type { Session, SessionLimits } from './session.ts'
import { createSessions } from './sessions.ts'

/** Options of {@link createWorkerHandler}. `Attach` are those of `fleet.attach`, handed on for every worker. */
export interface WorkerHandlerOptions<Attach = unknown> {
  /**
   * How often either side says something at least, in milliseconds; three times this in silence end a session. Shorter than what the proxies
   * on the way take for a dead connection. Default 15,000.
   */
  readonly keepAliveMs?: number
  /** Workers at once. Default 1,024. */
  readonly maxSessions?: number
  /** Bytes that are kept for a worker that does not read; more ends its session. Default 32 MiB. */
  readonly maxBacklogBytes?: number
  /** For `fleet.attach`: whom to take whom nobody registered. */
  readonly attach?: Attach
  /** Time. Default: the machine's. */
  readonly clock?: Clock
}

/** Answers requests of workers. `facts`: what the server knows of the connection, for the `verify` of the worker that it is of. */
export interface WorkerHandler {
  (request: Request, facts?: ConnectionFacts): Promise<Response>
  /** Ends all sessions. A fleet that closes ends its workers' by itself. */
  close(): void
}

/**
 * Lets workers dial in to a fleet over HTTP: whatever serves web requests passes those whose path ends in `/connect` or `/messages` here
 * (HO2). Sizes are counted on the bytes as they come; what is refused is answered with JSON, `{ error: { code, message } }`. Who a worker
 * is the fleet asks of its `hello`; until then it has ten seconds, and costs a few bytes.
 */
export function createWorkerHandler<Options extends { readonly facts?: ConnectionFacts }>(
  fleet: WorkerDoor<Options>,
  options: WorkerHandlerOptions<Omit<Options, 'facts'>> = {},
): WorkerHandler {
  const { clock = systemClock(), maxSessions = 1_024 } = options
  const limits: SessionLimits = {
    keepAliveMs: options.keepAliveMs ?? 15_000,
    maxBacklogBytes: options.maxBacklogBytes ?? 32 * 1_048_576,
    maxLineBytes: sizeLimits.message.maxBytes,
    maxBodyBytes: postBytes,
  }
  const sessions = createSessions({ limits, maxSessions, clock, nextId: () => crypto.randomUUID() })

  function open(facts: ConnectionFacts): Session | undefined {
    const session = sessions.open()
    if (session === undefined) return undefined
    const attached = fleet.attach(session.connection, { ...options.attach, facts } as unknown as Options)
    // It never rejects, and has said the rest to the worker itself.
    void attached.then((outcome) => outcome.attached && sessions.settle(session.id))
    return session
  }

  function connect(request: Request, facts: ConnectionFacts): Response {
    const id = request.headers.get(workerHttp.header.session)
    const after = numberIn(request, workerHttp.header.resume, 0)
    if (id !== null && after === undefined) return refuse('invalid_request', `${workerHttp.header.resume} is no number.`)
    const session = id === null ? open(facts) : sessions.get(id)
    if (session === undefined) return id === null ? tooMany() : unknown()
    const poll = request.headers.get(workerHttp.header.poll) === '1'
    const body = session.stream({ after: id === null ? undefined : after, poll })
    if (body === undefined) return unknown()
    return new Response(body, {
      headers: {
        'content-type': workerHttp.types.events,
        // Nothing on the way may keep it, change it, or hold it back.
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      },
    })
  }

  async function messages(request: Request): Promise<Response> {
    const session = sessions.get(request.headers.get(workerHttp.header.session) ?? '')
    if (session === undefined) return unknown()
    const from = numberIn(request, workerHttp.header.from, 1)
    const heard = numberIn(request, workerHttp.header.heard, 0)
    if (from === undefined || from === 0 || heard === undefined) {
      return refuse('invalid_request', `${workerHttp.header.from} is a number from 1, ${workerHttp.header.heard} one from 0.`)
    }
    session.heard(heard)
    const outcome = await session.post(request.body, from)
    return 'taken' in outcome ? answer(200, outcome) : refuse(outcome.refused, outcome.message)
  }

  function leave(request: Request): Response {
    const session = sessions.get(request.headers.get(workerHttp.header.session) ?? '')
    if (session === undefined) return unknown()
    session.end('the worker left')
    return answer(200, { ended: true })
  }

  const routes: Readonly<
    Record<string, Readonly<Record<string, (request: Request, facts: ConnectionFacts) => Response | Promise<Response>>>>
  > = {
    [workerHttp.connect]: { GET: connect, DELETE: leave },
    [workerHttp.messages]: { POST: messages },
  }

  async function handle(request: Request, facts: ConnectionFacts = {}): Promise<Response> {
    const { pathname } = new URL(request.url)
    const methods = routes[pathname.slice(pathname.lastIndexOf('/'))]
    if (methods === undefined) return refuse('not_found', 'There is nothing here. Workers use …/connect and …/messages.')
    if (!Object.hasOwn(methods, request.method)) {
      const allow = Object.keys(methods).join(', ')
      return refuse('method_not_allowed', `This takes ${allow}.`, { allow })
    }
    return methods[request.method]!(request, facts)
  }

  return Object.assign(handle, { close: () => sessions.endAll('the handler was closed') })
}

/** A header that holds a number; what it is without the header; undefined for anything else. */
function numberIn(request: Request, name: string, without: number): number | undefined {
  const value = request.headers.get(name)
  if (value === null) return without
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

function unknown(): Response {
  return refuse('unknown_session', 'There is no such session, or it has ended. Begin another one: connect without a session.')
}

function tooMany(): Response {
  return refuse('too_many_sessions', 'There are as many workers as may be at once. Try again later.', { 'retry-after': '5' })
}
