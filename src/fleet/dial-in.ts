import type { Transport } from '../ports/transport.ts'
import { FleetError } from '../protocol/errors.ts'
import { systemClock } from '../host/clock.ts'
import { diskFiles } from '../host/files.ts'
import { dialInTransport } from '../transports/session/dial-in.ts'
import type { DialInTransport } from '../transports/session/dial-in.ts'
import { proofProblems } from './worker-proof.ts'
import type { WorkerProof } from './worker-proof.ts'

/** What a worker that dials in is registered for, and how it proves who it is. */
export interface DialInOptions extends WorkerProof {
  /** The handlers that it serves. Its `hello` must name all of them, or none when it takes whatever it is given. */
  readonly handlers?: readonly string[]
  /** True: it does tasks that name neither a handler nor a command. Default false. */
  readonly plain?: boolean
}

/** A worker that dials in, with its proof. */
export interface ProvenTransport extends DialInTransport {
  readonly proof: WorkerProof
}

/**
 * A worker that is elsewhere and comes by itself: `workers: [{ id: 'builder', transport: dialIn({ handlers: ['build'], token }) }]`. The
 * application brings its connections with `fleet.attach`, or serves `createWorkerHandler` of `flotilla/http` (HO2). Until it has come, its
 * tasks wait. It keeps working while its connection is lost, for as long as a lease lasts (HO7). Throws `invalid_option`.
 */
export function dialIn(options: DialInOptions): Transport {
  return provenTransport(options)
}

/** The same, with the proof at hand. Throws `invalid_option`. */
export function provenTransport(options: DialInOptions): ProvenTransport {
  const { handlers = [], plain = false, ...proof } = options
  const problems = proofProblems(proof)
  if (!Array.isArray(handlers) || handlers.some((name) => typeof name !== 'string' || name === '')) {
    problems.push('handlers: expected a list of names')
  }
  if (handlers.length === 0 && !plain) problems.push('it serves nothing: name its handlers, or say plain: true')
  if (problems.length > 0) {
    throw new FleetError('invalid_option', `A worker cannot dial in like this:\n${problems.join('\n')}`, {
      details: { problems },
    })
  }
  return {
    ...dialInTransport({
      ...{ clock: systemClock(), files: diskFiles() },
      serves: { handlers: [...handlers], plain, commands: false },
      verifiesIdentity: proof.unverified !== true,
    }),
    proof,
  }
}
