import { expect, test } from 'vitest'
import { createDeadlines } from '../../../src/engine/deadlines.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { controlledAppends, eventsOf, journalOf, statesOf } from '../../support/journal.ts'
import { createTestTransport } from '../../support/test-transport.ts'

/** A clock whose machine can be held up: time goes by, and nothing that waits is woken. */
function holdableClock(): VirtualClock & { holdUp(ms: number): void } {
  const clock = createVirtualClock()
  let held = 0
  return {
    ...clock,
    now: () => clock.now() + held,
    monotonic: () => clock.monotonic() + held,
    get pending() {
      return clock.pending
    },
    holdUp(ms) {
      held += ms
    },
  }
}

test('LE3 the lease ends one ttl, 60 s, after the last message of its attempt, whatever the message', async () => {
  for (const say of [
    { type: 'heartbeat' },
    { type: 'accepted' },
    { type: 'progress', event: { state: 'model_wait' } },
    { type: 'usage', input_tokens: 1, output_tokens: 1 },
    { type: 'log', text: 'x' },
  ]) {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.advance(59_000)
    transport.attempt('a').send(say as never)
    await clock.advance(59_999)
    expect(await statesOf(run, 'a')).not.toContain('stale')
    await clock.advance(1)
    expect(await statesOf(run, 'a')).toContain('stale')
  }
})

test('LE3 the ttl is an option', async () => {
  const { fleet, clock, transport } = await openBench({ limits: { leaseTtlMs: 5_000 } })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.advance(4_999)
  expect(await statesOf(run, 'a')).not.toContain('stale')
  await clock.advance(2)
  expect(await statesOf(run, 'a')).toContain('stale')
})

test('LE3 presence is volatile: heartbeats leave nothing in the journal, and the lease is told with its deadline (W2)', async () => {
  const { fleet, clock, transport, store } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const leasedAt = clock.now()
  transport.attempt('a').accept()
  await clock.settle()
  const last = await store.last(run.id)
  for (let n = 0; n < 10; n += 1) {
    await clock.advance(15_000)
    transport.attempt('a').heartbeat()
  }
  await clock.settle()
  expect(await store.last(run.id)).toBe(last)
  const leased = (await eventsOf(run)).find((event) => event.event === 'worker.leased')
  expect(leased?.payload).toEqual({ lease_expires_at: new Date(leasedAt + 60_000).toISOString() })
})

test('LE3 the fleet itself beats for in-process functions, every quarter of the ttl, so a handler that waits is alive (S5)', async () => {
  const transport = createTestTransport({ heartbeats: 'fleet', startsAtOnce: true })
  const { fleet, clock, heard } = await openBench({ transport })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.advance(61_000)
  const beats = heard.filter((event) => event.event === 'worker.heartbeat')
  expect(beats.map((event) => Date.parse(event.timestamp) - Date.parse(heard[0]?.timestamp ?? ''))).toEqual([
    15_000, 30_000, 45_000, 60_000,
  ])
  await clock.advance(20 * 60_000)
  expect(await statesOf(run, 'a')).not.toContain('stale')
  expect((await run.tasks())[0]).toMatchObject({ status: 'running', attempt: 1 })
})

test('LE3 work that hangs is bounded by the default of 30 minutes, though its worker is alive (W9)', async () => {
  const transport = createTestTransport({ heartbeats: 'fleet', startsAtOnce: true })
  const { fleet, clock } = await openBench({ transport })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.advance(30 * 60_000 - 1)
  expect((await run.tasks())[0]).toMatchObject({ status: 'running', attempt: 1 })
  await clock.advance(1)
  expect(await run.receipt('a')).toMatchObject({ result: 'timeout', attempt: 1 })
  expect(transport.attempts[0]?.stopped).toMatchObject({ type: 'stop', code: 'task_timeout' })
})

test('LE3 stallAfterMs ends an attempt that is alive but makes no progress; a heartbeat is none', async () => {
  const { fleet, clock, transport } = await openBench({ limits: { stallAfterMs: 20_000 } })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.advance(15_000)
  transport.attempt('a').send({ type: 'progress', event: { state: 'model_wait' } } as never)
  await clock.advance(15_000)
  transport.attempt('a').heartbeat()
  expect(await statesOf(run, 'a')).not.toContain('stale')
  await clock.advance(5_000)
  expect(await statesOf(run, 'a')).toContain('stale')
})

test('LE3 without stallAfterMs an attempt that only beats goes on', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  for (let n = 0; n < 40; n += 1) {
    await clock.advance(30_000)
    transport.attempt('a').heartbeat()
  }
  expect((await run.tasks())[0]).toMatchObject({ status: 'running', attempt: 1 })
})

