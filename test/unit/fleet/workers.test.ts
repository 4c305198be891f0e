import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import { entriesOf, fieldsOf, statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { createTestTransport } from '../../support/test-transport.ts'

const records = (store: Parameters<typeof entriesOf>[0]) =>
  entriesOf(store, 'fleet').map(
    ({ kind, record }) => [kind, record?.id, record?.incarnation, record?.draining, record?.retired] as const,
  )

describe('WO the table of workers', () => {
  test('WO a worker is unknown until it says hello, online, busy with a lease, and online again', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const status = () => fleet.workers()[0]?.status
    expect(status()).toBe('online')
    await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    expect([status(), fleet.workers()[0]?.busy]).toEqual(['busy', 2])
    transport.attempt('a').complete()
    await clock.settle()
    expect(status()).toBe('busy')
    transport.attempt('b').complete()
    await clock.settle()
    expect([status(), fleet.workers()[0]?.busy]).toEqual(['online', 0])
  })

  test('WO a stale lease makes its worker unhealthy: it gets nothing until it is heard again (W9)', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const status = () => fleet.workers()[0]?.status
    await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.advance(60_000)
    expect(status()).toBe('unhealthy')
    await fleet.start({ name: 's', tasks: [task('b')] })
    await clock.advance(5_000)
    expect(transport.attempts).toHaveLength(1)
    transport.attempt('a').heartbeat()
    await clock.settle()
    expect(status()).toBe('busy')
    expect(transport.attempts).toHaveLength(2)
  })

  test('WO a worker elsewhere that stays silent is not well again by the mere passing of time, but by any message', async () => {
    const { fleet, clock, transport } = await openBench()
    const status = () => fleet.workers()[0]?.status
    await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    const held = transport.attempt('a')
    held.accept()
    await clock.advance(60_000)
    expect(status()).toBe('unhealthy')
    await clock.advance(3_600_000)
    expect([status(), transport.attempts.length]).toEqual(['unhealthy', 1])
    held.heartbeat()
    await clock.settle()
    expect([status(), transport.attempts.length]).toEqual(['busy', 2])
  })

  test('WO a closed channel makes a worker offline, and its next hello online', async () => {
    const { fleet, clock, transport } = await openBench()
    transport.drop('w1')
    await clock.settle()
    expect(fleet.workers()[0]?.status).toBe('offline')
    await clock.advance(1_000)
    expect(fleet.workers()[0]?.status).toBe('online')
  })

  test('WO a drained worker without a lease retires at once; with one, when its last lease ends', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b'), task('c')] })
    await clock.settle()
    let drained = false
    const draining = fleet.drain('w1').then(() => (drained = true))
    await clock.settle()
    expect(fleet.workers()[0]?.status).toBe('draining')
    transport.attempt('a').complete()
    await clock.settle()
    expect([drained, transport.attempts.length]).toEqual([false, 2])
    transport.attempt('b').complete()
    await draining
    await clock.settle()
    expect(fleet.workers()[0]?.status).toBe('retired')
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'completed', c: 'enqueued' })
    const idle = await openBench()
    await idle.fleet.drain('w1')
    expect(idle.fleet.workers()[0]?.status).toBe('retired')
  })
})

