import { expect, test } from 'vitest'
import type { Transport } from '../../../src/ports/transport.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'
import { eventsOf, journalOf, statesOf } from '../../support/journal.ts'
import { createTestTransport } from '../../support/test-transport.ts'

let crashes = 0

/** The fleet's process dies, and another one takes the store over. */
async function reopened(bench: BenchFleet, options: Parameters<typeof openBench>[0] = {}): Promise<BenchFleet> {
  const store = bench.store.peer()
  bench.store.crash()
  crashes += 1
  const next = await openBench({ store, clock: bench.clock, seed: `again ${crashes}`, ...options })
  await next.clock.settle()
  return next
}

test('LE6 after a crash, leases of in-process workers are released at once, before any time passes (L17, M11, M14)', async () => {
  const first = await openBench({ slots: 2 })
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('done'), task('orphan'), task('third')] })
  await first.clock.settle()
  first.transport.attempt('done').complete()
  first.transport.attempt('orphan').accept()
  await first.clock.settle()
  const at = first.clock.monotonic()
  const second = await reopened(first, { slots: 3 })
  const run = await second.fleet.run('r')
  expect(second.clock.monotonic()).toBe(at)
  expect((await run.tasks()).map((one) => [one.id, one.status, one.attempt])).toEqual([
    ['done', 'completed', 1],
    ['orphan', 'starting', 2],
    ['third', 'starting', 2],
  ])
  // What had ended keeps its receipt, and nothing was counted against the rest (W10).
  expect((await run.receipts()).map((receipt) => [receipt.task_id, receipt.attempt])).toEqual([['done', 1]])
  expect((await statesOf(run, 'orphan')).slice(4)).toEqual(['interrupted', 'queued', 'leased', 'starting'])
  expect((await run.summary()).restarted).toBe(0)
})

test('LE6 opening twice changes nothing that opening once did not (M12, M13)', async () => {
  const first = await openBench()
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  const second = await reopened(first, { leasing: false })
  const before = await second.store.last('r')
  const closing = second.fleet.close()
  await closing
  const third = await openBench({ store: second.store.peer(), clock: first.clock, seed: 'third', leasing: false })
  await third.clock.settle()
  expect(await third.store.last('r')).toBe(before)
  expect((await (await third.fleet.run('r')).tasks())[0]).toMatchObject({ status: 'enqueued', attempt: 1 })
})

test('LE6 the group and start time of a child process are recorded with its lease, and taken back with its end', async () => {
  const { fleet, clock, transport, store } = await openBench({ slots: 3 })
  const once = { retry_policy: { max_attempts: 1 } }
  const run = await fleet.start({ name: 'r', tasks: [task('done', once), task('failed', once), task('cancelled', once)] })
  await clock.settle()
  const process = { group: 4711, started: '99' }
  for (const held of transport.attempts) held.send({ type: 'accepted', process } as never)
  await clock.settle()
  transport.attempt('done').complete()
  transport.attempt('failed').fail('no')
  await run.cancelTask('cancelled')
  await clock.settle()
  const journal = await journalOf(store, run.id)
  const recorded = (id: string) =>
    journal.flatMap(({ task: of, set }) => (of === id && set?.process !== undefined ? [set.process] : []))
  for (const id of ['done', 'failed', 'cancelled']) expect([id, ...recorded(id)]).toEqual([id, process, null])
})

test('LE6 leases of workers that may still live elsewhere get one ttl to report in, and go on where they were if they do', async () => {
  const first = await openBench({ transport: createTestTransport({ survives: true }) })
  const run = await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  first.transport.attempt('a').accept()
  await first.clock.settle()
  const seqs = (await eventsOf(run)).length
  const transport = createTestTransport({ survives: true })
  transport.stillRuns = [{ run_id: 'r', task_id: 'a', attempt: 1 }]
  const { clock, fleet } = await reopened(first, { transport })
  const again = await fleet.run('r')
  expect((await again.tasks())[0]).toMatchObject({ status: 'running', attempt: 1 })
  await clock.advance(50_000)
  const key = { run_id: 'r', task_id: 'a', attempt: 1 }
  transport.say('w1', { type: 'progress', ...key, event: { state: 'model_wait' } })
  await clock.advance(50_000)
  transport.say('w1', { type: 'result', ...key })
  await clock.settle()
  expect((await again.result()).status).toBe('completed')
  expect(transport.attempts).toHaveLength(0)
  expect(
    (await eventsOf(again))
      .slice(seqs)
      .map((event) => event.event)
      .slice(0, 2),
  ).toEqual(['worker.model_wait', 'worker.completed'])
})