test('LE4 a lease past its deadline is stale by itself: recorded, the worker unhealthy, told to stop, the task retried (S2)', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { retry_policy: { max_attempts: 2, initial_backoff_seconds: 7 } })],
  })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  const heardAt = clock.now()
  await clock.advance(60_000)
  expect(fleet.workers()[0]?.status).toBe('unhealthy')
  expect(transport.attempt('a').stopped).toMatchObject({ type: 'stop', code: 'task_stale', attempt: 1 })
  expect((await run.tasks())[0]).toMatchObject({ status: 'backoff', attempt: 1 })
  expect((await run.summary()).stale).toBe(1)
  const stale = (await eventsOf(run)).find((event) => event.event === 'worker.stale')
  expect(stale?.payload).toEqual({ last_heartbeat_at: new Date(heardAt).toISOString() })
  expect(await run.receipt('a')).toMatchObject({ result: 'fail', failure_kind: 'transport', attempt: 1 })
  // The worker takes work again once the end of what ran in it is confirmed.
  transport.attempt('a').confirm()
  await clock.advance(7_000)
  expect(fleet.workers()[0]?.status).toBe('busy')
  expect(transport.attempt('a').assign.attempt).toBe(2)
  expect((await run.summary()).stale).toBe(1)
  transport.attempt('a').accept()
  await clock.settle()
  expect((await run.summary()).stale).toBe(0)
})

test('LE4 a stale lease without attempts left fails the task, and is worth an alert (S3)', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.advance(60_000)
  const result = await run.result()
  expect(result.status).toBe('failed')
  const raised = (await eventsOf(run)).flatMap((event) => (event.event === 'alert.raised' ? [event.payload.class] : []))
  expect(raised).toEqual(['stale', 'restart_exhausted'])
})

test('LE4 LE8 a worker that never accepted is unhealthy, and its task goes back to the queue without a failure', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
  await clock.advance(60_000)
  expect(fleet.workers()[0]?.status).toBe('unhealthy')
  expect(await run.receipts('a')).toEqual([])
  expect((await run.tasks())[0]).toMatchObject({ status: 'enqueued', attempt: 1 })
  transport.attempt('a').confirm()
  await clock.settle()
  expect(transport.attempt('a').assign.attempt).toBe(2)
})

test('LE5 a jump of the wall clock neither expires nor extends a lease (W19, W23)', async () => {
  for (const jump of [-86_400_000, 86_400_000]) {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    clock.jump(jump)
    await clock.advance(59_999)
    expect(await statesOf(run, 'a')).not.toContain('stale')
    await clock.advance(1)
    expect(await statesOf(run, 'a')).toContain('stale')
  }
})

test('LE5 a jump of the wall clock moves neither a time limit nor a backoff that is waited for', async () => {
  for (const jump of [-86_400_000, 86_400_000]) {
    const { fleet, clock, transport } = await openBench({ limits: { leaseTtlMs: 3_600_000 } })
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a', { timeout_seconds: 100, retry_policy: { initial_backoff_seconds: 50 } })],
    })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    clock.jump(jump)
    await clock.advance(99_999)
    expect((await run.tasks())[0]?.status).toBe('running')
    await clock.advance(1)
    expect((await run.tasks())[0]?.status).toBe('backoff')
    transport.attempt('a').confirm()
    clock.jump(jump)
    await clock.advance(49_999)
    expect((await run.tasks())[0]?.status).toBe('backoff')
    await clock.advance(1)
    expect((await run.tasks())[0]?.status).toBe('starting')
  }
})

test('LE5 durable are only timeout_at and not_before, each with its length', async () => {
  const { fleet, clock, transport, store } = await openBench()
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { timeout_seconds: 100, retry_policy: { initial_backoff_seconds: 50 } })],
  })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  const acceptedAt = clock.now()
  transport.attempt('a').fail('no')
  await clock.settle()
  const journal = await journalOf(store, run.id)
  const accepted = journal.find((entry) => entry.set?.status === 'running')
  expect(accepted?.set).toMatchObject({ timeoutAt: acceptedAt + 100_000, timeoutMs: 100_000 })
  const waiting = journal.find((entry) => entry.set?.status === 'backoff')
  expect(waiting?.set).toMatchObject({ notBefore: clock.now() + 50_000, notBeforeMs: 50_000 })
  // Nothing of a lease's deadline, of heartbeats or of channels is in any entry.
  expect(JSON.stringify(journal.map((entry) => Object.keys(entry.set ?? {})))).not.toMatch(/deadline|heard|channel/i)
})

