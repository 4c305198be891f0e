import { liveTask } from './attempt-watch.ts'
import { outOfTime, spendOf } from './budget.ts'
import { graceOver, runOverBudget, taskOverBudget } from './commands/budget.ts'
import type { Core } from './core.ts'
import { nothing } from './entry.ts'
import type { RunState, TaskState } from './state.ts'

/** Watches the seconds of budgets, and the grace of those who were asked to hand back (BU1, BU2). */
export interface BudgetWatch {
  /** Arms what the live attempt of a task needs; called whenever that may have changed. */
  arm(run: RunState, task: TaskState): void
  /** Arms what the run needs; called whenever one of its leases may have begun or ended. */
  armRun(run: RunState): void
}

export function createBudgetWatch(core: Core): BudgetWatch {
  const { deadlines, clock, turns, defaults } = core
  const runs = new Map<string, () => void>()

  function arm(run: RunState, task: TaskState): void {
    const presence = core.presence.get(run.header.id, task.id, task.attempt)
    if (presence === undefined || (task.overBudget === null && task.spec.budget?.max_seconds === undefined)) return
    const wait = task.overBudget === null ? secondsLeft(task) : defaults.handBackGraceMs
    const key = { run: run.header.id, task: task.id, attempt: task.attempt }
    presence.watches.budget?.()
    presence.watches.budget = deadlines.after(wait, task.overBudget === null ? () => timeIsUp(key) : () => graceIsOver(key))
  }

  function secondsLeft(task: TaskState): number {
    const mostMs = (task.spec.budget?.max_seconds ?? 0) * 1000
    // However far the wall clock jumped, no attempt has spent less than nothing: no more is left than what was given (LE5).
    return mostMs - spendOf(task, clock.now()).ms
  }

  function timeIsUp(key: AttemptKey): void {
    turns.report((context) => {
      const live = liveTask(core, key.run, key.task, key.attempt)
      if (live?.task.spec.budget === undefined) return nothing()
      return taskOverBudget(live.run, live.task, outOfTime('task', live.task.spec.budget, spendOf(live.task, context.now)))
    })
  }

  function graceIsOver(key: AttemptKey): void {
    turns.report((context) => {
      const live = liveTask(core, key.run, key.task, key.attempt)
      return live === undefined ? nothing() : graceOver(context, live.run, live.task)
    })
  }

  function armRun(run: RunState): void {
    const { spend } = run
    if (spend?.budget.max_seconds === undefined) return
    const { id } = run.header
    runs.get(id)?.()
    runs.delete(id)
    if (spend.leases === 0 || run.overBudget !== null) return
    const left = spend.budget.max_seconds * 1000 - spend.by(clock.now()).ms
    // The leases that are held spend it together.
    const cancel = deadlines.after(left / spend.leases, () => {
      runs.delete(id)
      turns.report((context) => {
        const now = core.state.runs.get(id)
        if (now?.spend == null || now.spend.leases === 0) return nothing()
        return runOverBudget(context, now, outOfTime('run', now.spend.budget, now.spend.by(context.now)))
      })
    })
    runs.set(id, cancel)
  }

  return { arm, armRun }
}

interface AttemptKey {
  readonly run: string
  readonly task: string
  readonly attempt: number
}
