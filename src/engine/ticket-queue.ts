import TinyQueue from 'tinyqueue'
import { isLive, liveHead, order } from './ticket.ts'
import type { Ticket } from './ticket.ts'

/** Tickets in the order of SC2. Those of tasks that left are skipped when they come up. */
export interface TicketQueue {
  push(ticket: Ticket): void
  /** The first whose task still waits; it stays in the queue. */
  head(): Ticket | undefined
}

/** What came since somebody asked lies beside the order: many come at once when a run is read, and most have left by then. */
export function createTicketQueue(): TicketQueue {
  let queue = new TinyQueue<Ticket>([], order)
  let fresh: Ticket[] = []

  /** Brings in what came: one by one where it is little, else all anew. */
  function orderFresh(): void {
    if (fresh.length <= queue.length) for (const ticket of fresh) queue.push(ticket)
    else queue = new TinyQueue([...queue.data, ...fresh].filter(isLive), order)
    fresh = []
  }

  return {
    push: (ticket) => void fresh.push(ticket),
    head() {
      if (fresh.length > 0) orderFresh()
      return liveHead(queue)
    },
  }
}
