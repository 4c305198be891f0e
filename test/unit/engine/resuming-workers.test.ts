import { expect, test } from 'vitest'
import type { Transport, WorkerLaunch } from '../../../src/ports/transport.ts'
import type { FromWorker } from '../../../src/protocol/wire.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'
import { statesOf } from '../../support/journal.ts'
import { createTestTransport } from '../../support/test-transport.ts'
import type { TestTransport } from '../../support/test-transport.ts'

const key = { run_id: 'r', task_id: 'a', attempt: 1 }

/** A worker elsewhere that is given a task and begins it; its launch tells when what it says is kept. */
async function begun(options: Parameters<typeof openBench>[0] = {}) {
  const { transport, launches } = elsewhere()
  const bench = await openBench({ transport, ...options })
  await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await bench.clock.settle()
  say(transport, { type: 'accepted', ...key, seq: 1 })
  await bench.clock.settle()
  return { ...bench, kept: () => launches[0]!.kept() }
}

function elsewhere(options: Parameters<typeof createTestTransport>[0] = {}): {
  readonly transport: TestTransport
  readonly launches: WorkerLaunch[]
} {
  const launches: WorkerLaunch[] = []
  const transport = createTestTransport({ survives: true, ...options })
  const { open } = transport
  const noting: Transport['open'] = (launch, how) => {
    launches.push(launch)
    return open.call(transport, launch, how)
  }
  return { transport: Object.assign(transport, { open: noting }), launches }
}

const say = (transport: TestTransport, message: FromWorker) => transport.say('w1', message)

/** The fleet dies, and another opens its store; the worker says that it still runs the attempt. */
async function afterCrash(bench: BenchFleet): Promise<BenchFleet> {
  const store = bench.store.peer()
  bench.store.crash()
  const { transport } = elsewhere()
  transport.stillRuns = [key]
  const next = await openBench({ store, clock: bench.clock, seed: 'again', transport })
  await next.clock.settle()
  return next
}

test('HO7 what a worker says again after a crash of the fleet counts once; what it had not said counts too', async () => {
  const first = await begun()
  say(first.transport, { type: 'usage', ...key, seq: 2, input_tokens: 10, output_tokens: 0 })
  say(first.transport, { type: 'progress', ...key, seq: 3, event: { state: 'running_tool', tool: 'grep' } })
  await first.clock.settle()
  const { transport, clock, fleet } = await afterCrash(first)
  // It was never told that these were kept.
  for (let times = 0; times < 2; times += 1) {
    say(transport, { type: 'accepted', ...key, seq: 1 })
    say(transport, { type: 'usage', ...key, seq: 2, input_tokens: 10, output_tokens: 0 })
    say(transport, { type: 'progress', ...key, seq: 3, event: { state: 'running_tool', tool: 'grep' } })
    say(transport, { type: 'usage', ...key, seq: 4, input_tokens: 5, output_tokens: 0 })
  }
  say(transport, { type: 'result', ...key, seq: 5 })
  await clock.settle()
  const run = await fleet.run('r')
  expect((await run.receipts('a'))[0]).toMatchObject({ usage: { input_tokens: 15, output_tokens: 0 } })
  expect((await statesOf(run, 'a')).filter((state) => state === 'running' || state === 'running_tool')).toEqual([
    'running',
    'running_tool',
  ])
})

test('HO7 without numbers everything that is said counts', async () => {
  const { transport, clock, fleet } = await begun()
  for (let times = 0; times < 2; times += 1) say(transport, { type: 'usage', ...key, input_tokens: 10, output_tokens: 0 })
  say(transport, { type: 'result', ...key })
  await clock.settle()
  expect((await (await fleet.run('r')).receipts('a'))[0]).toMatchObject({ usage: { input_tokens: 20 } })
})

test('HO7 an artifact that is reported again is recorded once, and whoever waits for it is answered again', async () => {
  const first = await begun()
  const artifact: FromWorker = {
    ...{ type: 'artifact', ...key, seq: 2, report: 1, kind: 'report', path: 'a.txt' },
    bytes: Uint8Array.of(1, 2, 3),
  }
  say(first.transport, artifact)
  await first.clock.settle()
  const { transport, clock, fleet } = await afterCrash(first)
  say(transport, artifact)
  await clock.settle()
  expect(transport.told.filter(({ message }) => message.type === 'collected')).toMatchObject([
    { message: { report: 1, artifact: { path: 'a.txt', size_bytes: 3 } } },
  ])
  say(transport, { type: 'result', ...key, seq: 3 })
  await clock.settle()
  const [receipt] = await (await fleet.run('r')).receipts('a')
  expect(receipt?.artifacts.map(({ path }) => path)).toEqual(['a.txt'])
})

test('HO7 CO1 what was said is kept only once it is durable, and a store that fails is waited for', async () => {
  let isBroken = false
  const { transport, clock, kept } = await begun({ storeParts: { beforeAppend: () => (isBroken ? 'refuse' : 'store') } })
  isBroken = true
  say(transport, { type: 'usage', ...key, seq: 2, input_tokens: 10, output_tokens: 0 })
  let isKept = false
  void kept().then(() => (isKept = true))
  await clock.advance(5_000)
  expect(isKept).toBe(false)
  isBroken = false
  await clock.advance(30_000)
  expect(isKept).toBe(true)
})

test('WO1 a worker that drains gets no more attempts and keeps the one that it has; its next hello takes that back', async () => {
  const { transport, clock, fleet } = await begun({ slots: 2 })
  say(transport, { type: 'drain' })
  const run = await fleet.start({ id: 'r2', name: 'r2', tasks: [task('b')] })
  await clock.settle()
  expect((await run.task('b')).status).toBe('enqueued')
  say(transport, { type: 'result', ...key, seq: 2 })
  await clock.settle()
  expect((await (await fleet.run('r')).task('a')).status).toBe('completed')
  transport.drop('w1')
  await clock.advance(60_000)
  expect((await run.task('b')).status).toBe('starting')
})

test('HO7 what the fleet says while there is no line is left to the line, which says it on the next', async () => {
  const { transport, clock, fleet } = await begun()
  transport.drop('w1')
  await clock.settle()
  await (await fleet.run('r')).cancelTask('a')
  await clock.settle()
  expect(transport.told.at(-1)?.message).toMatchObject({ type: 'stop', ...key })
})

test('WO2 a fleet is ready without the workers that dial in, and takes them whenever they come, without a wait', async () => {
  const arrivals: ((end: 'come') => void)[] = []
  const { transport, launches } = elsewhere({ dialsIn: true })
  const { open } = transport
  const waiting: Transport['open'] = async (launch, how) => {
    await new Promise((resolve) => arrivals.push(resolve as never))
    return open(launch, how)
  }
  const { fleet, clock } = await openBench({ transport: Object.assign(transport, { open: waiting }) })
  expect(fleet.workers()).toMatchObject([{ id: 'w1', status: 'unknown' }])
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  for (let times = 1; times <= 3; times += 1) {
    arrivals.at(-1)?.('come')
    await clock.settle()
    expect(launches).toHaveLength(times)
    expect((await run.task('a')).status).toBe('starting')
    transport.drop('w1')
    await clock.settle()
    expect(arrivals).toHaveLength(times + 1)
  }
})
