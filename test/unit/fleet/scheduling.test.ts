import { describe, expect, test } from 'vitest'
import { statuses } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { createTestTransport } from '../../support/test-transport.ts'
import type { TestTransport } from '../../support/test-transport.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { createFleetState, createRunState, createTaskState } from '../../../src/engine/state.ts'
import { loadRun } from '../../../src/engine/run-loader.ts'
import { createReadyQueue } from '../../../src/engine/ready-queue.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const order = (transport: TestTransport) => transport.attempts.map((held) => held.assign.task_id)

describe('SC1', () => {
  test('SC1 a worker takes one lease at a time by default, and as many as it has slots (S1, M15)', async () => {
    const one = await openBench()
    await one.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await one.clock.settle()
    expect(one.transport.attempts).toHaveLength(1)
    const three = await openBench({ slots: 3 })
    await three.fleet.start({ name: 'r', tasks: ['a', 'b', 'c', 'd'].map((id) => task(id)) })
    await three.clock.settle()
    expect(order(three.transport)).toEqual(['a', 'b', 'c'])
    three.transport.attempt('b').complete()
    await three.clock.settle()
    expect(order(three.transport)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('SC1 a run takes at most max_workers leases, and others use what it leaves (M15)', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 4 })
    const run = await fleet.start({ name: 'r', tasks: ['a', 'b', 'c'].map((id) => task(id)), max_workers: 2 })
    await fleet.start({ name: 's', tasks: [task('x')] })
    await clock.settle()
    expect([...order(transport)].sort()).toEqual(['a', 'b', 'x'])
    expect(await run.summary()).toMatchObject({ running: 2, queued: 1 })
    transport.attempt('a').complete()
    await clock.settle()
    expect(order(transport).at(-1)).toBe('c')
  })

  test('SC1 the fleet gives out at most its own limit of leases', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 8, limits: { maxLeases: 3 } })
    await fleet.start({ name: 'r', tasks: ['a', 'b'].map((id) => task(id)) })
    await fleet.start({ name: 's', tasks: ['x', 'y'].map((id) => task(id)) })
    await clock.settle()
    expect(transport.attempts).toHaveLength(3)
    transport.attempts[0]?.complete()
    await clock.settle()
    expect(transport.attempts).toHaveLength(4)
  })

  test('SC1 three tasks and one worker: all complete, each with its receipt (M27, M28)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: ['a', 'b', 'c'].map((id) => task(id)) })
    for (const id of ['a', 'b', 'c']) {
      await clock.settle()
      transport.attempt(id).complete()
    }
    await clock.settle()
    expect((await run.receipts()).map((receipt) => receipt.task_id)).toEqual(['a', 'b', 'c'])
    expect(await run.summary()).toMatchObject({ completed: 3, status: 'completed' })
  })
})

