import type { Enforcement, WorkerLaunch } from '../../ports/transport.ts'
import type { WorkerConnection } from '../../ports/worker-connection.ts'
import type { Confinement, ProcessRecord } from '../../protocol/wire.ts'

/** A worker program that was started: it serves one attempt at a time. */
export interface StartedWorker {
  readonly connection: WorkerConnection
  /** Recorded with its attempts, so that a later fleet can end what is left of it (LE6). */
  readonly process?: ProcessRecord
  /** Asks it to end, and kills it with all that it started after the grace (HO3). Resolves, never rejects, when nothing of it is left. */
  stop(graceMs: number): Promise<void>
}

/** What a start is for. */
export interface LaunchOrder {
  readonly launch: WorkerLaunch
  /** What it must be kept to; undefined for nothing (SE2). One program serves only attempts that are confined alike. */
  readonly confined: Confinement | undefined
  /** Takes what it writes besides the protocol, in pieces of any length; bounded by whoever reads. */
  readonly log: (text: string) => void
  /** Aborts when the start is no longer wanted. */
  readonly signal: AbortSignal
}

/** A way to start worker programs: child processes, threads, ssh, containers. It only builds and starts; the pool does the rest (HO2). */
export interface WorkerLauncher {
  /** `child-process`, `worker-thread`, `ssh`, `docker`. */
  readonly kind: string
  readonly enforces: Enforcement
  /** Its workers see the files of the fleet under the same paths. */
  readonly sharesFiles: boolean
  /** A program may be started before its attempt is there: it costs this machine alone. Default false. */
  readonly startsAhead?: boolean
  /** Rejects with the reason when it cannot be started. */
  start(order: LaunchOrder): Promise<StartedWorker>
  /** Ends what an earlier fleet of the store left behind. */
  reap?(options: { readonly storeId: string; readonly recorded: readonly ProcessRecord[] }): Promise<void>
}
