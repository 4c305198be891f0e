import TinyQueue from 'tinyqueue'
import type { TaskState } from './state.ts'

interface Ticket {
  readonly task: TaskState
  readonly version: number
  /** As it was when the ticket was drawn: what lies in the queue keeps its place. */
  readonly enqueuedAt: number
}

/** The enqueued tasks of a run, one queue per requirement (SC8). Tasks that left are skipped when they come up. */
export interface ReadyQueue {
  push(task: TaskState): void
  /** The first task, by SC2, among the requirements that `may` accepts; it stays in the queue. */
  first(may: (requirement: TaskState['requirement']) => boolean): TaskState | undefined
}

export function createReadyQueue(): ReadyQueue {
  const queues = new Map<string, TinyQueue<Ticket>>()
  return {
    push(task) {
      let queue = queues.get(task.requirement.key)
      if (queue === undefined) queues.set(task.requirement.key, (queue = new TinyQueue<Ticket>([], order)))
      queue.push({ task, version: task.version, enqueuedAt: task.enqueuedAt })
    },
    first(may) {
      let best: Ticket | undefined
      for (const [key, queue] of queues) {
        const head = liveHead(queue)
        if (head === undefined) queues.delete(key)
        else if (may(head.task.requirement) && (best === undefined || order(head, best) < 0)) best = head
      }
      return best?.task
    },
  }
}

function liveHead(queue: TinyQueue<Ticket>): Ticket | undefined {
  for (let ticket = queue.peek(); ticket !== undefined; ticket = queue.peek()) {
    if (ticket.task.version === ticket.version) return ticket
    queue.pop()
  }
  return undefined
}

/** Priority (lower first), then time of enqueuing, then place in the spec (SC2). */
function order(a: Ticket, b: Ticket): number {
  return a.task.priority - b.task.priority || a.enqueuedAt - b.enqueuedAt || a.task.index - b.task.index
}
