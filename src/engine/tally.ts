import type { TaskState } from './state.ts'

/** What a run's summary counts besides the statuses of its tasks (RU7). Kept in step with every change, since summaries are asked for often. */
export interface Tally {
  partial: number
  restarted: number
  escalated: number
  transport_failed: number
  task_failed: number
  verifier_failed: number
  stale: number
}

export function createTally(): Tally {
  return { partial: 0, restarted: 0, escalated: 0, transport_failed: 0, task_failed: 0, verifier_failed: 0, stale: 0 }
}

/** Adds what a task counts for, or takes it away. */
export function count(tally: Tally, task: TaskState, by: 1 | -1): void {
  if (task.status === 'completed' && task.result === 'partial') tally.partial += by
  // A failure that is being tried again is no failure of the task.
  if (task.status === 'failed' && task.failureKind) tally[`${task.failureKind}_failed`] += by
  if (task.stale) tally.stale += by
  if (task.escalated) tally.escalated += by
  tally.restarted += by * task.restarts
}
