import { expect, test } from 'vitest'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { Store } from '../../../src/ports/store.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { MemoryStore } from '../../../src/store/memory.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { statesOf } from '../../support/journal.ts'

/** Files whose looks wait until the test lets them go. */
function gatedFiles(contents: Record<string, string> = {}) {
  const files = memoryFiles(contents)
  const waiting: (() => void)[] = []
  let gated = false
  const wait = async () => {
    if (gated) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  return {
    files: {
      ...files,
      async facts(path: string) {
        await wait()
        return files.facts(path)
      },
      async find(folder: string, patterns: readonly string[]) {
        await wait()
        return files.find(folder, patterns)
      },
      async real(path: string) {
        await wait()
        return files.real(path)
      },
    },
    hold: () => (gated = true),
    go() {
      gated = false
      for (const resolve of waiting.splice(0)) resolve()
    },
  }
}

test('CO5 a verification that a crash interrupted is performed again, and not the work', async () => {
  const gate = gatedFiles({ '/w/out.txt': 'x' })
  const scored = task('a', { scorer: { kind: 'file_exists', path: 'out.txt' } })
  const first = await openBench({ files: gate.files, workspace: '/w' })
  await first.fleet.start({ id: 'r', name: 'r', tasks: [scored] })
  await first.clock.settle()
  gate.hold()
  first.transport.attempt('a').complete({ exit_code: 0, output: { n: 1 } })
  await first.clock.settle()
  const store = first.store.peer()
  first.store.crash()
  const second = await openBench({
    store,
    clock: first.clock,
    seed: 'second',
    files: memoryFiles({ '/w/out.txt': 'x' }),
    workspace: '/w',
  })
  await second.clock.settle()
  const run = await second.fleet.run('r')
  expect(await run.receipts('a')).toMatchObject([{ attempt: 1, result: 'pass', output: { n: 1 } }])
  expect(second.transport.attempts).toHaveLength(0)
})

test('CO5 a start is not performed again after a crash: the attempt is released, and the next one is another', async () => {
  const first = await openBench()
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  const store = first.store.peer()
  first.store.crash()
  const second = await openBench({ store, clock: first.clock, seed: 'second' })
  await second.clock.settle()
  expect(second.transport.attempts.map((held) => held.assign.attempt)).toEqual([2])
})

test('CO5 what depended on a channel is settled by its loss: begun work has failed, the rest is given back', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('begun'), task('never')] })
  await clock.settle()
  transport.attempt('begun').accept()
  await clock.settle()
  transport.drop('w1', 'power cut')
  await clock.settle()
  expect(fleet.workers()[0]).toMatchObject({ status: 'offline', busy: 0 })
  expect((await run.tasks()).map((one) => one.status)).toEqual(['backoff', 'enqueued'])
  expect(await run.receipts()).toMatchObject([
    { task_id: 'begun', failure_kind: 'transport', evidence: expect.stringContaining('power cut') },
  ])
})

test('CO6 effects of one attempt are performed in order: a stop comes after its start', async () => {
  const gate = gatedFiles({ '/w/plan.md': 'x' })
  const { fleet, clock, transport } = await openBench({ files: gate.files, workspace: '/w' })
  gate.hold()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { workspace: { required_files: ['plan.md'] } }), task('b')] })
  await clock.settle()
  await run.cancelTask('a')
  await clock.settle()
  expect(transport.told.map(({ message }) => message.type)).not.toContain('stop')
  gate.go()
  await clock.settle()
  // A start is performed only while its lease is live, and the slot that it had is free.
  expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['b'])
  expect(transport.told.map(({ message }) => message.type)).toEqual(['assign'])
})

test('CO6 a start whose lease was revoked while it was prepared is never performed, however many came after it', async () => {
  const gate = gatedFiles({ '/w/plan.md': 'x' })
  const { fleet, clock, transport } = await openBench({ files: gate.files, workspace: '/w', slots: 5 })
  gate.hold()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { workspace: { required_files: ['plan.md'] } })] })
  await clock.settle()
  for (let n = 0; n < 3; n += 1) {
    await run.restart('a')
    await clock.settle()
  }
  gate.go()
  await clock.settle()
  expect(transport.attempts.map((held) => held.assign.attempt)).toEqual([4])
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.result()).status).toBe('completed')
})

