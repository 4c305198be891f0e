import type { ConnectionListener } from '../ports/worker-connection.ts'

/** The listener's side of a connection: what comes before anybody listens is kept for whoever does, and the end is told once. */
export interface ConnectionRelay {
  line(line: string | Uint8Array): void
  end(reason: string): void
  listen(listener: ConnectionListener): void
  readonly hasEnded: boolean
}

export function createConnectionRelay(): ConnectionRelay {
  const early: (string | Uint8Array)[] = []
  let listener: ConnectionListener | undefined
  let ended: string | undefined
  return {
    line(line) {
      if (listener === undefined) early.push(line)
      else listener.line(line)
    },
    end(reason) {
      if (ended !== undefined) return
      ended = reason
      listener?.end(reason)
    },
    listen(given) {
      listener = given
      for (const line of early.splice(0)) given.line(line)
      if (ended !== undefined) given.end(ended)
    },
    get hasEnded() {
      return ended !== undefined
    },
  }
}