describe('SC2', () => {
  test('SC2 runs take fair turns: a long run does not hold up one that came later', async () => {
    const { fleet, clock, transport } = await openBench()
    await fleet.start({ name: 'long', tasks: Array.from({ length: 5 }, (_, index) => task(`l${index}`)) })
    await fleet.start({ name: 'short', tasks: [task('s0'), task('s1')] })
    for (let next = 0; next < 7; next += 1) {
      await clock.settle()
      transport.attempts[next]?.complete()
    }
    expect(order(transport)).toEqual(['l0', 'l1', 's0', 'l2', 's1', 'l3', 'l4'])
  })

  test('SC2 turns hold among three runs, whatever their priorities', async () => {
    const { fleet, clock, transport } = await openBench()
    for (const run of ['a', 'b', 'c']) {
      await fleet.start({
        name: run,
        tasks: [1, 2].map((index) => task(`${run}${index}`, { metadata: { priority: run === 'c' ? -5 : 5 } })),
      })
    }
    for (let next = 0; next < 6; next += 1) {
      await clock.settle()
      transport.attempts[next]?.complete()
    }
    expect(order(transport)).toEqual(['a1', 'a2', 'b1', 'c1', 'b2', 'c2'])
  })

  test('SC2 within a run priority counts first (lower first), then the order in the spec (L7)', async () => {
    const { fleet, clock, transport } = await openBench()
    const tasks = [
      task('d'),
      task('late', { metadata: { priority: 3 } }),
      task('first', { metadata: { priority: -1 } }),
      task('a'),
    ]
    await fleet.start({ name: 'r', tasks })
    for (let next = 0; next < 4; next += 1) {
      await clock.settle()
      transport.attempts[next]?.complete()
    }
    expect(order(transport)).toEqual(['first', 'd', 'a', 'late'])
  })

  test('SC2 of equal priority, what was enqueued earlier comes first (W23)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('x'), task('b', { depends_on: ['x'] })], open: true })
    await clock.advance(1)
    await run.add([task('c')])
    await clock.advance(1)
    // Now b is enqueued, after c, though it stands before it.
    transport.attempt('x').complete()
    await clock.settle()
    transport.attempts[1]?.complete()
    await clock.settle()
    expect(order(transport)).toEqual(['x', 'c', 'b'])
  })

  test('SC2 the order stays true when tasks are cancelled and enqueued again', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('busy')], open: true })
    for (const id of ['t1', 't2', 't3', 't4', 't5']) {
      await clock.advance(1)
      await run.add([task(id)])
    }
    await clock.advance(1)
    await run.cancelTask('t1')
    await run.restart('t1')
    for (let next = 0; next < 6; next += 1) {
      await clock.settle()
      transport.attempts[next]?.complete()
    }
    expect(order(transport)).toEqual(['busy', 't2', 't3', 't4', 't5', 't1'])
  })

  test('SC2 not_before delays a task, and holds nobody else up', async () => {
    const { fleet, clock, transport } = await openBench()
    const at = new Date(clock.now() + 60_000).toISOString()
    await fleet.start({ name: 'r', tasks: [task('later', { not_before: at, metadata: { priority: -9 } }), task('now')] })
    await clock.settle()
    transport.attempt('now').complete()
    await clock.advance(59_999)
    expect(order(transport)).toEqual(['now'])
    await clock.advance(1)
    expect(order(transport)).toEqual(['now', 'later'])
  })

  test('SC2 a moment that has passed delays nothing', async () => {
    const { fleet, clock, transport } = await openBench()
    await fleet.start({ name: 'r', tasks: [task('a', { not_before: new Date(clock.now() - 1).toISOString() })] })
    await clock.settle()
    expect(order(transport)).toEqual(['a'])
  })

  test('SC2 a dependency and a moment must both be met', async () => {
    const { fleet, clock, transport } = await openBench()
    const at = new Date(clock.now() + 60_000).toISOString()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'], not_before: at })] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'backoff' })
    await clock.advance(60_000)
    expect(order(transport)).toEqual(['a', 'b'])
  })
})

