import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { FleetAlertEventClass } from '../protocol/alert.ts'
import type { FleetWorkerEventPayload } from '../protocol/event.ts'
import type { FleetReceipt, FleetTaskFailureKind } from '../protocol/receipt.ts'
import { overBudgetOf } from './budget.ts'
import type { OverBudget } from './budget.ts'
import type { LeaseEvent } from '../lifecycles/lease.ts'
import { leaseStep, reported } from './decide.ts'
import type { DecideContext } from './decide.ts'
import type { Decision, EffectKind } from './entry.ts'
import { instant, moment } from './instant.ts'
import { receiptOf, spentMs } from './receipt.ts'
import { decideRetry } from './retry.ts'
import type { FailureCause } from './retry.ts'
import { cleared, lastSeqOf } from './state.ts'
import type { RunState, TaskState } from './state.ts'
import { afterTaskEnded, cancelHopeless } from './task-ended.ts'

/** An attempt that failed. */
export interface Failure {
  readonly cause: FailureCause
  readonly reason: string
  /** Another attempt cannot help (RE3). */
  readonly final: boolean
  /** The log and whatever else came with the end. */
  readonly artifacts?: readonly FleetArtifactRef[]
  /** When something was last heard, for a stale lease. */
  readonly lastHeartbeatAt?: number
  /** What a scorer found, when it was a scorer that said no. */
  readonly verdict?: { readonly score: FleetReceipt['score']; readonly evidence: string }
  /** The worker still runs it and must be told to stop. */
  readonly stillRunning: boolean
  /** When it was last known to work, where that is not now: a crash is noticed by the next fleet. */
  readonly until?: number
}

/** How many releases in a row by a crash of the fleet make a failure (LE8). */
const crashesThatFail = 3

const receiptResults: Record<FailureCause, FleetReceipt['result']> = {
  transport: 'fail',
  task: 'fail',
  verifier: 'fail',
  timeout: 'timeout',
  stale: 'fail',
}

const failureKinds: Record<FailureCause, FleetTaskFailureKind> = {
  transport: 'transport',
  task: 'task',
  verifier: 'verifier',
  timeout: 'task',
  stale: 'transport',
}

/** Ends the live attempt as failed: receipt, then a retry or the end of the task (RE, VE6). */
export function* failAttempt(context: DecideContext, run: RunState, task: TaskState, what: Failure): Decision {
  const { now } = context
  const over = overBudgetOf(run, task, what.until ?? now)
  const failure = over === undefined ? what : ofBudget(what, over)
  const failures = task.failures + 1
  const jitter = context.defaults.jitter ? context.draw() : undefined
  const decision = decideRetry(task.spec.retry_policy, failure, failures, jitter)
  const next = waitingStep(task, { type: 'fail', retry: decision.retry, delayed: decision.delayMs > 0 })
  const ending = [...artifactEvents(failure.artifacts), ...failureEvents(failure, decision.retry, failures)]
  const events: FleetWorkerEventPayload[] = next.status === 'enqueued' ? [...ending, { state: 'queued' }] : ending
  const said = reported(task, task.worker, events)
  const effects: EffectKind[] = failure.stillRunning ? ['worker.stop'] : []
  const raised: FleetAlertEventClass[] = []
  if (failure.cause === 'stale') raised.push('stale')
  if (failure.cause === 'verifier') raised.push('verifier_failed')
  if (decision.exhausted) raised.push('restart_exhausted')
  // Where the worker was asked to hand back, it was raised then.
  if (over !== undefined && task.overBudget === null && run.overBudget === null) raised.push('budget_exceeded')
  yield {
    on: run.header.id,
    kind: 'task.stepped',
    task: task.id,
    attempt: task.attempt,
    set: {
      ...next,
      failedOn: task.worker,
      spentMs: spentMs(task, failure.until ?? now),
      ...cleared(task, 'timeoutAt', 'timeoutMs', 'pending', 'process', 'overBudget', 'permissions', 'route'),
      ...(task.released && { released: false }),
      ...(failure.cause === 'stale' && { stale: true }),
      ...(decision.retry
        ? { enqueuedAt: now, ...moment(now, decision.delayMs) }
        : { endedAt: now, ...cleared(task, 'notBefore', 'notBeforeMs') }),
    },
    ...said,
    receipt: receiptOf(task, {
      reported: said,
      result: receiptResults[failure.cause],
      failureKind: failureKinds[failure.cause],
      at: now,
      until: failure.until,
      terminalSeq: lastSeqOf(task, task.worker) + ending.length,
      score: failure.verdict?.score,
      evidence: failure.verdict?.evidence ?? failure.reason,
      artifacts: failure.artifacts,
    }),
    ...(effects.length > 0 && { effects }),
    ...(raised.length > 0 && { raised }),
  }
  if (!decision.retry) yield* afterTaskEnded(context, run, task)
  else yield* cancelHopeless(context, run, task)
}

