import type { FleetArtifactRef } from '../../protocol/artifact.ts'
import type { AcceptedMessage, FailedMessage, ProgressMessage, ResultMessage, UsageMessage } from '../../protocol/wire.ts'
import type { FleetWorkerEventPayload } from '../../protocol/event.ts'
import { artifactEvents, failAttempt } from '../attempt-end.ts'
import { keepBudgets } from './budget.ts'
import { leaseStep, reported } from '../decide.ts'
import type { DecideContext } from '../decide.ts'
import type { Changes, Decision } from '../entry.ts'
import { missingArtifacts, receiptOf, spentMs } from '../receipt.ts'
import { attemptTimeoutMs } from '../schedule.ts'
import { scoreOf } from '../score.ts'
import { clear, cleared, lastSeqOf } from '../state.ts'
import type { RunState, TaskState } from '../state.ts'
import type { RouteReport } from '../../protocol/route.ts'
import type { Verdict } from '../../ports/scorer.ts'
import type { Json } from '../../protocol/json.ts'
import { afterTaskEnded } from '../task-ended.ts'

/** The worker has begun: the attempt's time limit runs from now (LE7). */
export function* accept(context: DecideContext, run: RunState, task: TaskState, message: AcceptedMessage): Decision {
  if (task.status !== 'starting') return
  const timeoutMs = attemptTimeoutMs(task, context.defaults)
  yield {
    on: run.header.id,
    kind: 'task.stepped',
    task: task.id,
    attempt: task.attempt,
    set: {
      ...leaseStep(task, { type: 'accept' }),
      timeoutAt: context.now + timeoutMs,
      timeoutMs,
      ...(message.process !== undefined && { process: message.process }),
      ...(task.stale && { stale: false }),
    },
    ...reported(task, task.worker, [{ state: 'running' }]),
  }
}

/** Progress of the live attempt is kept as a worker event. A tool call counts once per `call_id` (BU1). */
export function* progress(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  message: ProgressMessage,
  newCall: boolean,
): Decision {
  yield {
    on: run.header.id,
    kind: 'task.reported',
    task: task.id,
    attempt: task.attempt,
    set: { ...(newCall && { toolCalls: task.toolCalls + 1 }), ...(task.stale && { stale: false }) },
    ...reported(task, task.worker, [message.event]),
  }
  if (newCall) yield* keepBudgets(context, run, task)
}

/** Tokens count whatever attempt spent them (BU3). */
export function* spend(context: DecideContext, run: RunState, task: TaskState, message: UsageMessage): Decision {
  if (message.input_tokens + message.output_tokens === 0) return
  yield {
    on: run.header.id,
    kind: 'task.reported',
    task: task.id,
    attempt: message.attempt,
    set: {
      inputTokens: task.inputTokens + message.input_tokens,
      outputTokens: task.outputTokens + message.output_tokens,
    },
  }
  yield* keepBudgets(context, run, task)
}

/** What the worker of the live attempt knows of the route to its model. The receipt tells it. */
export function* noteRoute(_: DecideContext, run: RunState, task: TaskState, route: RouteReport): Decision {
  yield { on: run.header.id, kind: 'task.reported', task: task.id, attempt: task.attempt, set: { route } }
}

/** An artifact that the fleet collected. After its attempt ended it is still recorded, under that attempt (RU5). */
export function* recordArtifact(
  _: DecideContext,
  run: RunState,
  task: TaskState,
  attempt: number,
  worker: string,
  artifact: FleetArtifactRef,
): Decision {
  yield {
    on: run.header.id,
    kind: 'task.reported',
    task: task.id,
    attempt,
    ...reported(task, worker, artifactEvents([artifact])),
  }
}