describe('SC4', () => {
  test('SC4 a task that cannot be leased is passed over by those behind it (W20, W21)', async () => {
    const { fleet, clock, transport } = await openBench()
    await fleet.start({
      name: 'r',
      tasks: [task('never', { handler: 'nobody', metadata: { priority: -9 } }), task('a'), task('b')],
    })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect(order(transport)).toEqual(['a', 'b'])
  })

  test('SC4 a task that waits for a busy worker does not hold up one that another worker can take (W20)', async () => {
    const gpu = createTestTransport()
    const cpu = createTestTransport()
    const { fleet, clock } = await openBench({
      workers: [
        { id: 'gpu', transport: gpu, capabilities: ['gpu'] },
        { id: 'cpu', transport: cpu },
      ],
    })
    const needs = { worker: { capabilities: ['gpu'] } }
    await fleet.start({ name: 'r', tasks: [task('g1', needs), task('g2', needs), task('c1')] })
    await clock.settle()
    expect([order(gpu), order(cpu)]).toEqual([['g1'], ['c1']])
  })

  test('SC4 a task that cannot be prepared fails by itself, and the next runs (W21, W22)', async () => {
    const { fleet, clock, transport } = await openBench({ files: memoryFiles(), workspace: '/base' })
    const run = await fleet.start({ name: 'r', tasks: [task('bad', { input_files: ['missing.txt'] }), task('good')] })
    await clock.settle()
    expect(order(transport)).toEqual(['good'])
    expect(await statuses(run)).toEqual({ bad: 'failed', good: 'starting' })
    transport.attempt('good').complete()
    await clock.settle()
    expect((await run.summary()).status).toBe('failed')
  })

  test('SC4 a run whose tasks nobody can take does not hold up another run (W22)', async () => {
    const { fleet, clock, transport } = await openBench()
    await fleet.start({ name: 'stuck', tasks: [task('never', { handler: 'nobody' })] })
    await fleet.start({ name: 'fine', tasks: [task('a')] })
    await clock.settle()
    expect(order(transport)).toEqual(['a'])
  })

  test('SC4 a preparation that takes long holds up no other task', async () => {
    const plain = memoryFiles()
    const never = new Promise<undefined>(() => {})
    const files = { ...plain, real: (path: string) => (path.endsWith('slow.txt') ? never : plain.real(path)) }
    const { fleet, clock, transport } = await openBench({ files, workspace: '/base', slots: 2 })
    await fleet.start({ name: 'r', tasks: [task('slow', { input_files: ['slow.txt'] }), task('a'), task('b')] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect(order(transport)).toEqual(['a', 'b'])
  })
})

describe('SC8', () => {
  const { gates } = createFleetState()
  const header = { id: 'r', name: 'r', short: 's', labels: {}, worker_specs: [], open: false, createdAt: 0, workspace: '/' }

  function queueOf(count: number, kinds: number) {
    const run = createRunState(header)
    const queue = createReadyQueue()
    const tasks = Array.from({ length: count }, (_, index) => {
      const spec = FleetTaskSpec.parse({ id: `t${index}`, name: 't', instructions: 'i', handler: `h${index % kinds}` })
      const state = { ...createTaskState(run, spec, { by: 1, at: index }), index }
      queue.push(state)
      return state
    })
    return { queue, tasks }
  }

  test('SC8 choosing asks once for each kind of requirement, however many tasks share it', () => {
    const { queue } = queueOf(10_000, 4)
    let asked = 0
    const none = queue.first(
      () => {
        asked += 1
        return false
      },
      gates,
      0,
    )
    expect([none, asked]).toEqual([undefined, 4])
    expect(queue.first((requirement) => requirement.handler === 'h2', gates, 0)?.id).toBe('t2')
  })

  test('SC8 tasks that left the queue cost nothing once they came up', () => {
    const { queue, tasks } = queueOf(1_000, 2)
    for (const task of tasks.slice(0, 999)) task.version += 1
    expect(queue.first(() => true, gates, 0)?.id).toBe('t999')
    let asked = 0
    queue.first(
      () => {
        asked += 1
        return true
      },
      gates,
      0,
    )
    expect(asked).toBe(1)
  })

  test('SC8 equal requirements have equal keys, whatever the order of their capabilities; others have others', async () => {
    const key = (more: object) =>
      createTaskState(createRunState(header), FleetTaskSpec.parse({ id: 't', name: 't', instructions: 'i', ...more }), {
        by: 1,
        at: 0,
      }).requirement.key
    expect(key({ worker: { capabilities: ['a', 'b'] } })).toBe(key({ worker: { capabilities: ['b', 'a'] } }))
    const keys = [
      {},
      { handler: 'h' },
      { worker: { role: 'x' } },
      { worker: { capabilities: ['a'] } },
      { metadata: { command: ['true'] } },
    ].map(key)
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('SC8 what waits on a dependency or a moment is parked there and woken, and takes no turns meanwhile', async () => {
    const { fleet, clock, transport, store } = await openBench()
    const at = new Date(clock.now() + 30_000).toISOString()
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a'), task('b', { depends_on: ['a'] }), task('c', { not_before: at })],
    })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    const leasable = async () => {
      const state = createFleetState()
      const loaded = await loadRun(state, { store, clock }, run.id, true)
      return [state.turns.has(run.id), loaded?.ready.first(() => true, state.gates, clock.now())?.id]
    }
    expect(await leasable()).toEqual([false, undefined])
    await clock.advance(30_000)
    expect(await leasable()).toEqual([true, 'c'])
    transport.attempt('a').complete()
    await clock.settle()
    // The slot went to c, which was enqueued first; b was woken by the end of a.
    expect(order(transport)).toEqual(['a', 'c'])
    expect(await leasable()).toEqual([true, 'b'])
  })
})
