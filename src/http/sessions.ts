import { createSession } from './session.ts'
import type { Session, SessionLimits } from './session.ts'
import type { Clock } from '../ports/clock.ts'

/** The sessions of one handler. */
export interface Sessions {
  get(id: string): Session | undefined
  /** A new one; undefined when there are too many. One that has not said who it is yet gives way to the newest. */
  open(): Session | undefined
  /** Its worker has proved who it is. */
  settle(id: string): void
  readonly size: number
  endAll(reason: string): void
}

/** Sessions whose worker has not said who it is, at once. */
const unsettledAtOnce = 64

export function createSessions(options: {
  readonly limits: SessionLimits
  readonly maxSessions: number
  readonly clock: Clock
  /** Makes an id that cannot be guessed. */
  readonly nextId: () => string
}): Sessions {
  const { limits, clock } = options
  const sessions = new Map<string, Session>()
  /** In the order in which they came. */
  const unsettled = new Map<string, Session>()

  return {
    get: (id) => sessions.get(id),
    open() {
      // A worker says who it is within a moment: the oldest of many that did not is the least likely to be one.
      if (unsettled.size >= unsettledAtOnce || (sessions.size >= options.maxSessions && unsettled.size > 0)) {
        const [oldest] = unsettled.values()
        oldest?.end('others came before it said who it is')
      }
      if (sessions.size >= options.maxSessions) return undefined
      const id = options.nextId()
      const session = createSession({
        id,
        limits,
        clock,
        onGone() {
          sessions.delete(id)
          unsettled.delete(id)
        },
      })
      sessions.set(id, session)
      unsettled.set(id, session)
      return session
    },
    settle: (id) => void unsettled.delete(id),
    get size() {
      return sessions.size
    },
    endAll(reason) {
      for (const session of sessions.values()) session.end(reason)
    },
  }
}
