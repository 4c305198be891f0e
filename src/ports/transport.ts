import type { CheckRunner } from './check-runner.ts'
import type { FromWorker, ProcessRecord, ToWorker } from '../protocol/wire.ts'

/** What a transport can keep its workers from (SE2). True: it enforces the absence of this when told to. */
export interface Enforcement {
  readonly network: boolean
  readonly fileWrites: boolean
  readonly environment: boolean
  readonly processes: boolean
  /** Why it enforces no more than this, said where a lease is refused for it. */
  readonly because?: string
}

/** Why a channel is gone. */
export interface ChannelEnd {
  readonly reason: string
  /** True when the fleet asked for it. */
  readonly asked: boolean
}

/** A two-way line to one incarnation of one worker. Messages arrive in the order in which they were sent. */
export interface Channel {
  /** Hands a message over. Never throws: a channel that is gone says so through `closed`. */
  send(message: ToWorker): void
  /** What the worker says. Ends when the channel is closed. Read once. */
  readonly messages: AsyncIterable<FromWorker>
  /** Resolves, never rejects, when the channel is gone. */
  readonly closed: Promise<ChannelEnd>
  /** Ends the worker: what it still runs gets `graceMs`, then it is killed or written off. Resolves when nothing of it is left. */
  close(options: { readonly reason: string; readonly graceMs: number }): Promise<void>
}

/** What a transport needs to know to bring up a worker. */
export interface WorkerLaunch {
  readonly workerId: string
  /** The id of the store, so that orphans of this store can be told apart (LE6). */
  readonly storeId: string
  readonly incarnation: string
  readonly slots: number
  /** A lease of which nothing is heard for so long is over (LE3). */
  readonly leaseTtlMs: number
  /** Resolves once everything that was read from the channel so far is durable: only then a worker may forget it (HO7). */
  readonly kept: () => Promise<void>
}

/**
 * A way to reach workers of one kind: in this process, as child processes, on other machines. Pass your own as
 * `createFleet({ workers: [{ id, transport }] })`.
 */
export interface Transport {
  /** Shown in messages and in `explain`: `in-process`, `command`, … */
  readonly kind: string
  readonly enforces: Enforcement
  /** Who keeps leases alive: the worker's own runtime by messages, or the fleet itself (in-process functions, bare commands; LE3). */
  readonly heartbeats: 'worker' | 'fleet'
  /** True when attempts begin in the same moment as they are assigned, so that no `accepted` is awaited. */
  readonly startsAtOnce: boolean
  /** True when workers may outlive the fleet's process and report in again (LE6). */
  readonly survives: boolean
  /** True when workers come by themselves: `open` waits for the next, so nobody waits before it, and a fleet is ready without them. Default false. */
  readonly dialsIn?: boolean
  /** True when its workers have proved who they are before they are taken: by a token, a pinned key, a certificate (SE1, SE7). Default false. */
  readonly verifiesIdentity?: boolean
  /** What tasks these workers serve: tasks that name one of these handlers; tasks with a `metadata.command`; tasks that name neither. */
  readonly serves: { readonly handlers: readonly string[]; readonly commands: boolean; readonly plain: boolean }
  /**
   * Runs the commands of `command` scorers on the host of these workers (VE3). Default: where the workers are on this machine, the fleet runs them;
   * workers elsewhere get no task that has one.
   */
  readonly checks?: CheckRunner
  /** Brings up one incarnation of a worker; its first message is `hello`. Rejects when it cannot be started. */
  open(launch: WorkerLaunch, options: { readonly signal: AbortSignal }): Promise<Channel>
  /** Ends what an earlier fleet of the same store left running, and resolves when it is gone. */
  reap?(options: { readonly storeId: string; readonly recorded: readonly ProcessRecord[] }): Promise<void>
}