describe('WO1', () => {
  test('WO1 registration, drain and retirement are durable, in the stream of the fleet; presence leaves no entry', async () => {
    const { fleet, clock, transport, store } = await openBench()
    await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.advance(60_000)
    transport.attempt('a').confirm()
    await clock.settle()
    const draining = fleet.drain('w1')
    await clock.advance(5_000)
    await draining
    await clock.settle()
    expect(records(store).map(([kind, id, , isDraining, isRetired]) => [kind, id, isDraining, isRetired])).toEqual([
      ['worker.registered', 'w1', false, false],
      ['worker.drained', 'w1', true, false],
      ['worker.retired', 'w1', true, true],
    ])
  })

  test('WO1 the incarnation changes at each start of a worker, and each is durable', async () => {
    const { clock, transport, store } = await openBench()
    transport.drop('w1')
    await clock.advance(1_000)
    transport.drop('w1')
    await clock.advance(2_000)
    const incarnations = records(store).map(([, , incarnation]) => incarnation)
    expect(incarnations).toHaveLength(3)
    expect(new Set(incarnations).size).toBe(3)
    expect(transport.opened).toBe(3)
  })

  test('WO1 the same worker of the next fleet is another incarnation: a worker of a process is (fleet instance, id)', async () => {
    const first = await openBench()
    await first.fleet.close()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    await second.clock.settle()
    const [one, two] = records(second.store).map(([, , incarnation]) => incarnation)
    expect(one).not.toBe(two)
  })

  test('WO1 leases of an earlier incarnation are released when the next says hello', async () => {
    const { fleet, clock, transport, store } = await openBench({ transport: createTestTransport({ survives: true }) })
    const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    transport.say('w1', { type: 'hello', worker_id: 'w1', incarnation: 'reborn', attempts: [] })
    await clock.settle()
    expect(transport.attempts.map((held) => held.assign.attempt)).toEqual([1, 2])
    expect(await verdicts(run)).toEqual([])
    expect(fieldsOf(store, run.id, 'a')).toMatchObject({ attempt: 2, incarnation: 'reborn' })
  })

  test('WO1 a hello that names its live attempts keeps them', async () => {
    const { fleet, clock, transport } = await openBench({ transport: createTestTransport({ survives: true }) })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    const held = transport.attempt('a')
    held.accept()
    await clock.settle()
    transport.say('w1', {
      type: 'hello',
      worker_id: 'w1',
      incarnation: 'same',
      attempts: [{ run_id: run.id, task_id: 'a', attempt: 1 }],
    })
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'running' })
    held.complete()
    await clock.settle()
    expect(await verdicts(run)).toEqual(['a/1 partial'])
  })

  test('WO1 `fleet` is reserved: no run and no worker has this id', async () => {
    const { fleet, transport } = await openBench()
    await expect(fleet.create({ id: 'fleet', name: 'r', tasks: [task('a')] })).rejects.toMatchObject({ code: 'invalid_document' })
    await expect(fleet.addWorker({ id: 'fleet', transport })).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining('fleet'),
    })
    const spec = { id: 'fleet', name: 'w', host: { kind: 'local' as const }, trust_level: 'local' as const }
    await expect(fleet.create({ name: 'r', tasks: [task('a')], worker_specs: [spec] })).rejects.toMatchObject({
      code: 'invalid_document',
    })
  })

  test('WO1 the stream of the fleet is no run: nobody lists, opens or carries it on', async () => {
    const { fleet } = await openBench()
    expect(await fleet.runs()).toEqual([])
    await expect(fleet.run('fleet')).rejects.toMatchObject({ code: 'unknown_run' })
  })

  test('WO1 handlers make one worker, local, with as many slots as the machine has cores, or as told', async () => {
    const { fleet } = await openBench({ handlers: { work: () => 1 } })
    expect(fleet.workers()).toMatchObject([{ id: 'local', slots: availableParallelism(), kind: 'in-process', status: 'online' }])
    const told = await openBench({ handlers: { work: () => 1 }, slots: 3 })
    expect(told.fleet.workers()).toMatchObject([{ id: 'local', slots: 3 }])
  })

  test('WO1 a task that names neither handler nor command goes only to workers that are plain functions', async () => {
    const { fleet, clock } = await openBench({
      handlers: { work: () => 'handled' },
      workers: [{ id: 'plain', run: (spec) => `plain ${spec.id}` }],
    })
    const run = await fleet.start({ name: 'r', tasks: [task('p'), task('h', { handler: 'work' })] })
    await clock.settle()
    expect((await run.receipts()).map((receipt) => [receipt.task_id, receipt.worker_id, receipt.output]).toSorted()).toEqual([
      ['h', 'local', 'handled'],
      ['p', 'plain', 'plain p'],
    ])
  })

  test('WO1 a drain outlives a reconnect', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    await fleet.start({ name: 'r', tasks: [task('a'), task('b'), task('c')] })
    await clock.settle()
    void fleet.drain('w1')
    await clock.settle()
    transport.drop('w1')
    await clock.advance(600_000)
    // Whether it came back or not, it got nothing more.
    expect(transport.attempts).toHaveLength(2)
  })

  test('WO1 a drain outlives the fleet that heard of it', async () => {
    const first = await openBench()
    await first.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await first.clock.settle()
    void first.fleet.drain('w1')
    await first.clock.settle()
    first.store.crash()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    await second.clock.advance(60_000)
    expect(second.transport.attempts).toHaveLength(0)
    expect(second.fleet.workers()).toMatchObject([{ id: 'w1', status: expect.stringMatching(/draining|retired/) }])
  })

  test('WO1 a worker that drains and works on over a crash of the fleet retires with its last lease', async () => {
    const first = await openBench({ transport: createTestTransport({ survives: true }) })
    await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a'), task('b')] })
    await first.clock.settle()
    first.transport.attempt('a').accept()
    void first.fleet.drain('w1')
    await first.clock.settle()
    first.store.crash()
    const transport = createTestTransport({ survives: true })
    const key = { run_id: 'r', task_id: 'a', attempt: 1 }
    transport.stillRuns = [key]
    const { store, clock, fleet } = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second', transport })
    const retired = () => records(store).filter(([kind]) => kind === 'worker.retired')
    expect([fleet.workers()[0]?.status, retired()]).toEqual(['draining', []])
    transport.say('w1', { type: 'result', ...key })
    await clock.settle()
    expect(fleet.workers()[0]?.status).toBe('retired')
    expect(retired()).toHaveLength(1)
    expect(transport.attempts).toEqual([])
  })

  test('WO1 a worker that retired is registered anew by the next fleet', async () => {
    const first = await openBench()
    await first.fleet.drain('w1')
    await first.fleet.close()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    await second.fleet.start({ name: 'r', tasks: [task('a')] })
    await second.clock.settle()
    expect(second.transport.attempts).toHaveLength(1)
  })

  test('WO1 WO3 a worker that retired stays so, though what it was told to stop is written off after it', async () => {
    const first = await openBench({ slots: 2 })
    const run = await first.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await first.clock.settle()
    for (const id of ['a', 'b']) first.transport.attempt(id).accept()
    const drained = first.fleet.drain('w1', { graceMs: 5_000 })
    await first.clock.advance('4s')
    await run.cancelTask('a')
    // Its channel is closed without a word of either attempt, so they are written off one after the other.
    await first.clock.advance('60s')
    await drained
    expect(first.names().filter((name) => name === 'worker.abandoned')).toHaveLength(2)
    await first.fleet.close()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    await second.clock.settle()
    expect(second.fleet.workers()).toMatchObject([{ id: 'w1', status: 'busy' }])
    expect(second.transport.attempts.map((held) => held.assign.task_id)).toEqual(['b'])
  })

  test('WO1 drain({ graceMs }) releases what is left after it', async () => {
    const other = createTestTransport()
    const { fleet, clock, transport, store } = await openBench({ workers: [] })
    await fleet.addWorker({ id: 'w1', transport })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').accept()
    const drained = fleet.drain('w1', { graceMs: 5_000 })
    await clock.advance(4_999)
    expect(transport.attempt('a').stopped).toBeUndefined()
    await fleet.addWorker({ id: 'w2', transport: other })
    await clock.advance(1)
    expect(transport.attempt('a').stopped).toMatchObject({ reason: 'drained' })
    transport.attempt('a').confirm()
    await drained
    await clock.settle()
    expect(other.attempts.map((held) => held.assign.attempt)).toEqual([2])
    expect([await verdicts(run), fieldsOf(store, run.id, 'a').failures]).toEqual([[], undefined])
  })

  test('WO1 draining a worker that is not there is refused', async () => {
    const { fleet } = await openBench()
    await expect(fleet.drain('nobody')).rejects.toMatchObject({ code: 'unknown_worker' })
  })
})