test('CO6 SC4 an attempt that cannot be prepared fails by itself, and takes nothing down with it', async () => {
  const store = createMemoryStore({ clock: createVirtualClock(), ids: seededIds('s') })
  const clock = createVirtualClock()
  let broken = false
  const failing: MemoryStore = {
    ...methodsOf(store),
    async read(run, range) {
      if (broken) throw new Error('the disk is gone')
      return store.read(run, range)
    },
  }
  const { fleet, transport } = await openBench({ store: failing, clock, slots: 1 })
  const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { initial_backoff_seconds: 1 } }), task('b')] })
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  transport.attempt('b').complete()
  await clock.settle()
  // The retry reads the receipts of the attempts before it (RE5).
  broken = true
  await clock.advance(1_000)
  broken = false
  await clock.advance(10_000)
  expect(transport.attempt('a').assign).toMatchObject({ previous: [{ attempt: 1 }, { attempt: 2, failure_kind: 'transport' }] })
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.result()).status).toBe('completed')
})

test('CO6 SC4 a log that cannot be kept does not keep its attempt from ending', async () => {
  const files = { ...memoryFiles(), append: () => Promise.reject(new Error('the disk is full')) }
  const { fleet, clock, transport } = await openBench({ files })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').send({ type: 'log', text: 'words' } as never)
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.result()).status).toBe('completed')
})

test('CO7 two fleets in one process share nothing', async () => {
  const [one, two] = [await openBench({ seed: 'same' }), await openBench({ seed: 'same' })]
  await one.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await two.clock.settle()
  await one.clock.settle()
  expect(two.heard).toEqual([])
  expect(two.transport.attempts).toHaveLength(0)
  await expect(two.fleet.run('r')).rejects.toMatchObject({ code: 'unknown_run' })
  await one.fleet.close({ graceMs: 0 }).catch(() => undefined)
  const run = await two.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await two.clock.settle()
  two.transport.attempt('a').complete()
  await two.clock.settle()
  expect((await run.result()).status).toBe('completed')
})

test('CO7 timers keep the process alive only while a task is open', async () => {
  const clock = createVirtualClock()
  const waits = new Map<symbol, boolean>()
  const watched: VirtualClock = {
    ...clock,
    get pending() {
      return clock.pending
    },
    async sleep(...[ms, options]: Parameters<Clock['sleep']>) {
      const wait = Symbol('wait')
      waits.set(wait, options?.keepAlive ?? true)
      await clock.sleep(ms, options)
      waits.delete(wait)
    },
    alarm(ms, act, options) {
      const wait = Symbol('wait')
      waits.set(wait, options.keepAlive)
      const cancel = clock.alarm(ms, () => (waits.delete(wait), act()), options)
      return () => (waits.delete(wait), cancel())
    },
  }
  const keepsAlive = () => [...waits.values()].some(Boolean)
  const { fleet, transport } = await openBench({ clock: watched })
  expect(keepsAlive()).toBe(false)
  const pending = await fleet.create({ name: 'p', tasks: [task('x')] })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  expect(keepsAlive()).toBe(true)
  transport.attempt('a').fail('no')
  await clock.settle()
  // A task that waits before its retry is open.
  expect(keepsAlive()).toBe(true)
  await clock.advance(5_000)
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.summary()).status).toBe('completed')
  expect((await pending.summary()).status).toBe('pending')
  expect(keepsAlive()).toBe(false)
})

