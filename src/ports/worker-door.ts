import type { FleetError } from '../protocol/errors.ts'
import type { WorkerConnection } from './worker-connection.ts'

/** What the application knows of a connection besides what the worker says: the certificate of its peer, an address, a user. */
export type ConnectionFacts = Readonly<Record<string, unknown>>

/** What became of a connection that was brought to a fleet. */
export type AttachOutcome =
  | { readonly attached: true; readonly workerId: string; readonly incarnation: string }
  /** The worker was told why, and the connection is closed. */
  | { readonly attached: false; readonly refusal: FleetError }

/** Where connections of workers come in; a fleet is one (HO2). */
export interface WorkerDoor<Options extends { readonly facts?: ConnectionFacts } = { readonly facts?: ConnectionFacts }> {
  /** Never rejects. */
  attach(connection: WorkerConnection, options?: Options): Promise<AttachOutcome>
}
