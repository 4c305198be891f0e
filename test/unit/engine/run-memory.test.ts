import { expect, test } from 'vitest'
import type { Store } from '../../../src/ports/store.ts'
import { createFleetState } from '../../../src/engine/state.ts'
import { loadRun } from '../../../src/engine/run-loader.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { MemoryStore } from '../../../src/store/memory.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'

/** A store that tells which runs are read whole, which a fleet does with those that it does not have in memory. */
function watchedStore(): { readonly store: MemoryStore; readonly loads: string[] } {
  const clock = createVirtualClock()
  const inner = createMemoryStore({ clock, ids: seededIds('watched') })
  const loads: string[] = []
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name === 'loadSnapshot') return (run: string) => (loads.push(run), target.loadSnapshot(run))
      return value.bind(target) as unknown
    },
  })
  return { store, loads }
}

async function end(bench: BenchFleet, id: string): Promise<void> {
  bench.transport.attempt(id).complete()
  await bench.clock.settle()
}

test('CO9 a run that has ended leaves memory, and whatever asks something of it reads it again', async () => {
  const { store, loads } = watchedStore()
  const bench = await openBench({ store })
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a'), task('b')] })
  await bench.clock.settle()
  await end(bench, 'a')
  loads.length = 0
  expect((await run.pause()).changed).toBe(true)
  expect((await run.resume()).changed).toBe(true)
  // It has not ended, so it is there.
  expect(loads).toEqual([])
  await bench.clock.settle()
  await end(bench, 'b')
  expect(await run.pause()).toEqual({ changed: false, message: 'The run r has ended completed.' })
  expect(loads).toEqual(['r'])
  // Nothing came of it, so it left again.
  expect((await run.tasks()).map((view) => view.status)).toEqual(['completed', 'completed'])
  expect((await run.restart('a')).changed).toBe(true)
  const before = loads.length
  expect((await run.summary()).status).toBe('running')
  // It runs, so it stays.
  expect(loads.length).toBe(before)
  await bench.clock.settle()
  await end(bench, 'a')
  expect((await run.summary()).status).toBe('completed')
  expect(loads.length).toBe(before + 1)
})

test('CO9 a run that has ended stays while an attempt of it has not confirmed its end', async () => {
  const { store, loads } = watchedStore()
  const bench = await openBench({ store })
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await bench.clock.settle()
  bench.transport.attempt('a').accept()
  await bench.clock.settle()
  await run.cancel()
  loads.length = 0
  expect((await run.pause()).changed).toBe(false)
  expect(loads).toEqual([])
  bench.transport.attempt('a').confirm()
  await bench.clock.settle()
  expect((await run.pause()).changed).toBe(false)
  expect(loads).toEqual(['r'])
})

test('CO9 two commands at once on a run that left memory see the same run', async () => {
  const bench = await openBench({ slots: 2 })
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a'), task('b')] })
  await bench.clock.settle()
  await end(bench, 'a')
  await end(bench, 'b')
  const outcomes = await Promise.all([run.restart('a'), run.restart('b')])
  expect(outcomes.map((outcome) => outcome.changed)).toEqual([true, true])
  expect((await run.tasks()).map((view) => view.status)).toEqual(['starting', 'starting'])
})

test('BU3 what a fenced attempt spent counts after its run has ended and left memory', async () => {
  const bench = await openBench({ slots: 1 })
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await bench.clock.settle()
  const attempt = bench.transport.attempt('a')
  attempt.accept()
  attempt.send({ type: 'usage', input_tokens: 10, output_tokens: 5 } as never)
  await end(bench, 'a')
  attempt.send({ type: 'usage', input_tokens: 100, output_tokens: 1 } as never)
  await bench.clock.settle()
  const loaded = await loadRun(createFleetState(), { store: bench.store, clock: bench.clock }, 'r', false)
  expect(loaded?.tasks.get('a')).toMatchObject({ inputTokens: 110, outputTokens: 6 })
  expect((await run.summary()).status).toBe('completed')
})

const rich = (id: string, more: Record<string, unknown> = {}) => ({
  ...task(id),
  instructions: `Do ${id} at great length.`,
  context: ['a', 'b'],
  input: { of: id },
  timeout_seconds: 7,
  tags: ['t'],
  ...more,
})