/** Gives the live lease back without a verdict: no receipt, no failure counted (LE8). */
export function* releaseAttempt(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  release: { readonly reason: string; readonly crash: boolean; readonly stillRunning: boolean; readonly until?: number },
): Decision {
  if (release.crash && task.crashes + 1 >= crashesThatFail) {
    yield* failAttempt(context, run, task, {
      cause: 'transport',
      reason: `The fleet crashed ${crashesThatFail} times in a row while this task was running.`,
      final: false,
      stillRunning: false,
      until: release.until,
    })
    return
  }
  if (overBudgetOf(run, task, release.until ?? context.now) !== undefined) {
    const { reason, stillRunning, until } = release
    yield* failAttempt(context, run, task, { cause: 'task', reason, final: true, stillRunning, until })
    return
  }
  const next = waitingStep(task, { type: 'release', crash: release.crash })
  const queued: FleetWorkerEventPayload[] = next.status === 'enqueued' ? [{ state: 'queued' }] : []
  yield {
    on: run.header.id,
    kind: 'task.stepped',
    task: task.id,
    attempt: task.attempt,
    set: {
      ...next,
      enqueuedAt: task.enqueuedAt,
      spentMs: spentMs(task, release.until ?? context.now),
      ...cleared(task, 'timeoutAt', 'timeoutMs', 'process', 'permissions', 'route'),
      released: true,
    },
    ...reported(task, task.worker, [{ state: 'interrupted', signal: release.reason }, ...queued]),
    ...(release.stillRunning && { effects: ['worker.stop'] }),
  }
  yield* cancelHopeless(context, run, task)
}

/** The step that ends an attempt. A dependency that was restarted meanwhile is waited for like any other (SC5). */
function waitingStep(task: TaskState, event: LeaseEvent): ReturnType<typeof leaseStep> {
  const next = leaseStep(task, event)
  const waits = next.status === 'enqueued' || next.status === 'backoff'
  return waits && task.openDependencies > 0 ? leaseStep(task, event, { type: 'block' }) : next
}

/** What a spent budget makes of a failure: another attempt cannot help, and the limit and the spend are told first (BU2, RE3). */
function ofBudget(failure: Failure, over: OverBudget): Failure {
  return {
    ...failure,
    cause: over.limit === 'max_seconds' ? 'timeout' : 'task',
    reason: `${over.reason} ${failure.reason}`,
    final: true,
    ...(failure.verdict !== undefined && {
      verdict: { ...failure.verdict, evidence: `${over.reason} ${failure.verdict.evidence}` },
    }),
  }
}

export function artifactEvents(artifacts: readonly FleetArtifactRef[] | undefined): FleetWorkerEventPayload[] {
  return (artifacts ?? []).map((artifact) => ({ state: 'artifact', ...artifact }))
}

function failureEvents(failure: Failure, retried: boolean, failures: number): FleetWorkerEventPayload[] {
  if (failure.cause !== 'stale') return [{ state: 'failed', reason: failure.reason, recoverable: !failure.final }]
  const stale: FleetWorkerEventPayload = {
    state: 'stale',
    ...(failure.lastHeartbeatAt !== undefined && { last_heartbeat_at: instant(failure.lastHeartbeatAt) }),
  }
  return retried
    ? [stale]
    : [stale, { state: 'failed', reason: `retry attempts exhausted after ${failures} attempt(s)`, recoverable: false }]
}
