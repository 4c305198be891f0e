import type { FleetInboxEntry } from '../protocol/event.ts'
import { instant } from './instant.ts'
import type { RunState, TaskState } from './state.ts'

/** An open task as the wire writes it. `leaseEndsAt`: when its lease ends unless it is heard of, epoch milliseconds; known to its fleet alone (LE3). */
export function inboxEntry(run: RunState, task: TaskState, leaseEndsAt: number | undefined): FleetInboxEntry {
  return {
    run_id: run.header.id,
    task_id: task.id,
    priority: task.priority,
    enqueued_at: instant(task.enqueuedAt),
    ...(leaseEndsAt !== undefined && { lease_deadline: instant(leaseEndsAt) }),
    attempts: task.attempt,
  }
}
