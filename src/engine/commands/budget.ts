import { crossing, overBudgetOf, spendOf } from '../budget.ts'
import type { OverBudget } from '../budget.ts'
import { failAttempt } from '../attempt-end.ts'
import { cancelTask } from '../cancel.ts'
import type { DecideContext } from '../decide.ts'
import type { Decision, Draft } from '../entry.ts'
import { isWaiting, isWorking } from '../state.ts'
import type { RunState, TaskState } from '../state.ts'
import { endRun } from '../task-ended.ts'

/** What follows from a report that may have crossed a limit of its task or its run (BU2). */
export function* keepBudgets(context: DecideContext, run: RunState, task: TaskState): Decision {
  const { budget } = task.spec
  const over = budget === undefined ? undefined : crossing('task', budget, spendOf(task, context.now))
  if (over !== undefined) yield* taskOverBudget(run, task, over)
  if (run.spend === null) return
  const runOver = crossing('run', run.spend.budget, run.spend.by(context.now))
  if (runOver !== undefined) yield* runOverBudget(context, run, runOver)
}

/** The worker is asked to hand back what it has; it gets a grace for it (BU2). An attempt is asked once. */
export function* taskOverBudget(run: RunState, task: TaskState, over: OverBudget): Decision {
  if (isWorking(task.status) && task.overBudget === null) {
    yield { ...handBack(run, task, over), raised: ['budget_exceeded'] }
  }
}

/**
 * The budget of the whole run is spent: its attempts are asked to hand back what they have, and what waits is not begun any more
 * (BU2, BU3).
 */
export function* runOverBudget(context: DecideContext, run: RunState, over: OverBudget): Decision {
  if (run.overBudget !== null) return
  yield {
    on: run.header.id,
    kind: 'run.over_budget',
    run: { overBudget: over, updatedAt: context.now },
    raised: ['budget_exceeded'],
  }
  for (const task of run.tasks.values()) {
    if (isWorking(task.status) && task.overBudget === null) yield handBack(run, task, over)
    else if (isWaiting(task.status)) yield* cancelTask(context, run, task, { by: 'fleet', reason: over.reason, cause: null })
  }
  yield* endRun(context, run)
}

/** The grace is over, and nothing was handed back: the attempt is stopped, and ends as failed (BU2). */
export function* graceOver(context: DecideContext, run: RunState, task: TaskState): Decision {
  const over = overBudgetOf(run, task, context.now)
  if (over === undefined) return
  yield* failAttempt(context, run, task, {
    cause: 'task',
    reason: 'It handed nothing back in time.',
    final: true,
    stillRunning: true,
  })
}

function handBack(run: RunState, task: TaskState, over: OverBudget): Draft {
  return {
    on: run.header.id,
    kind: 'task.over_budget',
    task: task.id,
    attempt: task.attempt,
    set: { overBudget: over },
    effects: ['worker.hand_back'],
  }
}