test('LE5 after opening, no wait lies further away than its length, whatever the wall clock did', async () => {
  const first = await openBench()
  const run = await first.fleet.start({
    id: 'r',
    name: 'r',
    tasks: [task('a', { retry_policy: { initial_backoff_seconds: 50 } })],
  })
  await first.clock.settle()
  first.transport.attempt('a').fail('no')
  await first.clock.settle()
  expect((await run.tasks())[0]?.status).toBe('backoff')
  first.store.crash()
  // The clock was set back by a day while the fleet was down.
  first.clock.jump(-86_400_000)
  const { transport, clock } = await openBench({ store: first.store.peer(), clock: first.clock, seed: 'second' })
  await clock.advance(49_000)
  expect(transport.attempts).toHaveLength(0)
  await clock.advance(2_000)
  expect(transport.attempts).toHaveLength(1)
})

test('LE5 after opening, no time limit lies further away than its length, whatever the wall clock did', async () => {
  const first = await openBench({ transport: createTestTransport({ survives: true }) })
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a', { timeout_seconds: 50 })] })
  await first.clock.settle()
  first.transport.attempt('a').accept()
  await first.clock.settle()
  first.store.crash()
  first.clock.jump(-86_400_000)
  const transport = createTestTransport({ survives: true })
  transport.stillRuns = [{ run_id: 'r', task_id: 'a', attempt: 1 }]
  const { fleet, clock } = await openBench({ store: first.store.peer(), clock: first.clock, transport, seed: 'second' })
  const run = await fleet.run('r')
  await clock.advance(49_999)
  expect((await run.tasks())[0]).toMatchObject({ status: 'running', attempt: 1 })
  await clock.advance(1)
  expect(await run.receipt('a')).toMatchObject({ result: 'timeout', attempt: 1 })
})

test('LE5 after opening, a wait that has passed is over', async () => {
  const first = await openBench()
  await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a', { retry_policy: { initial_backoff_seconds: 50 } })] })
  await first.clock.settle()
  first.transport.attempt('a').fail('no')
  await first.clock.settle()
  first.store.crash()
  await first.clock.advance(60_000)
  const { transport, clock } = await openBench({ store: first.store.peer(), clock: first.clock, seed: 'second' })
  await clock.advance(0)
  expect(transport.attempts).toHaveLength(1)
})

