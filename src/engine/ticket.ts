import type TinyQueue from 'tinyqueue'
import type { TaskState } from './state.ts'

/** A task's place in a queue, as it was when it came. */
export interface Ticket {
  readonly task: TaskState
  readonly version: number
  /** As it was when the ticket was drawn: what lies in the queue keeps its place. */
  readonly enqueuedAt: number
}

/** A ticket of a task that is enqueued now. */
export function ticketOf(task: TaskState): Ticket {
  return { task, version: task.version, enqueuedAt: task.enqueuedAt }
}

/** Whether the task still waits where the ticket stands; whatever happens to it makes the ticket void. */
export function isLive({ task, version }: Ticket): boolean {
  return task.version === version
}

/** Priority (lower first), then time of enqueuing, then place in the spec (SC2). */
export function order(a: Ticket, b: Ticket): number {
  return a.task.priority - b.task.priority || a.enqueuedAt - b.enqueuedAt || a.task.index - b.task.index
}

/** The first ticket of a queue that is live; those before it are taken out. */
export function liveHead(queue: TinyQueue<Ticket>): Ticket | undefined {
  for (let ticket = queue.peek(); ticket !== undefined; ticket = queue.peek()) {
    if (isLive(ticket)) return ticket
    queue.pop()
  }
  return undefined
}
