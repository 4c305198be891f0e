import { expect, test } from 'vitest'
import { runLifecycle } from '../../src/lifecycles/run.ts'
import type { runMachine } from '../../src/lifecycles/index.ts'
import type { RunEvent } from '../../src/lifecycles/run.ts'
import type { Run } from '../../src/fleet/run-handle.ts'
import { openBench, task } from '../support/bench-fleet.ts'
import type { BenchFleet } from '../support/bench-fleet.ts'
import { transitionsOf, transitionsOn, waysThrough } from '../support/machine-ways.ts'
import type { Way } from '../support/machine-ways.ts'

type RunWay = Way<typeof runMachine>

const end = (result: 'completed' | 'failed' | 'cancelled'): RunEvent => ({ type: 'end', result })
const simple = ['start', 'lease', 'pause', 'resume', 'cancel', 'restart'] as const

const ways = waysThrough(runLifecycle, {
  through({ value, context }) {
    const hasWorked = value === 'running' || context.pausedFrom === 'running'
    return [
      ...simple.map((type): RunEvent => ({ type })),
      end('cancelled'),
      ...(hasWorked ? [end('completed'), end('failed')] : []),
      ...(value === 'completed' ? [{ type: 'overturn' } as const] : []),
    ]
  },
  // A run in which nobody worked completes only when it has no task: nothing more can be done with it.
  last: () => [end('completed')],
  more: [[{ type: 'start' }, { type: 'lease' }, { type: 'cancel' }, { type: 'overturn' }]],
})

/** What the fleet never does, and why. */
const never = ['pending end → failed', 'queued end → failed'] // A task fails by an attempt, and the first lease makes its run `running`.

const isOfNoTask = ({ events }: RunWay): boolean =>
  events.at(-1)?.type === 'end' &&
  events.every(({ type }) => type !== 'lease') &&
  (events.at(-1) as { result: string }).result === 'completed'
const judgesLate = ({ events }: RunWay): boolean => events.at(-2)?.type === 'cancel' && events.at(-1)?.type === 'overturn'

type Player = (bench: BenchFleet, run: Run, way: RunWay, event: RunEvent) => Promise<unknown>

/** How a command, or a worker, brings an event about. */
const players: Readonly<Record<RunEvent['type'], Player>> = {
  start: (_, run) => run.start(),
  // Nobody can take a task before.
  lease: ({ fleet, transport }) => fleet.addWorker({ id: 'w1', transport }),
  pause: (_, run) => run.pause(),
  resume: (_, run) => run.resume(),
  async cancel({ transport, clock }, run, way) {
    // What a verdict is about has to have completed before.
    if (judgesLate(way)) transport.attempt('a').complete()
    await clock.settle()
    return run.cancel()
  },
  restart: (_, run) => run.restart('a'),
  overturn: (_, run) => run.settle('a', { result: 'fail', by: 'ann' }),
  async end({ transport }, run, way, event) {
    const { result } = event as Extract<RunEvent, { type: 'end' }>
    if (isOfNoTask(way)) await run.seal()
    else if (result === 'cancelled') await run.cancelTask('a')
    else if (result === 'completed') transport.attempt('a').complete()
    else transport.attempt('a').fail('no', { recoverable: false })
  },
}

/** Plays a way, and throws where the fleet's run is in another state than the machine's. */
async function play(way: RunWay, positions = way.positions): Promise<void> {
  const bench = await openBench({ workers: [] })
  const run = await bench.fleet.create({
    name: 'r',
    open: isOfNoTask(way),
    tasks: isOfNoTask(way) ? [] : judgesLate(way) ? [task('a'), task('b')] : [task('a')],
  })
  for (const [index, event] of way.events.entries()) {
    await players[event.type](bench, run, way, event)
    await bench.clock.settle()
    expect((await run.summary()).status, `after ${event.type}`).toBe(positions[index]?.value)
  }
}

test('CO3 every transition of the run machine is on a way that is played, but for those that the fleet never takes', () => {
  const played = transitionsOn(runLifecycle, ways)
  expect(transitionsOf(runLifecycle.machine).filter((transition) => !played.has(transition))).toEqual(never)
})

test.each(ways.map((way) => [way.name, way] as const))('CO3 a run goes as its machine does: %s', async (_, way) => {
  await play(way)
})

test('CO3 a run that goes another way than its machine is noticed', async () => {
  const [way] = ways.filter(({ name }) => name === 'start, pause')
  if (way === undefined) throw new Error('There is no such way.')
  await expect(play(way, [way.positions[0]!, { value: 'running', context: { pausedFrom: null } }])).rejects.toThrow('after pause')
})
