import type { Transport } from '../../src/ports/transport.ts'
import { diskFiles } from '../../src/host/files.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import type { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { greet } from '../../src/transports/session/worker-greeting.ts'
import { openSession } from '../../src/transports/session/worker-session.ts'
import { openBench, task } from '../support/bench-fleet.ts'
import { createMutations } from '../support/mutations.ts'
import { hello, workerEnd } from '../support/worker-end.ts'
import type { WorkerEnd } from '../support/worker-end.ts'
import { workerFrames } from '../unit/protocol/worker-frames.ts'
import { workingTime } from './working-time.ts'

/** What became of mutated messages. */
export interface MessageReport {
  readonly taken: number
  readonly refused: Readonly<Record<string, number>>
  /** The longest that one of them took, in milliseconds of work. */
  readonly slowest: number
  /** What the fleet did with a task afterwards. */
  readonly status: string
}

const messagesOfARun = 50

/** Says mutated messages to a fleet as a worker of the protocol, which comes up again after each that ended its line, and then does a task. */
export async function sayMutatedMessages(count: number, seed: string): Promise<MessageReport> {
  const clock = createVirtualClock()
  const lines = mutatedLines(clock)
  const bench = await openBench({ clock, workers: [{ id: 'w1', slots: 4, transport: lines.transport }] })
  const mutations = createMutations(
    workerFrames.map((frame) => JSON.stringify(frame)),
    seed,
  )
  const refused: Record<string, number> = {}
  let taken = 0
  let slowest = 0
  for (let said = 0; said < count; said += messagesOfARun) {
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    for (let number = 0; number < messagesOfARun; number++) {
      if (lines.worker.closedBy !== undefined) await clock.advance(60_000)
      const { worker } = lines
      const bytes = named(mutations.next(), run.id)
      const from = workingTime()
      worker.say(bytes)
      await clock.settle()
      slowest = Math.max(slowest, workingTime() - from)
      const code = worker.tellings('refused')[0]?.code
      if (code === undefined) taken += 1
      else refused[code] = (refused[code] ?? 0) + 1
    }
    await run.cancel({ by: 'the test' })
    await clock.advance(60_000)
  }
  await clock.advance(600_000)
  const after = await bench.fleet.start({ name: 'after', tasks: [task('c')] })
  await clock.settle()
  const assigned = lines.worker.tellings('assign').at(-1)
  if (assigned !== undefined) {
    const { run_id, task_id, attempt } = assigned
    lines.worker.say({ type: 'accepted', run_id, task_id, attempt, seq: 1 })
    lines.worker.say({ type: 'result', run_id, task_id, attempt, seq: 2 })
  }
  await clock.settle()
  const { status } = await after.task('c')
  return { taken, refused, slowest, status }
}

/** A way to a worker that the caller plays, one line after the other. */
function mutatedLines(clock: VirtualClock): { readonly transport: Transport; readonly worker: WorkerEnd } {
  let worker = workerEnd()
  return {
    get worker() {
      return worker
    },
    transport: {
      kind: 'mutated',
      enforces: { network: false, fileWrites: false, environment: false, processes: false },
      heartbeats: 'worker',
      startsAtOnce: false,
      survives: false,
      serves: { handlers: [], commands: false, plain: true },
      async open(launch) {
        worker = workerEnd()
        worker.say(hello)
        const greeting = await greet(worker.connection, { clock, helloTimeoutMs: 1_000 })
        return openSession(greeting, { launch, clock, sharesFiles: true, files: diskFiles() })
      },
    },
  }
}

/** The same bytes, about a run that there is. */
function named(bytes: Uint8Array, run: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('run-1', run), 'latin1')
}
