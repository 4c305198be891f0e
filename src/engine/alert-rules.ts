import type { FleetAlertEventClass, FleetAlertPolicy } from '../protocol/alert.ts'
import { covers } from './alert-policies.ts'
import type { AlertChange, AlertRecord } from './alert-record.ts'
import { moment } from './instant.ts'
import { isLeased } from './state.ts'
import type { RunState, TaskState } from './state.ts'

/** How alerts of a class behave: which thresholds hold them back (AL1), and how long their cause lasts (AL3). */
interface ClassRule {
  /** `after_attempts` holds it back: it tells of an attempt that went wrong. */
  readonly afterAttempts: boolean
  /** `after_minutes_stale` holds it back. */
  readonly afterMinutesStale: boolean
  /** Whether what it was raised for still stands. */
  lasts(alert: Pick<AlertRecord, 'attempt'>, task: TaskState, run: RunState): boolean
}

const rules: { readonly [Class in FleetAlertEventClass]: ClassRule } = {
  // Until an attempt reports again, or the task is restarted (RU7).
  stale: { afterAttempts: true, afterMinutesStale: true, lasts: (_, task) => task.stale && !isOver(task) },
  restart_exhausted: { afterAttempts: true, afterMinutesStale: false, lasts: (_, task) => task.status === 'failed' },
  // Until a person settled the verdict, or the work is done anew.
  needs_human: {
    afterAttempts: false,
    afterMinutesStale: false,
    lasts: (_, task) => task.status === 'completed' && task.result === 'partial' && !task.settled,
  },
  budget_exceeded: {
    afterAttempts: true,
    afterMinutesStale: false,
    // What a run has spent stays spent.
    lasts: ({ attempt }, task, run) =>
      run.overBudget === null
        ? task.attempt === attempt && (isLeased(task.status) || task.status === 'failed')
        : run.status !== 'completed',
  },
  // Until a later attempt's check could be made, or the task is restarted, which forgets its failures.
  verifier_failed: { afterAttempts: true, afterMinutesStale: false, lasts: (_, task) => task.failures > 0 && !isOver(task) },
  run_completed: { afterAttempts: false, afterMinutesStale: false, lasts: (_, _task, run) => run.status === 'completed' },
}

/** Completed or cancelled: nothing of the work is wrong any more. */
function isOver({ status }: TaskState): boolean {
  return status === 'completed' || status === 'cancelled'
}

/** Which thresholds of a policy hold alerts of a class back (AL1). */
export function thresholdsOf(name: FleetAlertEventClass): Pick<ClassRule, 'afterAttempts' | 'afterMinutesStale'> {
  return rules[name]
}

/** Whether the cause of an alert still stands. */
export function lasts(alert: AlertRecord, task: TaskState, run: RunState): boolean {
  return rules[alert.class].lasts(alert, task, run)
}

/** What was raised, and what is known of it. */
export interface Raised {
  readonly class: FleetAlertEventClass
  readonly attempt: number
  readonly worker: string | null
  readonly reason: string | null
  /** Only these channels of the policy; undefined for all. */
  readonly channels?: readonly number[]
}

/** What an alert's next step depends on besides its task. */
export interface AlertMoment {
  /** Epoch milliseconds. */
  readonly now: number
  /** Whether a channel of the policy wants to be told of the end of a cause. */
  readonly resolves: (channel: number) => boolean
  /** Makes the id of the nth new alert. */
  readonly newId: (n: number) => string
}

/** As good as never, and the moment can still be written. */
const longestHoldMs = 100 * 366 * 24 * 60 * 60 * 1000

/** What becomes of a task's alerts now that its state is what it is, and that this was raised (AL1–AL3). Pure. */
export function nextAlerts(run: RunState, task: TaskState, raised: readonly Raised[], at: AlertMoment): readonly AlertChange[] {
  const { policy } = task
  if (policy === null) return []
  const standing = task.alerts.flatMap((alert) => standingChange(alert, run, task, policy, at))
  const gone = new Set(standing.flatMap(({ id, set }) => (set === null ? [id] : [])))
  const before = task.alerts.filter(({ id }) => !gone.has(id))
  return [...standing, ...raisedChanges(before, task, policy, raised, at)]
}

/** The step of an alert that nobody raised anew. */
function standingChange(
  alert: AlertRecord,
  run: RunState,
  task: TaskState,
  policy: FleetAlertPolicy,
  { resolves }: AlertMoment,
): readonly AlertChange[] {
  const { id, status, action } = alert
  // What is owed is delivered, whatever became of its cause.
  if (status === 'owed') return []
  if (lasts(alert, task, run)) {
    if (status !== 'held' || alert.notBefore !== null || isHeldByAttempts(alert.class, task, policy)) return []
    return [{ id, set: { status: 'owed', notBefore: null, notBeforeMs: null } }]
  }
  return [{ id, set: status !== 'held' && action === 'trigger' && resolves(alert.channel) ? resolution : null }]
}

/** What makes a delivered alert one that is to be resolved. */
export const resolution = {
  status: 'owed',
  action: 'resolve',
  tries: 0,
  error: null,
  notBefore: null,
  notBeforeMs: null,
} as const

/** The step of an alert whose moment has come: where attempts hold it back too, it goes on waiting for those. */
export function afterWait(alert: AlertRecord, task: TaskState): Partial<AlertRecord> {
  const isHeld = task.policy !== null && isHeldByAttempts(alert.class, task, task.policy)
  return { ...(!isHeld && { status: 'owed' }), notBefore: null, notBeforeMs: null }
}

function isHeldByAttempts(name: FleetAlertEventClass, task: TaskState, { after_attempts = 0 }: FleetAlertPolicy): boolean {
  return rules[name].afterAttempts && task.failures < after_attempts
}

function raisedChanges(
  before: readonly AlertRecord[],
  task: TaskState,
  policy: FleetAlertPolicy,
  raised: readonly Raised[],
  at: AlertMoment,
): readonly AlertChange[] {
  const changes: AlertChange[] = []
  let made = 0
  for (const one of raised.filter((candidate) => covers(policy, candidate.class))) {
    for (const channel of one.channels ?? policy.channels.keys()) {
      const same = before.filter((alert) => alert.class === one.class && alert.channel === channel)
      // One alert per (run, task, attempt, class, channel).
      if (same.some(({ attempt }) => attempt === one.attempt)) continue
      // A later attempt's alert speaks for the same incident; what is owed of an earlier one is delivered all the same.
      const older = same.filter(({ status }) => status !== 'owed')
      changes.push(...older.map(({ id }): AlertChange => ({ id, set: null })))
      const record = newAlert(at.newId(made), one, channel, task, policy, at.now)
      changes.push({ id: record.id, set: record })
      made += 1
    }
  }
  return changes
}

function newAlert(
  id: string,
  { class: name, attempt, worker, reason }: Raised,
  channel: number,
  task: TaskState,
  policy: FleetAlertPolicy,
  now: number,
): AlertRecord {
  // A task is stale once until an attempt of it reports again, so this runs from its first stale lease (AL1).
  const minutes = rules[name].afterMinutesStale ? (policy.after_minutes_stale ?? 0) : 0
  const waitMs = Math.min(minutes * 60_000, longestHoldMs)
  const isHeldBack = waitMs > 0 || isHeldByAttempts(name, task, policy)
  return {
    id,
    class: name,
    attempt,
    channel,
    status: isHeldBack ? 'held' : 'owed',
    action: 'trigger',
    worker,
    reason,
    raisedAt: now,
    tries: 0,
    error: null,
    ...moment(now, waitMs),
  }
}
