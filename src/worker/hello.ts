import { type HelloFrame, type KnownAttempt, workerProtocolVersion } from '../protocol/worker-protocol.ts'

/** Who a worker is. */
export interface RuntimeIdentity {
  /** A worker that the fleet started need not say it. */
  readonly workerId?: string
  /** Changes at each start, and not when it reconnects (WO1). */
  readonly incarnation?: string
  /** Proves who it is, where the connection does not (SE7). */
  readonly token?: string
  /** What it can do; a task that asks for more goes elsewhere (SC3). */
  readonly capabilities?: readonly string[]
}

/** The first frame of a connection. */
export function helloOf(
  worker: RuntimeIdentity & {
    readonly handlers: readonly { readonly name: string }[]
    readonly plain: unknown
    readonly resumes: boolean
  },
  attempts: readonly KnownAttempt[],
): HelloFrame {
  const { workerId, incarnation, token, capabilities, handlers, plain, resumes } = worker
  return {
    type: 'hello',
    protocol: workerProtocolVersion,
    ...(workerId !== undefined && { worker_id: workerId }),
    ...(incarnation !== undefined && { incarnation }),
    ...(token !== undefined && { token }),
    handlers: handlers.map(({ name }) => name),
    plain: plain !== undefined,
    ...(capabilities !== undefined && { capabilities }),
    ...(resumes && { resumes }),
    attempts,
  }
}
