import type { AttachOptions, AttachOutcome, Fleet } from 'flotilla'
import type { FleetFrame } from '../../src/protocol/worker-protocol.ts'
import { connectionPair } from '../fixtures/connection-pair.ts'
import type { ConnectionPair } from '../fixtures/connection-pair.ts'
import { until } from '../fixtures/processes.ts'

/** A worker that a test plays by hand. */
export interface DialledWorker {
  readonly outcome: Promise<AttachOutcome>
  readonly pair: ConnectionPair
  readonly heard: readonly FleetFrame[]
  /** Why its connection ended; undefined while it is open. */
  readonly ended: string | undefined
  say(frame: unknown): void
  /** The first frame of a type, once it came. */
  hear<Type extends FleetFrame['type']>(type: Type): Promise<Extract<FleetFrame, { type: Type }>>
}

/** Dials in to a fleet and says hello; undefined as `hello` says nothing. */
export function dial(fleet: Fleet, hello?: Readonly<Record<string, unknown>>, options: AttachOptions = {}): DialledWorker {
  const pair = connectionPair()
  const heard: FleetFrame[] = []
  let ended: string | undefined
  pair.worker.listen({
    line: (line) => void heard.push(JSON.parse(String(line)) as FleetFrame),
    end: (reason) => void (ended = reason),
  })
  const say = (frame: unknown): void => pair.worker.send(JSON.stringify(frame))
  const outcome = fleet.attach(pair.fleet, options)
  if (hello !== undefined) {
    say({ type: 'hello', protocol: 1, worker_id: 'w1', incarnation: 'i1', resumes: true, attempts: [], ...hello })
  }
  return {
    outcome,
    pair,
    heard,
    get ended() {
      return ended
    },
    say,
    async hear(type) {
      const find = () => heard.find((frame) => frame.type === type)
      await until(() => find() !== undefined, `a frame ${type}`)
      return find() as Extract<FleetFrame, { type: typeof type }>
    },
  }
}
