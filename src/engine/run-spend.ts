import { leaseLifecycle } from '../lifecycles/lease.ts'
import type { FleetTaskBudget } from '../protocol/task.ts'
import type { Spend } from './budget.ts'
import type { TaskState } from './state.ts'

/** What all tasks of a run have spent together; kept only for runs that have a budget (BU3). */
export interface RunSpend {
  /** What they may spend together. */
  readonly budget: FleetTaskBudget
  /** Adds what a task has spent, or takes it away. */
  count(task: TaskState, by: 1 | -1): void
  /** What was spent by a moment, with what leases that are held cost until then. */
  by(now: number): Spend
  /** How many leases are held. */
  readonly leases: number
}

export function createRunSpend(budget: FleetTaskBudget): RunSpend {
  let tokens = 0
  let toolCalls = 0
  let endedMs = 0
  let leases = 0
  /** Sum of the moments at which the leases that are held began. */
  let leasedAt = 0
  return {
    budget,
    count(task, by) {
      tokens += by * (task.inputTokens + task.outputTokens)
      toolCalls += by * task.toolCalls
      endedMs += by * task.spentMs
      if (!leaseLifecycle.hasTag(task.status, 'leased') || task.leasedAt === null) return
      leases += by
      leasedAt += by * task.leasedAt
    },
    by: (now) => ({ tokens, toolCalls, ms: endedMs + Math.max(0, leases * now - leasedAt) }),
    get leases() {
      return leases
    },
  }
}