test('LE5 leases do not run while the store fails, and run on when it is back', async () => {
  const appends = controlledAppends()
  const { fleet, clock, transport } = await openBench({ storeParts: { beforeAppend: () => appends.beforeAppend() }, slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
  await clock.settle()
  transport.attempt('a').accept()
  transport.attempt('b').accept()
  await clock.advance(20_000)
  appends.otherwise = 'refuse'
  transport.attempt('b').send({ type: 'progress', event: { state: 'model_wait' } } as never)
  await clock.advance(300_000)
  expect(fleet.workers()[0]?.status).toBe('busy')
  appends.otherwise = 'store'
  await clock.advance(6_000)
  // a had 40 s left when the store began to fail.
  await clock.advance(30_000)
  expect(await statesOf(run, 'a')).not.toContain('stale')
  await clock.advance(15_000)
  expect(await statesOf(run, 'a')).toContain('stale')
})

test('LE4 LE5 a message that comes while the store cannot take the staleness of its attempt undoes it (L15)', async () => {
  const appends = controlledAppends()
  const { fleet, clock, transport } = await openBench({ storeParts: { beforeAppend: () => appends.beforeAppend() } })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  appends.next = ['refuse']
  await clock.advance(60_000)
  transport.attempt('a').heartbeat()
  await clock.advance(50_000)
  expect(await statesOf(run, 'a')).not.toContain('stale')
  await clock.advance(15_000)
  expect(await statesOf(run, 'a')).toContain('stale')
})

test('LE5 when the fleet itself was held up, leases shift: what was said meanwhile is heard before they are judged', async () => {
  const clock = holdableClock()
  const { fleet, transport } = await openBench({ clock, slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
  await clock.settle()
  transport.attempt('a').accept()
  transport.attempt('b').accept()
  await clock.advance(10_000)
  // The event loop is blocked for five minutes; a's heartbeat lies in the pipe.
  clock.holdUp(300_000)
  await clock.advance(51_000)
  transport.attempt('a').heartbeat()
  await clock.settle()
  expect(await statesOf(run, 'a')).not.toContain('stale')
  // b's worker is dead; that is found out all the same.
  await clock.advance(50_000)
  expect(await statesOf(run, 'b')).toContain('stale')
  expect(await statesOf(run, 'a')).not.toContain('stale')
})

test('LE5 one global offset: the time that leases live in skips a hold-up, and never goes back', async () => {
  const clock = holdableClock()
  const deadlines = createDeadlines(clock, { keepAlive: () => true })
  const seen: number[] = [deadlines.leaseNow()]
  deadlines.after(1_000, () => seen.push(deadlines.leaseNow()))
  clock.holdUp(100_000)
  await clock.advance(1_000)
  expect(seen[1]).toBeLessThanOrEqual(1_000)
  expect(seen[1]).toBeGreaterThanOrEqual(0)
  const before = deadlines.leaseNow()
  await clock.advance(5_000)
  expect(deadlines.leaseNow() - before).toBe(5_000)
  deadlines.close()
})

test('LE5 a timer that is a little late is no hold-up', async () => {
  const clock = holdableClock()
  const deadlines = createDeadlines(clock, { keepAlive: () => true })
  deadlines.after(1_000, () => undefined)
  clock.holdUp(100)
  await clock.advance(1_000)
  expect(deadlines.leaseNow()).toBe(clock.monotonic())
  deadlines.close()
})

test('LE5 deadlines act in the order of their moments, then in the order in which they were set; what is taken back does not act', async () => {
  const clock = createVirtualClock()
  const deadlines = createDeadlines(clock, { keepAlive: () => true })
  const acted: string[] = []
  const say = (what: string) => () => void acted.push(what)
  deadlines.after(30, say('c'))
  deadlines.after(10, say('a1'))
  const back = deadlines.after(20, say('b'))
  deadlines.after(10, say('a2'))
  back()
  back()
  await clock.advance(100)
  expect(acted).toEqual(['a1', 'a2', 'c'])
  expect(clock.pending).toBe(0)
  deadlines.close()
})

test('LE5 many deadlines that are taken back do not pile up, and the rest still act', async () => {
  const clock = createVirtualClock()
  const deadlines = createDeadlines(clock, { keepAlive: () => true })
  let acted = 0
  deadlines.after(5_000, () => (acted += 1))
  for (let n = 0; n < 5_000; n += 1) deadlines.after(1_000 + n, () => (acted += 100))()
  deadlines.after(2_000, () => (acted += 1))
  await clock.advance(10_000)
  expect(acted).toBe(2)
  deadlines.close()
})

test('LE5 a wait of months is waited for', async () => {
  const { fleet, clock, transport } = await openBench()
  const days = 90 * 86_400_000
  await fleet.start({ name: 'r', tasks: [task('a', { not_before: new Date(clock.now() + days).toISOString() })] })
  await clock.advance(days - 1)
  expect(transport.attempts).toHaveLength(0)
  await clock.advance(1)
  expect(transport.attempts).toHaveLength(1)
})

test('LE7 timeout_seconds bounds the attempt from its start, not from its lease, and RE decides on a retry', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { timeout_seconds: 10, retry_policy: { max_attempts: 2, initial_backoff_seconds: 1 } })],
  })
  await clock.advance(8_000)
  transport.attempt('a').accept()
  await clock.advance(9_999)
  expect((await run.tasks())[0]?.status).toBe('running')
  await clock.advance(1)
  expect((await run.tasks())[0]?.status).toBe('backoff')
  expect(await run.receipt('a')).toMatchObject({ result: 'timeout', attempt: 1, evidence: expect.stringContaining('10 s') })
  expect(transport.attempts[0]?.stopped).toMatchObject({ code: 'task_timeout' })
  transport.attempts[0]?.confirm()
  await clock.advance(1_000)
  // Each attempt has the whole time.
  transport.attempt('a').accept()
  await clock.advance(9_000)
  expect((await run.tasks())[0]).toMatchObject({ status: 'running', attempt: 2 })
  await clock.advance(1_000)
  expect((await run.result()).status).toBe('failed')
  expect((await run.receipts('a')).map((receipt) => receipt.result)).toEqual(['timeout', 'timeout'])
})

test('LE7 an attempt that ends in time has no limit left behind for the next', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { timeout_seconds: 10, retry_policy: { initial_backoff_seconds: 0 } })],
  })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.advance(9_000)
  transport.attempt('a').fail('no')
  await clock.settle()
  transport.attempt('a').accept()
  await clock.advance(9_000)
  expect((await run.tasks())[0]).toMatchObject({ status: 'running', attempt: 2 })
})
