import type { FleetAlertChannel, FleetAlertEventClass } from '../protocol/alert.ts'
import type { FleetEffectivePermissions } from '../protocol/receipt.ts'
import type { Json } from '../protocol/json.ts'
import type { FleetRunStatus } from '../protocol/run.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import type { FleetWorkerEventPayload } from '../protocol/event.ts'
import type { RouteReport } from '../protocol/route.ts'
import type { Confinement, ProcessRecord } from '../protocol/wire.ts'
import type { TaskStatus } from '../lifecycles/lease.ts'
import type { RunContext } from '../lifecycles/run.ts'
import type { OverBudget } from './budget.ts'
import type { AlertChange } from './alert-record.ts'
import type { ReceiptRecord } from './receipt-record.ts'
import { wholeSpec } from './spec-record.ts'
import type { SpecRecord } from './spec-record.ts'
import type { RunHeader } from './run-header.ts'

/** The fields of a task that entries change. `null` is "none". Instants are epoch milliseconds. */
export interface TaskFields {
  readonly status: TaskStatus
  readonly attempt: number
  readonly failures: number
  readonly crashes: number
  /** Worker of the last lease, with the incarnation that took it. */
  readonly worker: string | null
  readonly incarnation: string | null
  /** Worker that failed last; a retry prefers another (RE4). */
  readonly failedOn: string | null
  readonly enqueuedAt: number
  readonly leasedAt: number | null
  readonly endedAt: number | null
  /** When the attempt times out, and how long that was from its start (LE5, LE7). */
  readonly timeoutAt: number | null
  readonly timeoutMs: number | null
  /** When a waiting task may be leased, and how long that was from when it was said (LE5, RE2). */
  readonly notBefore: number | null
  readonly notBeforeMs: number | null
  /** Attempts that came after a failure or a restart. */
  readonly restarts: number
  /** The last lease was given back, so the next attempt is no restart (LE8, LE9). */
  readonly released: boolean
  /** Between a stale lease and the next report of an attempt (RU7). */
  readonly stale: boolean
  readonly process: ProcessRecord | null
  /** What the live lease is held to (SE1); null: nothing, as at the level `local`. */
  readonly permissions: FleetEffectivePermissions | null
  /** What the worker of the live attempt reported of the route to its model. */
  readonly route: RouteReport | null
  readonly inputTokens: number
  readonly outputTokens: number
  readonly toolCalls: number
  /** How long the leases that have ended were held together (BU1). */
  readonly spentMs: number
  /** The number of the last message of an attempt that was kept, for workers that say again what they do not know to be heard (HO7). */
  readonly heard: { readonly attempt: number; readonly seq: number } | null
  /** What the work returned, while its verdict is awaited. */
  readonly pending: PendingResult | null
  /** The limit that the live attempt crossed; its worker was asked to hand back what it has (BU2). */
  readonly overBudget: OverBudget | null
  /** Why the task was cancelled: the dependency that ended, or who asked. */
  readonly cause: string | null
  /** Its scorer could not say, so a person is asked (VE4, VE5). */
  readonly undecided: boolean
  /** A person settled the partial verdict (VE5). */
  readonly settled: boolean
  /** An alert of it was delivered (RU7). */
  readonly escalated: boolean
}

/** Changed fields of a task, in the making. */
export type Changes = { -readonly [Field in keyof TaskFields]?: TaskFields[Field] }

/** What the work returned. */
export interface PendingResult {
  readonly output: Json
  readonly exitCode: number | null
  /** What the attempt was held to: its scorer is held to the same (VE3). Left out for nothing. */
  readonly confined?: Confinement
  /** Absolute path of what its scorer reads, where the work was done elsewhere (VE2). Left out: the task's root. */
  readonly evidenceRoot?: string
}

/** The fields of a run that entries change. */
export interface RunFields extends RunContext {
  readonly status: FleetRunStatus
  readonly updatedAt: number
  readonly completedAt: number | null
  readonly opened: boolean
  readonly sealed: boolean
  /** The limit of the run's own budget that was crossed (BU3). */
  readonly overBudget: OverBudget | null
}

/** A task as it enters a run. One that is enqueued at once has its first event with it: the fleet's `queued`. */
export interface NewTask {
  /** Left out in stores of format 1, whose specs are whole: see `addedId`. */
  readonly id?: string
  /** Without what is empty: `addedSpec` gives it whole. */
  readonly spec: SpecRecord
  readonly set: Partial<TaskFields>
}

