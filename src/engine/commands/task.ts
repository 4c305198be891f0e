import type { CommandOutcome, SettleVerdict } from '../../protocol/command.ts'
import type { FleetReceipt } from '../../protocol/receipt.ts'
import { overBudgetOf, refuseOverBudget } from '../budget.ts'
import { cancelTask } from '../cancel.ts'
import { leaseStep, refuse, runStep } from '../decide.ts'
import type { DecideContext } from '../decide.ts'
import type { Decision } from '../entry.ts'
import { instant } from '../instant.ts'
import { isEndedTask, isLeased } from '../state.ts'
import type { RunState, TaskState } from '../state.ts'
import { afterTaskEnded } from '../task-ended.ts'
import { isTagged } from '../tagged.ts'
import { restartTasks } from './restart.ts'

/** Cancels one task; its siblings are untouched, its dependants follow (RU5, SC5). With `attempt`, only while that attempt is live. */
export function* cancelOneTask(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  cancel: { readonly by: string; readonly reason: string; readonly attempt?: number },
): Decision<CommandOutcome> {
  if (isEndedTask(task.status)) return { changed: false, message: `The task ${task.id} has ended ${task.status}.` }
  if (cancel.attempt !== undefined && (cancel.attempt !== task.attempt || !isLeased(task.status))) {
    const live = isLeased(task.status) ? `attempt ${task.attempt} is` : 'none is'
    throw refuse('refused', `The attempt ${cancel.attempt} of the task ${task.id} is not live; ${live}. Nothing was changed.`, {
      attempt: task.attempt,
    })
  }
  yield* cancelTask(context, run, task, { by: cancel.by, reason: cancel.reason, cause: null })
  yield* afterTaskEnded(context, run, task)
  return { changed: true, message: `The task ${task.id} was cancelled.` }
}

/** Cancels the open tasks with one of the tags, and what depends on them; the run and its other tasks go on (RU5). */
export function* cancelTagged(
  context: DecideContext,
  run: RunState,
  cancel: { readonly tags: readonly string[]; readonly by: string; readonly reason: string },
): Decision<CommandOutcome> {
  let count = 0
  for (const task of run.tasks.values()) {
    // What an earlier one took along has ended by now.
    if (isEndedTask(task.status) || !isTagged(task.spec, cancel.tags)) continue
    yield* cancelTask(context, run, task, { by: cancel.by, reason: cancel.reason, cause: null })
    yield* afterTaskEnded(context, run, task)
    count += 1
  }
  const tags = `of the tags ${cancel.tags.join(', ')}`
  if (count === 0) return { changed: false, message: `No open task of the run ${run.header.id} has one ${tags}.` }
  return { changed: true, message: `${count} open task(s) with one ${tags} were cancelled.` }
}

/** Enqueues tasks again, whatever their state (LE9). */
export function* restartThese(context: DecideContext, run: RunState, tasks: readonly TaskState[]): Decision<CommandOutcome> {
  for (const task of tasks) refuseOverBudget(overBudgetOf(run, task, context.now), `the task ${task.id} cannot be tried again`)
  yield* restartTasks(context, run, tasks)
  return { changed: true, message: `The task ${tasks.map(({ id }) => id).join(', ')} was enqueued again.` }
}

/**
 * Replaces a partial verdict, once, with a person's (VE5). A failing one turns task and run to failed and cancels the dependants that
 * have not started. `latest` is the receipt that is settled, read from the store by the caller.
 */
export function* settleTask(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  latest: { readonly seq: number; readonly receipt: FleetReceipt | undefined } | undefined,
  verdict: SettleVerdict,
): Decision<CommandOutcome> {
  const { now } = context
  const receipt = latest?.receipt
  // A receipt that came while this one was read is not the one that was judged.
  if (!isSettleable(task) || receipt === undefined || task.receipts.at(-1) !== latest?.seq) {
    throw refuse(
      'not_settleable',
      `The task ${task.id} has no partial verdict to settle: ${standing(task)}. Nothing was changed.`,
      {
        status: task.status,
      },
    )
  }
  const passes = verdict.result === 'pass'
  yield {
    on: run.header.id,
    kind: 'task.settled',
    // The row of the run follows: its counters changed (RU7).
    run: { updatedAt: now },
    task: task.id,
    attempt: task.attempt,
    set: { settled: true, ...(!passes && { ...leaseStep(task, { type: 'overturn' }), endedAt: now }) },
    receipt: settledReceipt(receipt, verdict, now),
  }
  if (!passes && (run.status === 'completed' || run.status === 'cancelled')) {
    yield { on: run.header.id, kind: 'run.stepped', run: runStep(run, { type: 'overturn' }, now) }
  }
  // Dependants are freed or cancelled as after any end.
  yield* afterTaskEnded(context, run, task)
  return { changed: true, message: `The task ${task.id} was settled: ${verdict.result}, by ${verdict.by}.` }
}

/** Whether a task has a partial verdict; one that was settled is partial no more. */
function isSettleable(task: TaskState): boolean {
  return task.status === 'completed' && task.result === 'partial'
}

function settledReceipt(receipt: FleetReceipt, verdict: SettleVerdict, now: number): FleetReceipt {
  const passes = verdict.result === 'pass'
  const { failure_kind: _, ...rest } = receipt
  return {
    ...rest,
    completed_at: instant(now),
    result: verdict.result,
    ...(!passes && { failure_kind: 'task' as const }),
    score: verdict.score ?? { value: passes ? 1 : 0, max: 1 },
    settled: { by: verdict.by, ...(verdict.why !== undefined && { why: verdict.why }) },
  }
}

function standing(task: TaskState): string {
  if (task.status !== 'completed') return `it is ${task.status}`
  return task.settled ? 'it was settled before' : `its result is ${task.result ?? 'unknown'}`
}
