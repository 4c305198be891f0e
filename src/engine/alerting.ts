import type { FleetAlertEventClass } from '../protocol/alert.ts'
import { redactShapes } from '../security/redact.ts'
import { covers } from './alert-policies.ts'
import type { AlertChange, AlertRecord } from './alert-record.ts'
import { afterWait, lasts, nextAlerts, resolution } from './alert-rules.ts'
import type { Raised } from './alert-rules.ts'
import { channelKind } from './channel-kind.ts'
import { reported } from './decide.ts'
import type { DecideContext } from './decide.ts'
import type { Decision, Entry } from './entry.ts'
import { moment } from './instant.ts'
import { backoffMs } from './retry.ts'
import type { RunState, TaskState } from './state.ts'

/**
 * What follows from an entry for the alerts of its task, or of its run: new ones are ordered or held back, causes end (AL1). Whoever
 * raises something need not know of it; the entries are stored together.
 */
export function* alertsAfter(context: DecideContext, run: RunState, entry: Entry): Decision {
  if (entry.alerts !== undefined) return
  if (entry.task !== undefined) {
    const task = run.tasks.get(entry.task)
    if (task !== undefined) yield* change(context, run, task, raisedBy(entry, entry.raised ?? [], task))
  } else if (entry.run?.status !== undefined || entry.raised !== undefined) {
    const asking = new Map((entry.raised ?? []).flatMap((name) => carriers(run, name, entry)))
    for (const task of run.tasks.values())
      if (task.alerts.length > 0 || asking.has(task)) yield* change(context, run, task, asking.get(task) ?? [])
  }
}

/** A moment that held an alert back has come; where another threshold holds it back too, it goes on waiting for that. */
export function* heldLongEnough(context: DecideContext, run: RunState, task: TaskState, alert: AlertRecord): Decision {
  const set = lasts(alert, task, run) ? afterWait(alert, task) : null
  yield {
    on: run.header.id,
    kind: 'alert.ordered',
    run: { updatedAt: context.now },
    task: task.id,
    ...attemptOf(alert),
    alerts: [{ id: alert.id, set }],
    ...(set?.status === 'owed' && { effects: ['alert.send'] }),
  }
}

/** The channel took it. */
export function* alertDelivered(context: DecideContext, run: RunState, task: TaskState, alert: AlertRecord): Decision {
  const kind = channelKind(task, alert.channel)
  const isTrigger = alert.action === 'trigger'
  const isOver = !lasts(alert, task, run)
  const { resolves } = context.alertSinks[kind]
  const kept: AlertChange['set'] = { status: 'sent', tries: 0, error: null, notBefore: null, notBeforeMs: null }
  const set = !isTrigger || (isOver && !resolves) ? null : isOver ? resolution : kept
  yield {
    on: run.header.id,
    kind: 'alert.sent',
    // The row of the run follows: it tells whether anything is unsettled.
    run: { updatedAt: context.now },
    task: task.id,
    ...attemptOf(alert),
    ...(isTrigger && {
      set: task.escalated ? {} : { escalated: true },
      ...reported(task, null, [{ state: 'escalated', channel: kind, alert_id: alert.id }]),
    }),
    alerts: [{ id: alert.id, set }],
    delivery: { id: alert.id, class: alert.class, channel: kind, action: alert.action, sent: true },
    ...(set === resolution && { effects: ['alert.send'] }),
  }
}