test('LE6 LE7 an attempt whose acceptance was lost with a fleet is running as soon as its worker is heard, with its time limit', async () => {
  const first = await openBench({ transport: createTestTransport({ survives: true }) })
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a', { timeout_seconds: 100, retry_policy: { max_attempts: 1 } })] })
  await first.clock.settle()
  const transport = createTestTransport({ survives: true })
  const key = { run_id: 'r', task_id: 'a', attempt: 1 }
  transport.stillRuns = [key]
  const { clock, fleet } = await reopened(first, { transport })
  const run = await fleet.run('r')
  expect((await run.tasks())[0]).toMatchObject({ status: 'starting', attempt: 1 })
  transport.say('w1', { type: 'heartbeat', ...key })
  await clock.settle()
  expect((await run.tasks())[0]).toMatchObject({ status: 'running', attempt: 1 })
  for (let beats = 0; beats < 5; beats += 1) {
    await clock.advance(20_000)
    transport.say('w1', { type: 'heartbeat', ...key })
  }
  await clock.settle()
  expect((await run.receipts('a'))[0]).toMatchObject({ result: 'timeout' })
})

test('LE6 leases of workers elsewhere that do not report in within one ttl are stale', async () => {
  const first = await openBench({ transport: createTestTransport({ survives: true }) })
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  first.transport.attempt('a').accept()
  await first.clock.settle()
  const transport = createTestTransport({ survives: true })
  transport.failOpens(1_000, 'no route to host')
  const { fleet, clock } = await reopened(first, { transport })
  const run = await fleet.run('r')
  await clock.advance(59_999)
  expect((await run.tasks())[0]).toMatchObject({ status: 'running', attempt: 1 })
  await clock.advance(1)
  expect(await statesOf(run, 'a')).toContain('stale')
})

test('LE6 WO1 a worker elsewhere that comes back without its attempt has lost it', async () => {
  const first = await openBench({ transport: createTestTransport({ survives: true }) })
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a', { retry_policy: { initial_backoff_seconds: 0 } })] })
  await first.clock.settle()
  first.transport.attempt('a').accept()
  await first.clock.settle()
  const { fleet, transport } = await reopened(first, { transport: createTestTransport({ survives: true }) })
  const run = await fleet.run('r')
  expect(await run.receipts('a')).toEqual([])
  expect((await statesOf(run, 'a')).slice(4)).toEqual(['interrupted', 'queued', 'leased', 'starting'])
  expect(transport.attempt('a').assign.attempt).toBe(2)
})

test('LE8 a release has no receipt: interrupted, enqueued again, and not counted against max_attempts', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
  await clock.settle()
  for (let n = 0; n < 4; n += 1) {
    transport.drop('w1', 'no route to host')
    await clock.advance(60_000)
  }
  expect(transport.attempts.length).toBeGreaterThanOrEqual(5)
  expect(await run.receipts('a')).toEqual([])
  const interrupted = (await eventsOf(run)).find((event) => event.event === 'worker.interrupted')
  expect(interrupted?.payload).toEqual({ signal: 'no route to host' })
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.result()).status).toBe('completed')
  expect((await run.summary()).restarted).toBe(0)
})

