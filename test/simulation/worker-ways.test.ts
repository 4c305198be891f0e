import { expect, test } from 'vitest'
import { workerLifecycle } from '../../src/lifecycles/worker.ts'
import type { workerMachine } from '../../src/lifecycles/index.ts'
import type { WorkerEvent } from '../../src/lifecycles/worker.ts'
import { openBench, task } from '../support/bench-fleet.ts'
import type { BenchFleet } from '../support/bench-fleet.ts'
import { transitionsOf, transitionsOn, waysThrough } from '../support/machine-ways.ts'
import type { Way } from '../support/machine-ways.ts'
import { createTestTransport } from '../support/test-transport.ts'

type WorkerWay = Way<typeof workerMachine>

const hello = (leases: number, draining = false): WorkerEvent => ({ type: 'hello', leases, draining })
const drain = (leases: number): WorkerEvent => ({ type: 'drain', leases })
const recover = (leases: number): WorkerEvent => ({ type: 'recover', leases, draining: false })
const [lease, idle, unwell, lost, retire] = (['lease', 'idle', 'unwell', 'lost', 'retire'] as const).map((type): WorkerEvent => ({
  type,
})) as [WorkerEvent, WorkerEvent, WorkerEvent, WorkerEvent, WorkerEvent]

const through: Readonly<Record<string, readonly WorkerEvent[]>> = {
  unknown: [hello(0), lost, drain(0)],
  online: [lease, lost, drain(0)],
  busy: [idle, unwell, lost, drain(1)],
  unhealthy: [recover(0), recover(1), lost, drain(0), drain(1)],
  offline: [hello(0), drain(0)],
  draining: [idle, lost],
  retired: [],
}

const ways = waysThrough(workerLifecycle, {
  through: ({ value }) => through[value] ?? [],
  more: [
    // The fleet was started anew while the worker went on.
    [hello(1)],
    [hello(1, true)],
    // Its line broke while it had a lease.
    [hello(0), lease, lost, hello(1)],
    [hello(0), lease, lost, drain(1)],
    [hello(0), lease, drain(1), lost, hello(1, true)],
    [hello(0), lease, drain(1), lost, retire],
  ],
})

/** What the fleet never does, and why. */
const never = [
  // A worker retires by being drained; what is told to retire after that has retired, or is offline.
  ...['unknown', 'online', 'busy', 'unhealthy', 'draining'].map((value) => `${value} retire → retired`),
  'unknown drain → draining', // Leases of a worker that the fleet has not heard of yet are not its own.
  'online unwell → unhealthy', // Only a lease goes stale, and whoever has one is busy.
  'online drain → draining', // Whoever has a lease is busy.
  'busy drain → retired', // And whoever is busy has one.
  'unhealthy recover → draining', // A drain has made it draining already.
]

interface Stage {
  bench: BenchFleet
  readonly way: WorkerWay
  /** Lets the worker be opened, which it waits for. */
  open(): void
  refuse(reason: string): void
}
type Player = (stage: Stage, event: WorkerEvent, from: string) => unknown

/** Its leases, as a remote worker that goes on would name them. */
function remember({ bench: { transport } }: Stage): void {
  transport.stillRuns = transport.attempts.map(({ assign: { run_id, task_id, attempt } }) => ({ run_id, task_id, attempt }))
}