describe('WO2', () => {
  test('WO2 a worker that fails to start waits longer before each next start, up to a most', async () => {
    const transport = createTestTransport()
    transport.failOpens(20, 'no such host')
    const { fleet, clock } = await openBench({ transport })
    const starts = [clock.monotonic()]
    for (let opened = transport.opened; opened < 9; opened += 1) {
      await clock.advanceUntil(() => transport.opened > opened)
      starts.push(clock.monotonic())
    }
    const waits = starts.slice(1).map((at, index) => at - (starts[index] ?? 0))
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    expect(fleet.workers()[0]?.status).toBe('offline')
  })

  test('WO2 a fleet opens although a worker does not start, and works once it does', async () => {
    const transport = createTestTransport()
    transport.failOpens(2, 'no such host')
    const { fleet, clock } = await openBench({ transport })
    await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.advance(2_999)
    expect(transport.attempts).toHaveLength(0)
    await clock.advance(1)
    expect(transport.attempts).toHaveLength(1)
  })

  test('WO2 a worker that drops several times in a row waits longer each time; one that stayed up begins anew', async () => {
    const { clock, transport } = await openBench()
    const nextStart = async () => {
      const [opened, from] = [transport.opened, clock.monotonic()]
      transport.drop('w1')
      await clock.advanceUntil(() => transport.opened > opened)
      return clock.monotonic() - from
    }
    expect([await nextStart(), await nextStart(), await nextStart()]).toEqual([1_000, 2_000, 4_000])
    await clock.advance(60_000)
    expect(await nextStart()).toBe(1_000)
  })

  test('WO2 attempts that a worker never accepted are released, however often it drops (M3)', async () => {
    const { fleet, clock, transport, store } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
    for (let round = 1; round <= 5; round += 1) {
      await clock.advanceUntil(() => transport.attempts.length === round)
      transport.drop('w1')
    }
    await clock.advanceUntil(() => transport.attempts.length === 6)
    expect(await verdicts(run)).toEqual([])
    expect(fieldsOf(store, run.id, 'a')).toMatchObject({ attempt: 6 })
    transport.attempt('a').complete()
    await clock.settle()
    expect(await verdicts(run)).toEqual(['a/6 partial'])
  })

  test('WO2 an attempt that had begun fails as transport when its worker drops (RE7)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    transport.drop('w1', 'the cable was cut')
    await clock.settle()
    expect(await verdicts(run)).toEqual(['a/1 fail transport'])
    expect((await run.receipt('a'))?.evidence).toContain('the cable was cut')
  })
})

