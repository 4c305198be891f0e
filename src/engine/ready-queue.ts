import type { Gates } from './gates.ts'
import { createLanes } from './lanes.ts'
import type { Lanes } from './lanes.ts'
import type { TaskState } from './state.ts'
import { createTicketQueue } from './ticket-queue.ts'
import type { TicketQueue } from './ticket-queue.ts'
import { order, ticketOf } from './ticket.ts'
import type { Ticket } from './ticket.ts'

type Requirement = TaskState['requirement']

/** The enqueued tasks of a run, by what they require (SC8). Tasks that left are skipped when they come up. */
export interface ReadyQueue {
  push(task: TaskState): void
  /** The first task, by SC2, among the requirements that `may` accepts, that no gate keeps back; it stays in the queue. */
  first(may: (requirement: Requirement) => boolean, gates: Gates, now: number): TaskState | undefined
  /** Whether any task waits whose requirement `may` accepts, kept back by a gate or not. */
  some(may: (requirement: Requirement) => boolean): boolean
}

/** What waits with equal requirements: tickets without gates, and those with. */
interface Waiting {
  readonly requirement: Requirement
  readonly free: TicketQueue
  gated: Lanes | undefined
}

export function createReadyQueue(): ReadyQueue {
  const kinds = new Map<string, Waiting>()
  return {
    push(task) {
      const { requirement, gates } = task
      let kind = kinds.get(requirement.key)
      if (kind === undefined) kinds.set(requirement.key, (kind = { requirement, free: createTicketQueue(), gated: undefined }))
      if (gates === null) kind.free.push(ticketOf(task))
      else (kind.gated ??= createLanes()).push(ticketOf(task), gates)
    },
    first(may, gates, now) {
      let best: Ticket | undefined
      for (const [key, { requirement, free, gated }] of kinds) {
        const head = free.head()
        if (head === undefined && (gated === undefined || gated.isEmpty())) kinds.delete(key)
        else if (may(requirement)) best = earlier(earlier(best, head), gated?.first(gates, now))
      }
      return best?.task
    },
    some(may) {
      for (const { requirement, free, gated } of kinds.values())
        if ((free.head() !== undefined || gated?.isEmpty() === false) && may(requirement)) return true
      return false
    },
  }
}

function earlier(a: Ticket | undefined, b: Ticket | undefined): Ticket | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return order(a, b) <= 0 ? a : b
}