/** What must be done outside once the entry is durable. Its key is `run:sequence:n`; its input is read from the state (CO5). */
export type EffectKind = 'worker.start' | 'worker.stop' | 'worker.hand_back' | 'scorer.run' | 'alert.send'

/** What kind of thing happened. Folding does not look at it; projections and people do. */
export type EntryKind =
  | 'run.created'
  | 'tasks.added'
  | 'run.opened'
  | 'run.stepped'
  | 'run.sealed'
  | 'run.over_budget'
  | 'task.stepped'
  | 'task.reported'
  | 'task.settled'
  | 'task.over_budget'
  | 'alert.ordered'
  | 'alert.tried'
  | 'alert.sent'
  | 'alert.given_up'
  | 'worker.registered'
  | 'worker.drained'
  | 'worker.retired'

/** What happened, durable. It carries the changed fields of the records that it names (CO4). */
export interface Entry {
  readonly seq: number
  /** Epoch milliseconds. */
  readonly at: number
  readonly kind: EntryKind
  readonly created?: RunHeader
  /** How many tasks the creation holds. */
  readonly taskCount?: number
  readonly run?: Partial<RunFields>
  readonly tasks?: readonly NewTask[]
  readonly task?: string
  /** The attempt that the entry speaks of. */
  readonly attempt?: number
  readonly set?: Partial<TaskFields>
  /** Who reported the events, and the sequence of the first of them in (worker, run, task) (EV1). */
  readonly worker?: string
  readonly workerSeq?: number
  readonly events?: readonly FleetWorkerEventPayload[]
  readonly receipt?: ReceiptRecord
  readonly effects?: readonly EffectKind[]
  /** What a person may want to be told of (AL1). */
  readonly raised?: readonly FleetAlertEventClass[]
  /** What becomes of the task's alerts (AL2). */
  readonly alerts?: readonly AlertChange[]
  /** An alert was delivered, or given up. */
  readonly delivery?: AlertDelivery
  /** The worker's durable facts, in the stream of the fleet's own. */
  readonly record?: WorkerRecord
  /** Id of the posted command that caused it, so that it counts once (ST10). */
  readonly posted?: string
}

/** The end of an alert's way through its channel. */
export interface AlertDelivery {
  readonly id: string
  readonly class: FleetAlertEventClass
  readonly channel: FleetAlertChannel['kind']
  readonly action: 'trigger' | 'resolve'
  readonly sent: boolean
  /** Why it was given up, after how many tries. */
  readonly reason?: string
  readonly tries?: number
}

/** What stays of a worker between fleets (WO1). */
export interface WorkerRecord {
  readonly id: string
  readonly incarnation: string
  readonly draining: boolean
  readonly retired: boolean
  /** It comes by itself: what it had when a fleet died may still be at work, whether the next one has heard of it or not (LE6). */
  readonly dialsIn?: true
}

/** An entry before it has a place in its run's order. */
export type Draft = Omit<Entry, 'seq' | 'at'> & { readonly on: string }

/** What a command decides: entries one after the other, each applied before the next is asked for, and at the end an answer. */
export type Decision<Answer = void> = Generator<Draft, Answer, void>

/** The entry that a draft becomes at its place in the order of its run. All have one shape: whoever reads their fields finds them at once. */
export function entryOf(draft: Draft, seq: number, at: number): { readonly [Field in keyof Required<Entry>]: Entry[Field] } {
  return {
    seq,
    at,
    kind: draft.kind,
    created: draft.created,
    taskCount: draft.taskCount,
    run: draft.run,
    tasks: draft.tasks,
    task: draft.task,
    attempt: draft.attempt,
    set: draft.set,
    worker: draft.worker,
    workerSeq: draft.workerSeq,
    events: draft.events,
    receipt: draft.receipt,
    effects: draft.effects,
    raised: draft.raised,
    alerts: draft.alerts,
    delivery: draft.delivery,
    record: draft.record,
    posted: draft.posted,
  }
}

/** Decides nothing. */
export function* nothing(): Decision {}

/** Decides a single entry. */
export function* just(draft: Draft): Decision {
  yield draft
}

/** The id of a task that an entry adds. */
export function addedId({ id, spec }: NewTask): string {
  return id ?? spec.id ?? ''
}

/** The whole spec of a task that an entry adds, as it was given (WI1). */
export function addedSpec(added: NewTask): FleetTaskSpec {
  return wholeSpec(addedId(added), added.spec)
}

/** Whether a new task's `queued` is said with the entry that adds it. */
export function isEnqueuedAtOnce({ set }: NewTask): boolean {
  return set.status === 'enqueued'
}