describe('WO3', () => {
  test('WO3 a slot is free only when the end of what ran in it is confirmed by the transport (W11)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    await run.cancelTask('a')
    await clock.advance(5_000)
    expect(transport.attempts).toHaveLength(1)
    transport.attempt('a').confirm()
    await clock.settle()
    expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['a', 'b'])
  })

  test('WO3 a restart does not run two processes of one task: the second attempt waits for the end of the first (W11, M20)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    const old = transport.attempt('a')
    old.accept()
    await clock.settle()
    await run.restart('a')
    await clock.settle()
    expect(transport.attempts).toHaveLength(1)
    expect(old.stopped).toMatchObject({ attempt: 1 })
    old.complete({ output: 'old' })
    await clock.settle()
    transport.attempt('a').complete({ output: 'new' })
    await clock.settle()
    expect((await run.receipts('a')).map((receipt) => [receipt.attempt, receipt.output, receipt.result])).toEqual([
      [2, 'new', 'partial'],
    ])
    expect((await run.receipt('a'))?.terminal_seq).toBeGreaterThan(0)
    expect(await run.summary()).toMatchObject({ restarted: 1, completed: 1, partial: 1 })
  })

  test('WO3 a slot is free when the next incarnation has come up', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    await run.cancelTask('a')
    transport.drop('w1')
    await clock.advance(1_000)
    expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['a', 'b'])
  })

  const deaf = async (more: object = {}) => {
    const ends: (() => void)[] = []
    const bench = await openBench({
      handlers: {
        deaf: () => new Promise<void>((resolve) => ends.push(resolve)),
        kind: (attempt) =>
          new Promise((_, reject) => attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason as Error))),
      },
      slots: 1,
      ...more,
    })
    return { ...bench, ends }
  }

  test('WO3 an in-process handler that ignores its signal is written off after the grace, and counted as abandoned', async () => {
    const { fleet, clock, heard, ends, store } = await deaf()
    const run = await fleet.start({ name: 'r', tasks: [task('a', { handler: 'deaf' }), task('b', { handler: 'deaf' })] })
    await clock.settle()
    expect(ends).toHaveLength(1)
    const first = fieldsOf(store, run.id, 'a').incarnation
    await run.cancelTask('a')
    await clock.advance(9_999)
    expect([ends.length, fleet.workers()[0]?.abandoned]).toEqual([1, 0])
    await clock.advance(2_000)
    expect([ends.length, fleet.workers()[0]?.abandoned]).toEqual([2, 1])
    expect(heard.filter((event) => event.event === 'worker.abandoned')).toMatchObject([
      { task_id: 'a', attempt: 1, worker_id: 'local' },
    ])
    // Its worker got a new incarnation.
    expect(fieldsOf(store, run.id, 'b').incarnation).not.toBe(first)
    // Once it ends after all, it is counted no more, and its late result changes nothing.
    ends[0]?.()
    await clock.settle()
    expect(fleet.workers()[0]?.abandoned).toBe(0)
    expect(await verdicts(run)).toEqual(['a/1 skip'])
  })

  test('WO3 a handler that heeds its signal is not written off', async () => {
    const { fleet, clock, heard, ends } = await deaf()
    const run = await fleet.start({ name: 'r', tasks: [task('a', { handler: 'kind' }), task('b', { handler: 'deaf' })] })
    await clock.settle()
    await run.cancelTask('a')
    await clock.settle()
    expect([ends.length, fleet.workers()[0]?.abandoned]).toEqual([1, 0])
    await clock.advance(60_000)
    expect(heard.map((event) => event.event)).not.toContain('worker.abandoned')
  })

  test('WO3 at most a set number is written off at once: then the worker takes no more until one has ended', async () => {
    const { fleet, clock, ends } = await deaf({ limits: { abandonedAtOnce: 2 } })
    const run = await fleet.start({ name: 'r', tasks: ['a', 'b', 'c', 'd'].map((id) => task(id, { handler: 'deaf' })) })
    for (const id of ['a', 'b']) {
      await clock.settle()
      await run.cancelTask(id)
      await clock.advance(11_000)
    }
    await clock.advance(60_000)
    expect([ends.length, fleet.workers()[0]?.abandoned]).toEqual([2, 2])
    ends[0]?.()
    await clock.settle()
    expect([ends.length, fleet.workers()[0]?.abandoned]).toEqual([3, 1])
  })
})