/** The work ended by itself. What it says is scored before it counts (VE1). */
export function* finish(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  message: ResultMessage,
  log: FleetArtifactRef | undefined,
): Decision {
  const ending = log === undefined ? [] : [log]
  if (message.exit_code !== undefined && message.exit_code !== 0) {
    yield* failAttempt(context, run, task, {
      cause: 'task',
      reason: `exit code ${message.exit_code}`,
      final: false,
      artifacts: ending,
      stillRunning: false,
    })
    return
  }
  const scored = scoreOf(context.scorers, task, message)
  const events: FleetWorkerEventPayload[] = [
    ...artifactEvents(ending),
    {
      state: 'completed',
      ...(message.exit_code !== undefined && { exit_code: message.exit_code }),
      ...(message.summary !== undefined && { summary: message.summary }),
    },
  ]
  if (scored.effect) {
    const confined = task.worker === null ? undefined : context.termsOf(task, task.worker).confined
    const pending = {
      output: message.output ?? null,
      exitCode: message.exit_code ?? null,
      ...(confined !== undefined && { confined }),
      ...(message.evidence_root !== undefined && { evidenceRoot: message.evidence_root }),
    }
    yield {
      on: run.header.id,
      kind: 'task.stepped',
      task: task.id,
      attempt: task.attempt,
      set: { ...leaseStep(task, { type: 'finish' }), ...cleared(task, 'timeoutAt', 'timeoutMs', 'process'), pending },
      ...reported(task, task.worker, events),
      effects: ['scorer.run'],
    }
    return
  }
  yield* judge(context, run, task, { verdict: scored.verdict, events, output: message.output, artifacts: ending })
}

/** A scorer's verdict on an attempt that waits in `verifying`, with what was kept of its evidence. */
export function* verdictReached(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  verdict: Verdict,
  kept: readonly FleetArtifactRef[],
): Decision {
  const output = task.pending?.output
  yield* judge(context, run, task, { verdict, events: artifactEvents(kept), output, artifacts: kept })
}

interface Judgement {
  readonly verdict: Verdict
  readonly events: readonly FleetWorkerEventPayload[]
  readonly output: Json | undefined
  readonly artifacts: readonly FleetArtifactRef[]
}

/** Turns a verdict into the end of the attempt: receipt and status are one entry and never disagree (VE6). */
function* judge(context: DecideContext, run: RunState, task: TaskState, judged: Judgement): Decision {
  const { verdict } = judged
  if (verdict.result === 'fail') {
    yield* failJudged(context, run, task, judged)
    return
  }
  const { events, artifacts, output } = judged
  const missing = missingArtifacts(task, artifacts)
  const partial = verdict.result === 'partial' || missing.length > 0 || task.overBudget !== null
  const undecided = verdict.result === 'partial' && task.spec.scorer !== undefined
  const set: Changes =
    task.status === 'verifying' ? leaseStep(task, { type: 'pass' }) : leaseStep(task, { type: 'finish' }, { type: 'pass' })
  set.endedAt = context.now
  set.spentMs = spentMs(task, context.now)
  clear(set, task, 'timeoutAt', 'timeoutMs', 'process', 'pending', 'overBudget', 'permissions', 'route')
  if (task.undecided !== undecided) set.undecided = undecided
  if (task.stale) set.stale = false
  const said = reported(task, task.worker, events)
  yield {
    on: run.header.id,
    kind: 'task.stepped',
    task: task.id,
    attempt: task.attempt,
    set,
    worker: said.worker,
    workerSeq: said.workerSeq,
    events: said.events,
    receipt: receiptOf(task, {
      reported: said,
      result: partial ? 'partial' : 'pass',
      at: context.now,
      terminalSeq: lastSeqOf(task, task.worker) + events.length,
      score: partial && verdict.result === 'pass' ? { value: 0.5, max: 1 } : verdict.score,
      evidence: evidenceOf(task, verdict, missing),
      output,
      artifacts,
    }),
    raised: undecided ? ['needs_human'] : undefined,
  }
  yield* afterTaskEnded(context, run, task)
}

function evidenceOf({ overBudget }: TaskState, { evidence }: Verdict, missing: readonly string[]): string {
  const lines = [
    overBudget?.reason ?? '',
    evidence,
    missing.length > 0 ? `Expected artifacts are missing: ${missing.join(', ')}.` : '',
  ]
  return lines.filter((line) => line !== '').join('\n')
}

function* failJudged(context: DecideContext, run: RunState, task: TaskState, judged: Judgement): Decision {
  const { verdict } = judged
  // What nobody can observe between two commits is one entry: finishing and failing fall together when no effect lies between.
  yield* failAttempt(context, run, task, {
    cause: verdict.failureKind ?? 'task',
    reason: verdict.evidence,
    final: false,
    artifacts: judged.artifacts,
    verdict: { score: verdict.score, evidence: verdict.evidence },
    stillRunning: false,
  })
}

/** The work, or its host, failed (RE7). */
export function* fail(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  message: FailedMessage,
  log: FleetArtifactRef | undefined,
): Decision {
  yield* failAttempt(context, run, task, {
    cause: message.failure_kind,
    reason: message.reason,
    final: message.recoverable === false,
    artifacts: log === undefined ? [] : [log],
    stillRunning: false,
  })
}
