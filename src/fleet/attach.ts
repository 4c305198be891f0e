import type { Engine } from '../engine/engine.ts'
import { knownSecrets } from '../engine/redacted-report.ts'
import type { Worker } from '../engine/workers.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttachOutcome, ConnectionFacts, WorkerDoor } from '../ports/worker-door.ts'
import type { WorkerConnection } from '../ports/worker-connection.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetErrorCode } from '../protocol/errors.ts'
import { isToken } from '../protocol/ids.ts'
import type { HelloFrame } from '../protocol/worker-protocol.ts'
import { isDialIn } from '../transports/session/dial-in.ts'
import { greet } from '../transports/session/worker-greeting.ts'
import type { Greeting } from '../transports/session/worker-greeting.ts'
import { provenTransport } from './dial-in.ts'
import type { DialInOptions, ProvenTransport } from './dial-in.ts'
import { lackingOf } from './lacking.ts'
import type { WorkerOptions } from './options.ts'
import { isProved } from './worker-proof.ts'
import type { WorkerProof } from './worker-proof.ts'

/** A worker that is registered as it dials in: its id is the one that it says and proves. */
export type AdmittedWorker = DialInOptions &
  Pick<WorkerOptions, 'slots' | 'capabilities' | 'roles' | 'trustLevel' | 'runsUnenforced'>

/** How a connection is attached. */
export interface AttachOptions {
  /** What the application knows of the connection; `verify` and `admit` see it. Nothing of it is kept. */
  readonly facts?: ConnectionFacts
  /**
   * Asked for a worker that nobody registered: what it is taken for, or undefined to refuse it. It must still prove who it is in the way that
   * this says. Default: none is taken.
   */
  readonly admit?: (hello: HelloFrame, facts: ConnectionFacts) => AdmittedWorker | undefined | Promise<AdmittedWorker | undefined>
}

/** How long a worker may take to say hello, and the application to know it, in milliseconds. */
const helloTimeoutMs = 10_000

/** Takes connections of workers for a fleet (HO2, SE7). `closed` aborts when the fleet has closed. */
export function createWorkerDoor(
  engine: Engine,
  parts: {
    readonly clock: Clock
    readonly closed: AbortSignal
    readonly add: (worker: WorkerOptions) => Promise<void>
  },
): WorkerDoor<AttachOptions> {
  const { clock, closed } = parts
  const greetings = new Set<AbortController>()
  /** By worker: says that its token is one no more. */
  const covered = new Map<string, () => void>()
  closed.addEventListener('abort', () => {
    for (const greeting of greetings) greeting.abort()
    for (const { transport } of engine.workers.all()) if (isDialIn(transport)) transport.gate.close('the fleet was closed')
  })

  async function take(greeting: Greeting, options: AttachOptions): Promise<AttachOutcome> {
    const { hello } = greeting
    const { worker_id: workerId, incarnation } = hello
    if (workerId === undefined || incarnation === undefined || !isToken(workerId)) {
      throw refusal('invalid_message', 'A worker that dials in says its worker_id and its incarnation in its hello.')
    }
    // Whoever has not proved who it is yet fills nothing.
    greeting.line.pause(true)
    const worker = await workerOf(workerId, hello, options)
    if (engine.closing) throw refusal('fleet_closed', 'The fleet is closed, or closing. Try again later.')
    worker.gate.admit(workerId, greeting)
    greeting.line.pause(false)
    return { attached: true, workerId, incarnation }
  }

  /** The way to a worker that proved who it is, and serves what it is registered for. */
  async function workerOf(id: string, hello: HelloFrame, options: AttachOptions): Promise<ProvenTransport> {
    const facts = options.facts ?? {}
    const known = engine.workers.get(id)
    if (known !== undefined && known.status !== 'retired') {
      if (!isProven(known.transport)) throw unknownWorker(id)
      await prove(id, known.transport.proof, hello, facts)
      assertSuited(known, hello)
      return known.transport
    }
    const admitted = await options.admit?.(hello, facts)
    if (admitted === undefined) throw unknownWorker(id)
    const { slots, capabilities, roles, trustLevel, runsUnenforced, ...way } = admitted
    const transport = provenTransport(way)
    await prove(id, transport.proof, hello, facts)
    // Two connections of one worker may come at once.
    if ((engine.workers.get(id)?.status ?? 'retired') === 'retired') {
      await parts.add({
        ...{ id, transport },
        ...(slots !== undefined && { slots }),
        ...(capabilities && { capabilities }),
        ...(roles && { roles }),
        ...(trustLevel && { trustLevel }),
        ...(runsUnenforced && { runsUnenforced }),
      })
    }
    const added = engine.workers.get(id)
    if (added === undefined || !isProven(added.transport)) throw unknownWorker(id)
    assertSuited(added, hello)
    return added.transport
  }

  async function prove(id: string, proof: WorkerProof, hello: HelloFrame, facts: ConnectionFacts): Promise<void> {
    const { secrets, inUse } = engine.core
    if (!(await isProved(proof, hello, facts, { secrets, clock, timeoutMs: helloTimeoutMs }))) {
      throw refusal('unauthenticated', 'The worker did not prove who it is. Give it the token that the fleet expects of this id.')
    }
    // As long as it is its token it is covered, wherever the worker says it by mistake (SE5).
    if (proof.token === undefined || hello.token === undefined) return
    const forgetEarlier = covered.get(id)
    covered.set(id, inUse.use(knownSecrets({ worker_token: hello.token })))
    forgetEarlier?.()
  }

  return {
    async attach(connection: WorkerConnection, options: AttachOptions = {}) {
      const waiting = new AbortController()
      greetings.add(waiting)
      if (closed.aborted) waiting.abort()
      let greeting: Greeting
      try {
        greeting = await greet(connection, { clock, helloTimeoutMs, signal: waiting.signal })
      } catch (error) {
        return { attached: false, refusal: known(error) }
      } finally {
        greetings.delete(waiting)
      }
      try {
        return await take(greeting, options)
      } catch (error) {
        const why = known(error)
        greeting.line.refuse(why.code, why.message)
        return { attached: false, refusal: why }
      }
    },
  }
}

function isProven(transport: Worker['transport']): transport is ProvenTransport {
  return isDialIn(transport) && 'proof' in transport
}

/** Throws when a worker says that it serves less than it is registered for. */
function assertSuited({ facts }: Worker, hello: HelloFrame): void {
  const lacking = lackingOf(facts, hello)
  if (lacking.length === 0) return
  throw refusal(
    'unsuited_worker',
    `The worker ${facts.id} is registered for more than it says it does: ${lacking.join(', ')}. Change what it serves, or how it is registered.`,
  )
}

function unknownWorker(id: string): FleetError {
  return refusal('unknown_worker', `No worker ${id} that dials in is registered. Register it with \`transport: dialIn({ … })\`.`)
}

function refusal(code: FleetErrorCode, message: string): FleetError {
  return new FleetError(code, message)
}

/** Codes of what is refused here. */
const told: ReadonlySet<FleetErrorCode> = new Set<FleetErrorCode>([
  'invalid_message',
  'unauthenticated',
  'unknown_worker',
  'unsuited_worker',
  'fleet_closed',
])

/** What the application threw may say anything: the worker, who has not proved who it is, is told nothing of it. */
function known(error: unknown): FleetError {
  if (FleetError.is(error) && told.has(error.code)) return error
  return new FleetError('unauthenticated', 'The worker could not be judged: what the application registered for that failed.', {
    cause: error,
  })
}