test('LE8 closing releases what is left, drain too', async () => {
  const { fleet, clock, transport, store } = await openBench({ slots: 1 })
  const run = await fleet.start({ id: 'r', name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  const draining = fleet.drain('w1', { graceMs: 1_000 })
  await clock.advance(1_000)
  expect((await run.tasks())[0]).toMatchObject({ status: 'enqueued', attempt: 1 })
  expect(transport.attempt('a').stopped).toMatchObject({ type: 'stop' })
  transport.attempt('a').confirm()
  await clock.advance(60_000)
  await draining
  expect(fleet.workers()[0]?.status).toBe('retired')
  expect(await run.receipts()).toEqual([])
  await fleet.close()
  const entries = await journalOf(store, 'r')
  expect(entries.at(-1)?.set).toMatchObject({ status: 'enqueued', released: true })
  expect(entries.at(-1)?.set).not.toHaveProperty('failures')
})

test('LE8 the third release in a row by a crash of the fleet is a transport failure', async () => {
  let bench = await openBench()
  await bench.fleet.start({
    id: 'r',
    name: 'r',
    tasks: [task('a', { retry_policy: { max_attempts: 2, initial_backoff_seconds: 1 } })],
  })
  await bench.clock.settle()
  const seen: (string | undefined)[] = []
  for (let crash = 1; crash <= 3; crash += 1) {
    bench.transport.attempt('a').accept()
    await bench.clock.settle()
    bench = await reopened(bench)
    seen.push((await (await bench.fleet.run('r')).receipt('a'))?.failure_kind)
  }
  expect(seen).toEqual([undefined, undefined, 'transport'])
  const run = await bench.fleet.run('r')
  expect((await run.tasks())[0]).toMatchObject({ status: 'backoff', attempt: 3 })
  await bench.clock.advance(1_000)
  // It counts anew, and against the budget: three more crashes end the task.
  for (let crash = 1; crash <= 3; crash += 1) {
    bench.transport.attempt('a').accept()
    await bench.clock.settle()
    bench = await reopened(bench)
  }
  expect((await (await bench.fleet.run('r')).result()).status).toBe('failed')
})

test('LE8 releases for other reasons are no crashes, and an attempt that ends by itself breaks the row', async () => {
  let bench = await openBench()
  await bench.fleet.start({
    id: 'r',
    name: 'r',
    tasks: [task('a', { retry_policy: { max_attempts: 9, initial_backoff_seconds: 0 } })],
  })
  await bench.clock.settle()
  for (let round = 0; round < 3; round += 1) {
    bench = await reopened(bench)
    bench = await reopened(bench)
    if (round === 1) {
      bench.transport.attempt('a').fail('no')
      await bench.clock.settle()
    } else {
      bench.transport.drop('w1')
      await bench.clock.advance(1_500)
    }
  }
  const receipts = await (await bench.fleet.run('r')).receipts('a')
  expect(receipts.map((receipt) => receipt.failure_kind)).toEqual(['task'])
})

test('LE9 restarting revokes a live lease without a receipt, and the next attempt says restarted (M20, M21, M22)', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  const old = transport.attempt('a')
  expect(await run.restart('a')).toMatchObject({ changed: true })
  await clock.settle()
  expect(old.stopped).toMatchObject({ type: 'stop', attempt: 1 })
  expect(await run.receipts('a')).toEqual([])
  expect((await statesOf(run, 'a')).slice(4)).toEqual(['interrupted', 'queued', 'leased', 'restarted', 'starting'])
  const said = (await eventsOf(run)).filter((event) => event.event === 'worker.restarted')
  expect(said.map((event) => [event.attempt, event.payload])).toEqual([[2, { restart_count: 1 }]])
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.receipts('a')).map((receipt) => receipt.attempt)).toEqual([2])
})

test('LE9 a restart is accepted whatever the state of the task', async () => {
  const states: [string, (bench: BenchFleet) => unknown, object?][] = [
    ['backoff', ({ transport }) => transport.attempt('a').fail('no')],
    ['starting', () => undefined],
    ['running', ({ transport }) => transport.attempt('a').accept()],
    ['completed', ({ transport }) => transport.attempt('a').complete()],
    ['failed', ({ transport }) => transport.attempt('a').fail('no', { recoverable: false })],
    ['cancelled', async ({ fleet }) => (await fleet.run('r')).cancelTask('a')],
  ]
  for (const [status, reach] of states) {
    const bench = await openBench({ slots: 2 })
    const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a'), task('other')] })
    await bench.clock.settle()
    await reach(bench)
    await bench.clock.settle()
    expect((await run.tasks())[0]?.status).toBe(status)
    const history = await run.receipts('a')
    await run.restart('a')
    bench.transport.attempts[0]?.confirm()
    await bench.clock.settle()
    expect((await run.tasks())[0], status).toMatchObject({ status: 'starting', attempt: 2 })
    // Earlier receipts stay as history.
    expect(await run.receipts('a'), status).toEqual(history)
  }
})

test('LE9 a restart gives a fresh retry budget', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 } })],
  })
  const failTwice = async () => {
    for (let n = 0; n < 2; n += 1) {
      await clock.settle()
      transport.attempt('a').fail('no')
    }
    await clock.settle()
  }
  await failTwice()
  expect((await run.summary()).status).toBe('failed')
  await run.restart('a')
  await clock.settle()
  expect((await run.summary()).status).toBe('running')
  await failTwice()
  expect((await run.tasks())[0]).toMatchObject({ status: 'failed', attempt: 4 })
  expect((await run.receipts('a')).map((receipt) => receipt.attempt)).toEqual([1, 2, 3, 4])
})

