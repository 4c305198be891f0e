import { expect, test } from 'vitest'
import { leaseLifecycle } from '../../src/lifecycles/lease.ts'
import type { leaseMachine } from '../../src/lifecycles/index.ts'
import type { LeaseEvent } from '../../src/lifecycles/lease.ts'
import type { Run } from '../../src/fleet/run-handle.ts'
import { memoryFiles } from '../../src/testing/memory-files.ts'
import { openBench, task } from '../support/bench-fleet.ts'
import type { BenchFleet } from '../support/bench-fleet.ts'
import { statuses } from '../support/looking.ts'
import { transitionsOf, transitionsOn, waysThrough } from '../support/machine-ways.ts'
import type { Way } from '../support/machine-ways.ts'

type LeaseWay = Way<typeof leaseMachine>

const hour = 3_600_000
const simple = ['due', 'block', 'lease', 'accept', 'finish', 'pass', 'cancel', 'overturn'] as const

const unblock: LeaseEvent = { type: 'unblock', delayed: false }
const restart = (blocked: boolean): LeaseEvent => ({ type: 'restart', blocked, delayed: false })

const ways = waysThrough(leaseLifecycle, {
  through: ({ value }): LeaseEvent[] => [
    ...simple.map((type): LeaseEvent => ({ type })),
    unblock,
    { type: 'unblock', delayed: true },
    { type: 'fail', retry: true, delayed: true },
    { type: 'fail', retry: true, delayed: false },
    { type: 'fail', retry: false, delayed: false },
    { type: 'release', crash: false },
    // The shortest way to `cancelled` is from `blocked`.
    restart(value === 'blocked' || value === 'cancelled'),
  ],
  // Restarted while its dependency is: not a waiting task, which its dependency's restart has blocked already.
  last: ({ value }) => (value === 'enqueued' || value === 'backoff' ? [] : [restart(true)]),
  more: [[unblock, { type: 'cancel' }, restart(false)]],
})

/** What the fleet never does, and why. */
const never = [
  ...leaseLifecycle.values.map((value) => `${value} restart → backoff`), // A person who restarts a task does not mean it to wait.
  'blocked restart → enqueued', // A task is blocked by a dependency alone.
  'backoff restart → blocked', // The restart of the dependency has blocked it already.
  'enqueued restart → blocked',
]

type Stage = BenchFleet & { readonly run: Run; readonly way: LeaseWay; judge(): void }
type Player = (stage: Stage, event: LeaseEvent, from: string) => unknown

/** How a command, a worker, a scorer or time brings an event about. */
const players: Readonly<Record<LeaseEvent['type'], Player>> = {
  unblock: ({ transport }) => transport.attempt('first').complete({ exit_code: 0 }),
  due: ({ clock }) => clock.advance(hour),
  block: ({ run }) => run.restart('first'),
  // The run is paused but for this moment, so that nothing else is leased.
  async lease({ run, clock }) {
    await run.resume()
    await clock.settle()
    await run.pause()
  },
  accept: ({ transport }) => transport.attempt('a').accept(),
  finish: ({ transport }) => transport.attempt('a').complete({ exit_code: 0 }),
  pass: ({ judge }) => judge(),
  fail({ transport, judge }, event, from) {
    if (from === 'verifying') judge()
    else transport.attempt('a').fail('no', { recoverable: (event as { retry: boolean }).retry })
  },
  // A worker that was started anew does not know the attempt.
  release: ({ transport }) => transport.say('w1', { type: 'hello', worker_id: 'w1', incarnation: 'anew', attempts: [] }),
  cancel: ({ run }) => run.cancelTask('a'),
  overturn: ({ run }) => run.settle('a', { result: 'fail', by: 'ann' }),
  async restart({ run }, event, from) {
    if ((event as { blocked: boolean }).blocked && from !== 'blocked') await run.restart('first')
    await run.restart('a')
  },
}

/** A run whose task `a` is blocked by `first`, which is being worked on; `ever` keeps the run from ending. */
async function stageOf(way: LeaseWay): Promise<Stage> {
  let judge: () => void = () => undefined
  const judged = new Promise<void>((resolve) => (judge = resolve))
  const has = (isIt: (event: LeaseEvent) => boolean): boolean => way.events.some(isIt)
  const isRetried = has((event) => event.type === 'fail' && event.retry)
  const isDelayed = has((event) => event.type === 'fail' && event.delayed)
  // A scorer that fails an attempt finds no file.
  const files = memoryFiles(has(({ type }) => type === 'fail') ? {} : { '/base/done.txt': 'x' })
  const held = (path: string): Promise<void> => (path.endsWith('.txt') ? judged : Promise.resolve())
  const bench = await openBench({
    slots: 2,
    workspace: '/base',
    files: {
      ...files,
      real: (path) => held(path).then(() => files.real(path)),
      facts: (path) => held(path).then(() => files.facts(path)),
    },
  })
  const later = (ms: number): { not_before: string } => ({ not_before: new Date(bench.clock.now() + ms).toISOString() })
  const run = await bench.fleet.start({
    name: 'r',
    tasks: [
      task('first'),
      task('a', {
        depends_on: ['first'],
        scorer: { kind: 'file_exists', path: 'done.txt' },
        retry_policy: {
          max_attempts: isRetried ? 2 : 1,
          initial_backoff_seconds: isDelayed ? 60 : 0,
        },
        ...(has(({ type }) => type === 'overturn') && { expected_artifacts: ['report'] }),
        ...(has((event) => event.type === 'unblock' && event.delayed) && later(hour)),
      }),
      task('ever', later(1_000 * hour)),
    ],
  })
  await bench.clock.settle()
  await run.pause()
  return { ...bench, run, way, judge }
}

/** Plays a way, and throws where the fleet's task is in another state than the machine's. */
async function play(way: LeaseWay, positions = way.positions): Promise<void> {
  const stage = await stageOf(way)
  let from = leaseLifecycle.initial.value
  for (const [index, event] of way.events.entries()) {
    await players[event.type](stage, event, from)
    await stage.clock.settle()
    const { a } = await statuses(stage.run)
    expect(a, `after ${event.type}`).toBe(positions[index]?.value)
    const [, view] = await stage.run.tasks()
    expect(view?.attempt, `after ${event.type}`).toBe(positions[index]?.context.attempt)
    from = positions[index]?.value ?? from
  }
}

test('CO3 every transition of the lease machine is on a way that is played, but for those that the fleet never takes', () => {
  const played = transitionsOn(leaseLifecycle, ways)
  const missing = transitionsOf(leaseLifecycle.machine).filter((transition) => !played.has(transition))
  expect(missing.toSorted()).toEqual(never.toSorted())
})

test.each(ways.map((way) => [way.name, way] as const))('CO3 a task goes as its machine does: %s', async (_, way) => {
  await play(way)
})

test('CO3 a task that goes another way than its machine is noticed', async () => {
  const way = ways.find(({ name }) => name === 'unblock (not delayed), lease')
  if (way === undefined) throw new Error('There is no such way.')
  const [first, second] = way.positions
  await expect(play(way, [first!, { ...second!, value: 'running' }])).rejects.toThrow('after lease')
  await expect(play(way, [first!, { ...second!, context: { ...second!.context, attempt: 2 } }])).rejects.toThrow('after lease')
})
