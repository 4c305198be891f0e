import type { FleetAlertChannel, FleetAlertEventClass } from '../protocol/alert.ts'
import type { FleetRunStatus, FleetWorkflow } from '../protocol/run.ts'
import type { FleetTaskResult } from '../protocol/receipt.ts'
import type { FleetWorkerStatus } from '../protocol/worker.ts'
import { copyingJson } from '../protocol/json-copy.ts'
import { FleetRun } from '../protocol/run.ts'
import type { Steps } from '../protocol/steps.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import type { TaskStatus } from '../lifecycles/lease.ts'
import type { AlertRecord, AlertStatus } from './alert-record.ts'
import { channelKind } from './channel-kind.ts'
import { instant } from './instant.ts'
import { awaitsVerdict } from './state.ts'
import type { RunState, TaskState } from './state.ts'

/** The thirteen counters (RU7), and the workers' status by id. Counters but `runs` and `restarted` count tasks. */
export interface FleetSummary {
  readonly runs: number
  readonly queued: number
  readonly running: number
  readonly completed: number
  readonly partial: number
  readonly failed: number
  readonly restarted: number
  readonly escalated: number
  readonly transport_failed: number
  readonly task_failed: number
  readonly verifier_failed: number
  readonly cancelled: number
  readonly stale: number
  readonly workers: Readonly<Record<string, FleetWorkerStatus>>
}

/** The counters without the workers. */
export type SummaryCounters = Omit<FleetSummary, 'workers'>

/** One run's counters. */
export interface RunSummary extends FleetSummary {
  readonly id: string
  readonly name: string
  readonly status: FleetRunStatus
  /** The workflow that the run belongs to. */
  readonly workflow?: FleetWorkflow
}

/** What a task is at, for people and programs that look on. */
export interface TaskView {
  readonly id: string
  readonly name: string
  readonly status: TaskStatus
  readonly attempt: number
  readonly worker?: string
  readonly result?: FleetTaskResult
  readonly depends_on: readonly string[]
  /** RFC 3339. */
  readonly not_before?: string
  readonly leased_at?: string
  readonly ended_at?: string
  readonly cause?: string
  /** A person must say whether it passes (VE4, VE5). */
  readonly awaits_verdict?: true
  /** Alerts whose cause lasts, or that are still to be delivered (AL2). */
  readonly alerts?: readonly AlertView[]
}

/** Where an alert stands. */
export interface AlertView {
  readonly alert_id: string
  readonly class: FleetAlertEventClass
  readonly channel: FleetAlertChannel['kind']
  readonly attempt: number
  /** `held` back by a threshold, `owed` to its channel, `sent`, or `given_up` after its last try. */
  readonly status: AlertStatus
  readonly action: 'trigger' | 'resolve'
  /** Deliveries that failed, why the last one did, and when it is tried again (RFC 3339). */
  readonly tries: number
  readonly error?: string
  readonly not_before?: string
}

export const noTasks: SummaryCounters = {
  runs: 0,
  queued: 0,
  running: 0,
  completed: 0,
  partial: 0,
  failed: 0,
  restarted: 0,
  escalated: 0,
  transport_failed: 0,
  task_failed: 0,
  verifier_failed: 0,
  cancelled: 0,
  stale: 0,
}

export function addCounters(a: SummaryCounters, b: SummaryCounters): SummaryCounters {
  return Object.fromEntries(
    Object.entries(a).map(([key, value]) => [key, value + b[key as keyof SummaryCounters]]),
  ) as unknown as SummaryCounters
}

/** The counters of one run (RU7). */
export function countersOf(run: RunState): SummaryCounters {
  const { counts, tally } = run
  return {
    ...noTasks,
    ...tally,
    runs: 1,
    queued: counts.blocked + counts.backoff + counts.enqueued,
    running: counts.starting + counts.running + counts.verifying,
    completed: counts.completed,
    failed: counts.failed,
    cancelled: counts.cancelled,
  }
}

/** A run's spec as it was seen, but for the specs that have to be read (CO9). */
export interface SeenSpec {
  /** The run without its tasks. */
  readonly run: FleetRun
  readonly tasks: readonly FleetTaskSpec[]
  readonly short: readonly Pick<TaskState, 'id' | 'isShort' | 'addedBy'>[]
}

/**
 * In steps: the run as the wire writes it, sharing nothing with what was seen. `whole` has the specs that were read. Specs are canonical
 * since they were read (WI1).
 */
export function* writingSpec({ run, tasks }: SeenSpec, whole: ReadonlyMap<string, FleetTaskSpec>): Steps<FleetRun> {
  const copy = yield* copyingJson(tasks.map((spec) => whole.get(spec.id) ?? spec))
  return { ...run, task_specs: copy.value as FleetRun['task_specs'] }
}

/** The run with its true instants (RU6), and its tasks beside it. */
export function specOf(run: RunState): SeenSpec {
  const tasks: FleetTaskSpec[] = []
  const short: SeenSpec['short'][number][] = []
  for (const { id, spec, isShort, addedBy } of run.tasks.values()) {
    tasks.push(spec)
    if (isShort) short.push({ id, isShort, addedBy })
  }
  return { run: wireRun(run), tasks, short }
}

function wireRun({ header, ...run }: RunState): FleetRun {
  return FleetRun.parse({
    ...header.extra,
    id: header.id,
    name: header.name,
    status: run.status,
    target: header.target,
    workflow: header.workflow,
    roles: header.roles,
    max_workers: header.max_workers,
    worker_defaults: header.worker_defaults,
    budget: header.budget,
    open: header.open ? true : undefined,
    task_specs: [],
    worker_specs: header.worker_specs,
    labels: header.labels,
    security_policy: header.security_policy,
    created_at: instant(header.createdAt),
    updated_at: instant(run.updatedAt),
    completed_at: run.completedAt === null ? undefined : instant(run.completedAt),
  })
}

export function taskView(task: TaskState): TaskView {
  return {
    id: task.id,
    name: task.spec.name,
    status: task.status,
    attempt: task.attempt,
    ...(task.worker !== null && { worker: task.worker }),
    ...(task.result !== null && { result: task.result }),
    depends_on: [...(task.spec.depends_on ?? [])],
    ...(task.notBefore !== null && { not_before: instant(task.notBefore) }),
    ...(task.leasedAt !== null && { leased_at: instant(task.leasedAt) }),
    ...(task.endedAt !== null && { ended_at: instant(task.endedAt) }),
    ...(task.cause !== null && { cause: task.cause }),
    ...(awaitsVerdict(task) && { awaits_verdict: true }),
    ...(task.alerts.length > 0 && { alerts: task.alerts.map((alert) => alertView(task, alert)) }),
  }
}

function alertView(task: TaskState, alert: AlertRecord): AlertView {
  const { id, attempt, status, action, tries, error, notBefore } = alert
  return {
    alert_id: id,
    class: alert.class,
    channel: channelKind(task, alert.channel),
    attempt,
    status,
    action,
    tries,
    ...(error !== null && { error }),
    ...(notBefore !== null && { not_before: instant(notBefore) }),
  }
}
