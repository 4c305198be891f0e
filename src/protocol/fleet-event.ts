import type { FleetAlertChannel, FleetAlertEventClass } from './alert.ts'
import type { FleetWorkerEventPayload } from './event.ts'
import type { FleetTaskFailureKind, FleetTaskResult, FleetReceipt } from './receipt.ts'
import type { FleetRunStatus, FleetWorkflow } from './run.ts'

/** The name of the event that tells of a worker's state. */
export type WorkerEventName<State extends FleetWorkerEventPayload['state']> = `worker.${State}`

type WorkerEvents = {
  [State in FleetWorkerEventPayload['state'] as WorkerEventName<State>]: Omit<
    Extract<FleetWorkerEventPayload, { state: State }>,
    'state'
  >
}

/**
 * What each event tells the host application, by name. The public names are the same with `fleet.` before them. `worker.heartbeat` and
 * the `store.*` events are live only: they have no sequence and are not replayed (EV1).
 */
export interface FleetEventPayloads extends WorkerEvents {
  'run.created': { readonly name: string; readonly tasks: number; readonly workflow?: FleetWorkflow }
  'run.status_changed': { readonly status: FleetRunStatus }
  'run.sealed': Record<string, never>
  'run.stalled': { readonly waiting: readonly string[] }
  'task.enqueued': { readonly attempts: number }
  'task.leased': { readonly lease_expires_at?: string }
  'task.terminal': { readonly status: 'completed' | 'failed' | 'cancelled'; readonly cause?: string }
  'task.receipt_recorded': {
    readonly result: FleetTaskResult
    readonly failure_kind?: FleetTaskFailureKind
    readonly receipt: FleetReceipt
  }
  'alert.raised': { readonly class: FleetAlertEventClass }
  /** `resolve`: the channel was told that the cause has ended. */
  'alert.sent': {
    readonly class: FleetAlertEventClass
    readonly channel: FleetAlertChannel['kind']
    readonly alert_id: string
    readonly action: 'trigger' | 'resolve'
    readonly attempt?: number
  }
  'alert.given_up': {
    readonly class: FleetAlertEventClass
    readonly channel: FleetAlertChannel['kind']
    readonly alert_id: string
    readonly action: 'trigger' | 'resolve'
    readonly reason: string
    readonly tries: number
  }
  'worker.abandoned': { readonly reason: string }
  'store.failing': { readonly reason: string }
  'store.recovered': Record<string, never>
}

/** The name of an event, as `fleet.on` takes it. */
export type FleetEventName = keyof FleetEventPayloads

/** One event of a name: what happened, to what, when. Instants are RFC 3339 UTC. */
export interface FleetEventOf<Name extends FleetEventName> {
  /** Where the event stands in its run; a live-only event carries the cursor of the entry before it (EV1, EV7). */
  readonly cursor: string
  readonly event: Name
  /** Empty for what concerns no run. */
  readonly run_id: string
  readonly task_id?: string
  readonly worker_id?: string
  readonly attempt?: number
  readonly timestamp: string
  /** Sequence in (worker, run, task), for `worker.*` (EV1). */
  readonly worker_seq?: number
  readonly payload: FleetEventPayloads[Name]
}

/** Any event; its `event` tells the shape of its `payload`. */
export type FleetEvent = { [Name in FleetEventName]: FleetEventOf<Name> }[FleetEventName]