/** A delivery failed: it is tried again after a growing wait, or given up, which is told (AL2, RE2). */
export function* alertFailed(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  alert: AlertRecord,
  failure: { readonly reason: string; readonly final?: boolean; readonly retryAfterMs?: number },
): Decision {
  const { alertTries, alertBackoffMs, jitter } = context.defaults
  const tries = alert.tries + 1
  const reason = oneLine(failure.reason)
  const about = { on: run.header.id, run: { updatedAt: context.now }, task: task.id, ...attemptOf(alert) } as const
  if (failure.final === true || tries >= alertTries) {
    const kind = channelKind(task, alert.channel)
    // It stays to be seen until its cause has ended.
    const set: AlertChange['set'] = lasts(alert, task, run)
      ? { ...settledFields, status: 'given_up', tries, error: reason }
      : null
    yield {
      ...about,
      kind: 'alert.given_up',
      alerts: [{ id: alert.id, set }],
      delivery: { id: alert.id, class: alert.class, channel: kind, action: alert.action, sent: false, reason, tries },
    }
    return
  }
  const backoff = { initial_backoff_seconds: alertBackoffMs.first / 1000, max_backoff_seconds: alertBackoffMs.most / 1000 }
  const full = backoffMs({ ...backoff, backoff_multiplier: 2 }, tries)
  const waitMs = Math.max(
    jitter ? Math.round(full * (1 - context.draw() / 2)) : full,
    Math.min(failure.retryAfterMs ?? 0, alertBackoffMs.most),
  )
  yield {
    ...about,
    kind: 'alert.tried',
    alerts: [{ id: alert.id, set: { tries, error: reason, ...moment(context.now, waitMs) } }],
    effects: ['alert.send'],
  }
}

const settledFields = { notBefore: null, notBeforeMs: null } as const
/** What an alert says of the reason. */
const reasonLimit = 240

function* change(context: DecideContext, run: RunState, task: TaskState, raised: readonly Raised[]): Decision {
  const { header } = run
  if (raised.length === 0 && task.alerts.length === 0) return
  // The entry that orders them is the next of the run.
  const seq = (run.seq + 1).toString(36)
  const changes = nextAlerts(run, task, raised, {
    now: context.now,
    resolves: (channel) => context.alertSinks[channelKind(task, channel)].resolves,
    newId: (n) => `alert_${header.short}_${seq}_${n}`,
  })
  if (changes.length === 0) return
  const waits = changes.some(({ set }) => set?.status === 'owed' || (set?.status === 'held' && set.notBefore != null))
  yield {
    on: header.id,
    kind: 'alert.ordered',
    run: { updatedAt: context.now },
    task: task.id,
    ...(task.attempt > 0 && { attempt: task.attempt }),
    alerts: changes,
    ...(waits && { effects: ['alert.send'] }),
  }
}

function raisedBy(entry: Entry, classes: readonly FleetAlertEventClass[], task: TaskState): readonly Raised[] {
  const worker = entry.worker ?? task.worker
  return classes.map((name) => ({
    class: name,
    attempt: entry.attempt ?? task.attempt,
    worker: worker === 'fleet' ? task.worker : worker,
    reason: reasonOf(entry),
  }))
}

/** What concerns the whole run is told once through each channel that any of its tasks names for it: by the first of them. */
function carriers(run: RunState, name: FleetAlertEventClass, entry: Entry): readonly (readonly [TaskState, readonly Raised[]])[] {
  const told = new Set<string>()
  const found: (readonly [TaskState, readonly Raised[]])[] = []
  for (const task of run.tasks.values()) {
    if (task.policy === null || !covers(task.policy, name)) continue
    const channels = [...task.policy.channels.entries()].flatMap(([index, channel]) => {
      const text = JSON.stringify(channel)
      if (told.has(text)) return []
      told.add(text)
      return [index]
    })
    const { completed, failed, cancelled } = run.counts
    const reason = reasonOf(entry) ?? `${completed} completed, ${failed} failed, ${cancelled} cancelled`
    found.push([task, [{ class: name, attempt: task.attempt, worker: null, reason, channels }]])
  }
  return found
}

/** Why the entry came about, as far as it tells. */
function reasonOf({ receipt, set, run }: Entry): string | null {
  const reason = set?.overBudget?.reason ?? run?.overBudget?.reason ?? receipt?.evidence
  return reason === undefined ? null : oneLine(reason)
}

function attemptOf({ attempt }: AlertRecord): { readonly attempt?: number } {
  return attempt > 0 ? { attempt } : {}
}

/** The first line that says something, bounded, with what looks like a credential covered. */
function oneLine(text: string): string {
  const line = text
    .split('\n')
    .map((part) => part.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ').trim())
    .find((part) => part !== '')
  const covered = redactShapes(line ?? '')
  return covered.length <= reasonLimit ? covered : `${covered.slice(0, reasonLimit - 1)}…`
}
