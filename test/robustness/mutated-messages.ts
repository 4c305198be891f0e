import { createWorkerMessageOrder, FleetError, readWorkerMessage, writeWorkerMessage } from '../../src/protocol/index.ts'
import { openBench, task } from '../support/bench-fleet.ts'
import { createMutations } from '../support/mutations.ts'
import { workerMessages } from '../unit/protocol/worker-messages.ts'
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

/** Says mutated messages to a fleet over a worker's channel, those that are refused apart, and then has it do a task. */
export async function sayMutatedMessages(count: number, seed: string): Promise<MessageReport> {
  const bench = await openBench({ slots: 4 })
  const mutations = createMutations(
    workerMessages.map((message) => writeWorkerMessage(message).trimEnd()),
    seed,
  )
  const refused: Record<string, number> = {}
  let taken = 0
  let slowest = 0
  for (let said = 0; said < count; said += messagesOfARun) {
    const run = await bench.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await bench.clock.settle()
    const order = createWorkerMessageOrder('w1')
    order.refusal({ type: 'hello', worker_id: 'w1', incarnation: 'i', attempts: [] })
    for (let number = 0; number < messagesOfARun; number++) {
      const bytes = named(mutations.next(), run.id)
      const from = workingTime()
      const reading = readWorkerMessage(bytes)
      const refusal = reading.ok ? order.refusal(reading.message) : reading.refusal
      if (refusal !== undefined) {
        const code = FleetError.is(refusal) ? refusal.code : 'no code'
        refused[code] = (refused[code] ?? 0) + 1
      } else if (reading.ok) {
        taken += 1
        bench.transport.say('w1', reading.message)
        await bench.clock.settle()
      }
      slowest = Math.max(slowest, workingTime() - from)
    }
    await run.cancel({ by: 'the test' })
    await bench.clock.settle()
    for (const attempt of bench.transport.attempts.slice(-8)) attempt.confirm()
    await bench.clock.settle()
  }
  const after = await bench.fleet.start({ name: 'after', tasks: [task('c')] })
  await bench.clock.settle()
  bench.transport.attempt('c').accept()
  bench.transport.attempt('c').complete()
  await bench.clock.settle()
  const { status } = await after.task('c')
  return { taken, refused, slowest, status }
}

/** The same bytes, about a run that there is. */
function named(bytes: Uint8Array, run: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('run-1', run), 'latin1')
}