test('LE9 pause and dependencies still hold', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 3 })
  const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] })
  await clock.settle()
  await run.restart('b')
  await clock.settle()
  expect((await run.tasks())[1]?.status).toBe('blocked')
  await run.pause()
  await run.restart('a')
  transport.attempt('a').confirm()
  await clock.settle()
  expect((await run.tasks())[0]).toMatchObject({ status: 'enqueued', attempt: 1 })
  await run.resume()
  await clock.settle()
  expect((await run.tasks())[0]).toMatchObject({ status: 'starting', attempt: 2 })
})

test('LE9 dependants that ended because of it are reopened, all the way down; others are not, and so does retryFailed', async () => {
  for (const how of ['restart', 'retryFailed'] as const) {
    const { fleet, clock, transport } = await openBench({ slots: 3 })
    const run = await fleet.start({
      name: 'r',
      tasks: [
        task('a'),
        task('b', { depends_on: ['a'] }),
        task('c', { depends_on: ['b'] }),
        task('apart', { depends_on: ['a'] }),
      ],
    })
    await clock.settle()
    await run.cancelTask('apart')
    transport.attempt('a').fail('no', { recoverable: false })
    await clock.settle()
    expect((await run.tasks()).map((one) => one.status)).toEqual(['failed', 'cancelled', 'cancelled', 'cancelled'])
    expect((await run.summary()).status).toBe('failed')
    await (how === 'restart' ? run.restart('a') : run.retryFailed())
    await clock.settle()
    expect((await run.tasks()).map((one) => one.status)).toEqual(['starting', 'blocked', 'blocked', 'cancelled'])
    for (const id of ['a', 'b', 'c']) {
      transport.attempt(id).complete()
      await clock.settle()
    }
    expect((await run.tasks()).map((one) => one.status)).toEqual(['completed', 'completed', 'completed', 'cancelled'])
  }
})

test('LE9 restarted{restart_count} is said of every attempt after the first that is no release, counting up (M36)', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 2 })
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { retry_policy: { max_attempts: 9, initial_backoff_seconds: 0 } })],
  })
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  transport.drop('w1')
  await clock.advance(1_500)
  await run.restart('a')
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  const said = (await eventsOf(run)).flatMap((event) =>
    event.event === 'worker.restarted' ? [[event.attempt, event.payload.restart_count]] : [],
  )
  expect(said).toEqual([
    [2, 1],
    [4, 2],
    [5, 3],
  ])
  expect((await run.summary()).restarted).toBe(3)
})

test('LE9 a restart that the store refused changed nothing, and asking again counts once (M23)', async () => {
  let refuse = false
  const { fleet, clock } = await openBench({ slots: 2, storeParts: { beforeAppend: () => (refuse ? 'refuse' : 'store') } })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  refuse = true
  const restarting = run.restart('a').catch((error: unknown) => error)
  await clock.settle()
  refuse = false
  await clock.advance(10_000)
  expect(await restarting).toMatchObject({ code: 'not_stored' })
  expect((await run.tasks())[0]).toMatchObject({ status: 'starting', attempt: 1 })
  await run.restart('a')
  await clock.settle()
  expect((await run.tasks())[0]).toMatchObject({ status: 'starting', attempt: 2 })
  expect((await statesOf(run, 'a')).filter((state) => state === 'restarted')).toHaveLength(1)
})

test('LE6 CO5 nothing is leased before what an earlier fleet left is gone: the transport is opened once per incarnation', async () => {
  const base = createTestTransport()
  const opened: string[] = []
  const transport: Transport & { attempts: typeof base.attempts } = {
    ...base,
    attempts: base.attempts,
    open(launch, options) {
      opened.push(launch.incarnation)
      return base.open(launch, options)
    },
  }
  const first = await openBench({ workers: [{ id: 'w1', transport }] })
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  await reopened(first, { workers: [{ id: 'w1', transport }] })
  expect(new Set(opened).size).toBe(2)
  expect(base.attempts.map((held) => held.assign.attempt)).toEqual([1, 2])
})

test('LE8 ST5 an attempt that its host gives back is released: with its log, without a receipt, and without spending a retry', async () => {
  const bench = await openBench()
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
  await bench.clock.settle()
  const first = bench.transport.attempt('a')
  first.accept()
  first.send({ type: 'log', text: 'begun' } as never)
  first.send({ type: 'stopped', released: 'no room' } as never)
  await bench.clock.settle()
  const second = bench.transport.attempt('a')
  expect(second.assign).toMatchObject({ attempt: 2, previous: [] })
  expect(await run.artifacts('a')).toMatchObject([{ attempt: 1, artifact: { kind: 'log' } }])
  second.complete()
  await bench.clock.settle()
  expect((await run.result()).status).toBe('completed')
  expect(await run.receipts('a')).toHaveLength(1)
})
