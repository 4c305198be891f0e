import TinyQueue from 'tinyqueue'
import type { TaskState } from './state.ts'

interface Ticket {
  readonly task: TaskState
  readonly version: number
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
      if (queue === undefined) queues.set(task.requirement.key, (queue = new TinyQueue<Ticket>([], (a, b) => order(a.task, b.task))))
      queue.push({ task, version: task.version })
    },
    first(may) {
      let best: TaskState | undefined
      for (const [key, queue] of queues) {
        const head = liveHead(queue)
        if (head === undefined) queues.delete(key)
        else if (may(head.requirement) && (best === undefined || order(head, best) < 0)) best = head
      }
      return best
    },
  }
}

function liveHead(queue: TinyQueue<Ticket>): TaskState | undefined {
  for (let ticket = queue.peek(); ticket !== undefined; ticket = queue.peek()) {
    if (ticket.task.version === ticket.version) return ticket.task
    queue.pop()
  }
  return undefined
}

/** Priority (lower first), then time of enqueuing, then place in the spec (SC2). */
function order(a: TaskState, b: TaskState): number {
  return a.priority - b.priority || a.enqueuedAt - b.enqueuedAt || a.index - b.index
}
