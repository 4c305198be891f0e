import TinyQueue from 'tinyqueue'
import type { ClosedGate, Gates } from './gates.ts'
import type { TaskGates } from './task-gates.ts'
import { isLive, liveHead, order } from './ticket.ts'
import type { Ticket } from './ticket.ts'

/** Tickets that must pass the same gates; where the first may not go, none may. */
interface Lane {
  readonly gates: TaskGates
  readonly tickets: TinyQueue<Ticket>
  /** Where it stands: the entry that counts, others of it are out of date. */
  entry: Entry | undefined
}

/** A lane's place in a heap, by its first ticket when it was put there. */
interface Entry {
  readonly lane: Lane
  readonly ticket: Ticket
}

/**
 * The gated tickets of one requirement. A lane whose gate is closed is parked there, and costs nothing until the gate opens; then lanes come
 * back one at a time, the first one first (SC8).
 */
export interface Lanes {
  push(ticket: Ticket, gates: TaskGates): void
  /** The first ticket that may be leased now. */
  first(gates: Gates, now: number): Ticket | undefined
  /** Whether any ticket waits, parked or not. */
  isEmpty(): boolean
}

export function createLanes(): Lanes {
  const lanes = new Map<string, Lane>()
  const ready = new TinyQueue<Entry>([], byTicket)
  const parked = new Map<string, TinyQueue<Entry>>()
  /** Gates that opened while lanes are parked at them, with the lane that came back last: while that one waits, no other need come. */
  const opened = new Map<string, Entry | undefined>()

  /** `at`: the gate to park it at, undefined where it may be ready. */
  function put(lane: Lane, ticket: Ticket, at: string | undefined): Entry {
    const entry: Entry = { lane, ticket }
    lane.entry = entry
    if (at === undefined) ready.push(entry)
    else {
      const queue = parked.get(at)
      if (queue === undefined) parked.set(at, new TinyQueue([entry], byTicket))
      else queue.push(entry)
    }
    return entry
  }

  /** Puts a lane by its first ticket that is live, or lets go of it. */
  function settle(lane: Lane, at: string | undefined): Entry | undefined {
    const ticket = liveHead(lane.tickets)
    if (ticket !== undefined) return put(lane, ticket, at)
    lane.entry = undefined
    lanes.delete(lane.gates.signature)
    return undefined
  }

  /** Brings back the first lane of each gate that opened. */
  function bringBack(): void {
    for (const [id, last] of opened) {
      if (last !== undefined && last.lane.entry === last) continue
      const back = takeBack(parked.get(id))
      if (back === undefined) {
        opened.delete(id)
        parked.delete(id)
      } else opened.set(id, back)
    }
  }

  function takeBack(queue: TinyQueue<Entry> | undefined): Entry | undefined {
    for (let entry = queue?.pop(); entry !== undefined; entry = queue?.pop()) {
      const back = entry.lane.entry === entry ? settle(entry.lane, undefined) : undefined
      if (back !== undefined) return back
    }
    return undefined
  }

  function park(lane: Lane, gate: ClosedGate, gates: Gates, now: number): void {
    opened.delete(gate.id)
    settle(lane, gate.id)
    gates.waitAt(gate, now, hear)
  }

  const hear = (id: string): void => {
    if (parked.has(id)) opened.set(id, undefined)
  }

  return {
    push(ticket, gates) {
      let lane = lanes.get(gates.signature)
      if (lane === undefined)
        lanes.set(gates.signature, (lane = { gates, tickets: new TinyQueue<Ticket>([], order), entry: undefined }))
      lane.tickets.push(ticket)
      const { entry } = lane
      // A parked lane is looked at itself: its gate may be open, with a lane that is less urgent brought back from it.
      if (entry === undefined || order(ticket, entry.ticket) < 0) put(lane, ticket, undefined)
    },
    first(gates, now) {
      for (;;) {
        bringBack()
        const entry = ready.peek()
        if (entry === undefined) return undefined
        const { lane, ticket } = entry
        if (lane.entry !== entry) ready.pop()
        else if (!isLive(ticket)) {
          ready.pop()
          settle(lane, undefined)
        } else {
          const closed = gates.against(lane.gates, now).next()
          if (closed.done === true) return ticket
          ready.pop()
          park(lane, closed.value, gates, now)
        }
      }
    },
    isEmpty() {
      for (const lane of lanes.values()) {
        if (liveHead(lane.tickets) !== undefined) return false
        lane.entry = undefined
        lanes.delete(lane.gates.signature)
      }
      return true
    },
  }
}

function byTicket(a: Entry, b: Entry): number {
  return order(a.ticket, b.ticket)
}