/** How the worker, its host, its line or a command brings an event about. */
const players: Readonly<Record<WorkerEvent['type'], Player>> = {
  async hello(stage, event, from) {
    const { leases, draining } = event as { leases: number; draining: boolean }
    if (from === 'unknown' && leases > 0) stage.bench = await openedAnew(draining)
    else if (from === 'unknown') stage.open()
    else {
      if (leases > 0) remember(stage)
      // It is opened again after a while.
      await stage.bench.clock.advance(2_000)
    }
  },
  async lease({ bench: { fleet, clock, transport }, way }) {
    // One of two goes stale where the other has to be left.
    const ids = way.events.some(({ type }) => type === 'unwell') && leavesOne(way) ? ['a', 'b'] : ['a']
    await fleet.start({ name: 'r', tasks: ids.map((id) => task(id, { retry_policy: { max_attempts: 1 } })) })
    await clock.settle()
    for (const id of ids) transport.attempt(id).accept()
  },
  idle: ({ bench }) => bench.transport.attempt('a').complete(),
  async unwell({ bench: { clock, transport }, way }) {
    await clock.advance(30_000)
    if (leavesOne(way)) transport.attempt('b').heartbeat()
    await clock.advance(31_000)
  },
  recover({ bench }, event) {
    if ((event as { leases: number }).leases > 0) bench.transport.attempt('b').heartbeat()
    else bench.transport.attempt('a').confirm()
  },
  lost({ bench, refuse }, _, from) {
    if (from === 'unknown') refuse('the host is down')
    else bench.transport.drop('w1')
  },
  // It resolves when the worker has retired.
  drain: ({ bench }) => void bench.fleet.drain('w1').catch(() => undefined),
  retire: ({ bench }) => bench.clock.advance(61_000),
}

function leavesOne({ events }: WorkerWay): boolean {
  const last = events.at(-1)
  return (last?.type === 'recover' || last?.type === 'drain') && last.leases > 0
}

/** The next fleet of a store whose worker has a lease, and goes on with it. */
async function openedAnew(draining: boolean): Promise<BenchFleet> {
  const first = await openBench({ transport: createTestTransport({ survives: true }) })
  await first.fleet.start({ name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  first.transport.attempt('a').accept()
  if (draining) void first.fleet.drain('w1').catch(() => undefined)
  await first.clock.settle()
  const transport = createTestTransport({ survives: true })
  const { run_id, task_id, attempt } = first.transport.attempt('a').assign
  transport.stillRuns = [{ run_id, task_id, attempt }]
  const store = first.store.peer()
  first.store.crash()
  return openBench({ store, clock: first.clock, seed: 'second', transport })
}

async function stageOf(way: WorkerWay): Promise<Stage> {
  const transport = createTestTransport({ survives: true })
  let settle: (reason: string | undefined) => void = () => undefined
  let refusal: Promise<string | undefined> = new Promise((resolve) => (settle = resolve))
  const gated = Object.assign(Object.create(transport) as typeof transport, {
    async open(...args: Parameters<typeof transport.open>) {
      const reason = await refusal
      refusal = Promise.resolve(undefined)
      if (reason !== undefined) throw new Error(reason)
      return transport.open(...args)
    },
  })
  const bench = await openBench({ workers: [], transport })
  void bench.fleet.addWorker({ id: 'w1', transport: gated, slots: 2 })
  await bench.clock.settle()
  return { bench, way, open: () => settle(undefined), refuse: settle }
}

/** Plays a way, and throws where the fleet's worker is in another state than the machine's. */
async function play(way: WorkerWay, positions = way.positions): Promise<void> {
  const stage = await stageOf(way)
  let from: string = workerLifecycle.initial.value
  expect(stage.bench.fleet.workers()[0]?.status).toBe(from)
  for (const [index, event] of way.events.entries()) {
    await players[event.type](stage, event, from)
    await stage.bench.clock.settle()
    expect(stage.bench.fleet.workers()[0]?.status, `after ${event.type}`).toBe(positions[index]?.value)
    from = positions[index]?.value ?? from
  }
}

test('CO3 every transition of the worker machine is on a way that is played, but for those that the fleet never takes', () => {
  const played = transitionsOn(workerLifecycle, ways)
  const missing = transitionsOf(workerLifecycle.machine).filter((transition) => !played.has(transition))
  expect(missing.toSorted()).toEqual(never.toSorted())
})

test.each(ways.map((way) => [way.name, way] as const))('CO3 a worker goes as its machine does: %s', async (_, way) => {
  await play(way)
})

test('CO3 a worker that goes another way than its machine is noticed', async () => {
  const way = ways.find(({ name }) => name === 'hello (0, not draining), lease')
  if (way === undefined) throw new Error('There is no such way.')
  await expect(play(way, [way.positions[0]!, { ...way.positions[1]!, value: 'online' }])).rejects.toThrow('after lease')
})