async function shortTasks(store: Store, clock: BenchFleet['clock'], run: string): Promise<string[]> {
  const loaded = await loadRun(createFleetState(), { store, clock }, run, false)
  return [...(loaded?.tasks.values() ?? [])].flatMap(({ id, isShort, spec }) => {
    expect(spec.instructions === '').toBe(isShort)
    return isShort ? [id] : []
  })
}

test.for(['live', 'after a crash', 'after a close', 'from a snapshot'] as const)(
  'CO9 of a task that has ended the spec is not kept, and restarted it has its whole spec again, %s',
  async (how) => {
    const limits = { ...(how === 'from a snapshot' && { snapshotAfter: 1, snapshotAtEndAfter: 1 }) }
    let bench = await openBench({ slots: 3, limits })
    await bench.fleet.start({ id: 'r', name: 'r', open: true, tasks: [rich('a'), rich('b', { depends_on: ['a'] }), rich('c')] })
    await bench.clock.settle()
    bench.transport.attempt('a').fail('no', { recoverable: false })
    await bench.clock.settle()
    expect(await shortTasks(bench.store, bench.clock, 'r')).toEqual(['a', 'b'])
    if (how !== 'live') {
      if (how === 'after a crash') bench.store.crash()
      else {
        const closing = bench.fleet.close()
        await bench.clock.advanceUntilIdle()
        await closing
      }
      bench = await openBench({ slots: 3, limits, store: bench.store.peer(), clock: bench.clock })
    }
    const run = await bench.fleet.run('r')
    expect((await run.spec()).task_specs.map((spec) => spec.instructions)).toEqual([
      'Do a at great length.',
      'Do b at great length.',
      'Do c at great length.',
    ])
    expect((await run.retryFailed({ tags: ['t'] })).changed).toBe(true)
    await bench.clock.settle()
    expect(bench.transport.attempt('a').assign.task).toMatchObject(rich('a'))
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    expect(bench.transport.attempt('b').assign.task).toMatchObject(rich('b'))
    expect(await shortTasks(bench.store, bench.clock, 'r')).toEqual(['a'])
  },
)

test('LE9 restarting a task that ends while its spec is read works too', async () => {
  const { store, loads } = watchedStore()
  const bench = await openBench({ store })
  const run = await bench.fleet.start({ id: 'r', name: 'r', open: true, tasks: [rich('a')] })
  await bench.clock.settle()
  const restarting = run.restart('a')
  bench.transport.attempt('a').complete()
  expect((await restarting).changed).toBe(true)
  await bench.clock.settle()
  expect(bench.transport.attempt('a').assign).toMatchObject({ attempt: 2, task: rich('a') })
  expect(loads).not.toContain('r')
})

test('CO9 the result of a run that has ended is read with one reading of its entries', async () => {
  const bench = await openBench({ slots: 1 })
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await bench.clock.settle()
  await end(bench, 'a')
  const { store } = bench
  const read = store.read.bind(store)
  const asked: number[] = []
  store.read = (id, options) => {
    asked.push(options.from)
    return read(id, options)
  }
  const spec = await run.spec()
  const wholeReadings = () => asked.filter((from) => from === 1).length
  // A view of a run that left memory reads it: the count would show a second reading.
  expect(spec.task_specs.map(({ id }) => id)).toEqual(['a'])
  expect(wholeReadings()).toBeGreaterThan(0)
  asked.length = 0
  expect((await run.result()).receipts['a']).toMatchObject({ task_id: 'a' })
  expect(wholeReadings()).toBe(1)
})

test('ST7 a run is read with a turn of the event loop wherever folding its entries, or its snapshot, took long', async () => {
  const limits = { snapshotAtEndAfter: 1 }
  const bench = await openBench({ workers: [], limits })
  const tasks = Array.from({ length: 2_000 }, (_, index) => task(`t${index}`))
  await bench.fleet.start({ id: 'r', name: 'r', tasks })
  await bench.clock.settle()
  const readSlowly = async () => {
    let now = 0
    let turns = 0
    // Every look at this clock finds that a slice is over.
    const clock = { ...bench.clock, monotonic: () => (now += 10), turn: async () => void (turns += 1) }
    const run = await loadRun(createFleetState(), { store: bench.store, clock }, 'r', false)
    expect(run?.counts.enqueued).toBe(2_000)
    return turns
  }
  // One for each entry that adds a slice of the tasks.
  expect(await readSlowly()).toBeGreaterThanOrEqual(2_000 / 250)
  await bench.fleet.close()
  expect(await readSlowly()).toBeGreaterThan(2_000)
})
