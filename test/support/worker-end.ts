import type { ConnectionListener, WorkerConnection } from '../../src/ports/worker-connection.ts'
import type { FleetFrame, WorkerFrame } from '../../src/protocol/worker-protocol.ts'

/** The worker's end of a connection in memory, which a test plays. */
export interface WorkerEnd {
  /** The fleet's end. */
  readonly connection: WorkerConnection
  /** Everything that the fleet said. */
  readonly told: FleetFrame[]
  /** What it said of one type. */
  tellings<Type extends FleetFrame['type']>(type: Type): Extract<FleetFrame, { type: Type }>[]
  say(frame: WorkerFrame | string | Uint8Array): void
  end(reason?: string): void
  /** Why the fleet closed it; undefined while it has not. */
  readonly closedBy: string | undefined
  /** Whether the fleet holds it back. */
  readonly isPaused: boolean
}

export function workerEnd(): WorkerEnd {
  const told: FleetFrame[] = []
  const early: (string | Uint8Array)[] = []
  let listener: ConnectionListener | undefined
  let closedBy: string | undefined
  let isPaused = false
  return {
    connection: {
      send: (line) => void told.push(JSON.parse(line) as FleetFrame),
      listen(hearing) {
        listener = hearing
        for (const line of early.splice(0)) hearing.line(line)
      },
      close(reason) {
        if (closedBy !== undefined) return
        closedBy = reason
        listener?.end(reason)
      },
      pause: (paused) => void (isPaused = paused),
    },
    told,
    tellings: <Type extends FleetFrame['type']>(type: Type) =>
      told.filter((frame): frame is Extract<FleetFrame, { type: Type }> => frame.type === type),
    say(frame) {
      const line = typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame)
      if (listener === undefined) early.push(line)
      else listener.line(line)
    },
    end: (reason = 'it was cut') => listener?.end(reason),
    get closedBy() {
      return closedBy
    },
    get isPaused() {
      return isPaused
    },
  }
}

/** A hello with nothing to tell. */
export const hello: Extract<WorkerFrame, { type: 'hello' }> = { type: 'hello', protocol: 1, attempts: [] }