test('CO8 close gives running attempts the grace period, no new leases, and flushes all', async () => {
  const { fleet, clock, transport, store } = await openBench()
  await fleet.start({ id: 'r', name: 'r', tasks: [task('a'), task('b')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  let closed = false
  const closing = fleet.close().then(() => (closed = true))
  await clock.advance(9_000)
  expect(closed).toBe(false)
  expect(transport.attempt('a').stopped).toBeUndefined()
  transport.attempt('a').complete()
  await clock.settle()
  await closing
  expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['a'])
  const second = await openBench({ store: store.peer(), clock, seed: 'second', leasing: false })
  expect((await (await second.fleet.run('r')).tasks()).map((one) => one.status)).toEqual(['completed', 'enqueued'])
})

test('CO8 what is left after the grace is told to stop and released; closing twice is safe, and everything after it is refused', async () => {
  const { fleet, clock, transport, store } = await openBench()
  const run = await fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  const closing = [fleet.close({ graceMs: 3_000 }), fleet.close(), fleet.close({ graceMs: 1 })]
  await clock.advance(30_000)
  await Promise.all(closing)
  await fleet.close()
  expect(transport.attempt('a').stopped).toMatchObject({ type: 'stop', code: 'fleet_closed' })
  await expect(fleet.start({ name: 'x', tasks: [task('b')] })).rejects.toMatchObject({ code: 'fleet_closed' })
  await expect(run.cancel()).rejects.toMatchObject({ code: 'fleet_closed' })
  const second = await openBench({ store: store.peer(), clock, seed: 'second', leasing: false })
  const again = await second.fleet.run('r')
  expect((await again.tasks())[0]).toMatchObject({ status: 'enqueued', attempt: 1 })
  expect(await again.receipts()).toEqual([])
  expect((await statesOf(again, 'a')).slice(-2)).toEqual(['interrupted', 'queued'])
})

test('CO8 a closed fleet leaves no timer behind', async () => {
  const { fleet, clock, transport } = await openBench()
  await fleet.start({
    name: 'r',
    tasks: [task('a'), task('b', { not_before: new Date(clock.now() + 86_400_000).toISOString() })],
  })
  await clock.settle()
  transport.attempt('a').accept()
  const closing = fleet.close({ graceMs: 100 })
  await clock.advance(60_000)
  await closing
  await clock.settle()
  expect(clock.pending).toBe(0)
})

test('CO8 await using closes', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock, ids: seededIds('store') })
  {
    await using fleet = await createFleet({ store, clock, ids: seededIds('one'), files: memoryFiles() })
    expect(await fleet.runs()).toEqual([])
    expect(await store.owner()).toBeDefined()
  }
  expect(await store.owner()).toBeUndefined()
})

test('CO8 a fleet that cannot be opened leaves its store free', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock, ids: seededIds('store') })
  const broken: Store = { ...methodsOf(store), loadSnapshot: () => Promise.reject(new Error('unreadable')) }
  await expect(createFleet({ store: broken, clock, ids: seededIds('one'), files: memoryFiles() })).rejects.toThrow('unreadable')
  expect(await store.owner()).toBeUndefined()
})

test('CO9 the memory store keeps the newest ended runs, and the fleet forgets the others with it', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock, ids: seededIds('store'), keepEndedRuns: 2 })
  const { fleet, transport } = await openBench({ store, clock })
  for (const id of ['r1', 'r2', 'r3', 'r4']) {
    await fleet.start({ id, name: id, tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
  }
  expect((await fleet.runs()).map((row) => row.id).sort()).toEqual(['r3', 'r4'])
  await expect(fleet.run('r1')).rejects.toMatchObject({ code: 'unknown_run' })
  expect((await fleet.summary()).completed).toBe(2)
})

/** The store's methods, bound, so that a test can replace some. */
function methodsOf(store: MemoryStore): MemoryStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    ownKeys: (target) => [...new Set([...Object.keys(target), ...Object.getOwnPropertyNames(Object.getPrototypeOf(target))])],
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }),
  })
}

test('CO8 closing while the store refuses everything ends all the same, and the next owner releases what was running', async () => {
  let failing = false
  const bench = await openBench({ storeParts: { beforeAppend: () => (failing ? 'refuse' : 'store') } })
  await bench.fleet.start({ name: 'r', tasks: [task('a')] })
  await bench.clock.settle()
  bench.transport.attempt('a').accept()
  await bench.clock.settle()
  failing = true
  let closed = false
  const closing = bench.fleet.close().then(() => (closed = true))
  await bench.clock.advance(60_000)
  expect(closed).toBe(true)
  await closing
  failing = false
  const next = await openBench({ store: bench.store.peer(), clock: bench.clock, seed: 'next' })
  expect(next.transport.attempt('a').assign.attempt).toBe(2)
})
