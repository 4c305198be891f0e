import { expect, test } from 'vitest'
import type { FleetError } from '../../../src/protocol/errors.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { controlledAppends, journalOf, statesOf } from '../../support/journal.ts'

/** A bench whose store does with appends what the test says. */
async function openHeld(options: Parameters<typeof openBench>[0] = {}) {
  const appends = controlledAppends()
  const bench = await openBench({ storeParts: { beforeAppend: () => appends.beforeAppend() }, ...options })
  return { ...bench, appends }
}

/** What a promise is at now, without waiting for it. */
function watched(promise: Promise<unknown>): { state: 'pending' | 'resolved' | FleetError } {
  const seen: { state: 'pending' | 'resolved' | FleetError } = { state: 'pending' }
  promise.then(
    () => (seen.state = 'resolved'),
    (error: FleetError) => (seen.state = error),
  )
  return seen
}

test('CO1 a promise, the announcement and the effect of a command wait until it is durable', async () => {
  const { fleet, clock, transport, heard, appends, store } = await openHeld()
  appends.hold()
  const starting = watched(fleet.start({ id: 'r', name: 'r', tasks: [task('a')] }))
  await clock.settle()
  expect(starting.state).toBe('pending')
  expect(heard).toEqual([])
  expect(transport.attempts).toHaveLength(0)
  expect(await store.last('r')).toBe(0)
  appends.go()
  await clock.settle()
  expect(starting.state).toBe('resolved')
  expect(heard.map((event) => event.event)).toContain('task.leased')
  expect(transport.attempts).toHaveLength(1)
})

test('CO1 decisions follow one another without waiting for the disk', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
  await clock.settle()
  appends.hold()
  transport.attempt('a').complete()
  await clock.settle()
  // The lease of b was decided upon the tentative end of a; both wait for the disk.
  const pausing = watched(run.pause())
  const again = watched(run.pause())
  await clock.settle()
  expect([pausing.state, again.state]).toEqual(['pending', 'pending'])
  appends.go()
  await clock.settle()
  expect([pausing.state, again.state]).toEqual(['resolved', 'resolved'])
  expect(transport.attempt('b').assign.attempt).toBe(1)
})

test('CO1 what a command saw must be durable too, though it changed nothing itself', async () => {
  const { fleet, clock, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  appends.hold()
  const pausing = watched(run.pause())
  await clock.settle()
  const second = run.pause()
  const seen = watched(second)
  await clock.settle()
  expect(seen.state).toBe('pending')
  appends.go()
  await clock.settle()
  expect(pausing.state).toBe('resolved')
  expect(await second).toMatchObject({ changed: false })
})

test('CO1 reads give what is durable, and wait for the batch that they saw, not for what is decided after it', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  appends.hold()
  transport.attempt('a').accept()
  await clock.settle()
  const reading = run.tasks()
  const seen = watched(reading)
  await clock.settle()
  expect(seen.state).toBe('pending')
  // Work that comes later does not hold the reader up.
  transport.attempt('a').send({ type: 'progress', event: { state: 'model_wait' } } as never)
  await clock.settle()
  appends.goOne()
  await clock.settle()
  expect(seen.state).toBe('resolved')
  expect((await reading)[0]?.status).toBe('running')
  appends.go()
})

test('CO1 a read never shows what a command decided that is not durable yet', async () => {
  const { fleet, clock, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  appends.hold()
  const seen: string[] = []
  const reading = (async () => {
    for (let round = 0; round < 6; round += 1) seen.push((await run.summary()).status)
  })()
  // A caller that goes on the moment its command resolves races with the reader.
  const pausing = run.pause().then(() => run.resume())
  await clock.settle()
  appends.goOne()
  await clock.settle()
  // The pause is durable; the resumption is decided and held.
  const durable = (await fleet.runs())[0]?.status
  expect(durable).toBe('paused')
  expect(seen).not.toContain('resumed')
  const beforeGo = [...seen]
  appends.go()
  await pausing
  await reading
  expect(beforeGo.slice(1).every((status) => status === 'paused')).toBe(true)
})

test('CO1 a refused append rejects the caller with a retryable code, and leaves no trace', async () => {
  const { fleet, clock, transport, heard, appends, store } = await openHeld()
  appends.next = ['refuse']
  const starting = watched(fleet.start({ id: 'r', name: 'r', tasks: [task('a')] }))
  await clock.advance(10_000)
  expect(starting.state).toMatchObject({ code: 'not_stored', retryable: true })
  expect(await store.last('r')).toBe(0)
  await expect(fleet.run('r')).rejects.toMatchObject({ code: 'unknown_run' })
  expect(transport.attempts).toHaveLength(0)
  expect(heard.map((event) => event.event).filter((name) => !name.startsWith('store.'))).toEqual([])
  // The same call, once the store works.
  const run = await fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').complete()
  expect((await run.result()).status).toBe('completed')
})

test('CO1 commands that were decided upon a refused append are rejected with it', async () => {
  const { fleet, clock, appends, store } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const last = await store.last(run.id)
  appends.hold()
  appends.next = ['refuse']
  const first = watched(run.pause())
  await clock.settle()
  const second = watched(run.resume())
  const cancelling = watched(run.cancel())
  appends.go()
  await clock.advance(10_000)
  for (const seen of [first, second, cancelling]) expect(seen.state).toMatchObject({ code: 'not_stored', retryable: true })
  expect(await store.last(run.id)).toBe(last)
  expect((await run.summary()).status).toBe('running')
})

test('CO1 a failed append gives back the slots that it had taken', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  appends.next = ['refuse']
  const starting = watched(fleet.start({ id: 'r1', name: 'r1', tasks: [task('a')] }))
  await clock.advance(10_000)
  expect(starting.state).toMatchObject({ code: 'not_stored' })
  // The worker has one slot; it is free for another run.
  await fleet.start({ id: 'r2', name: 'r2', tasks: [task('b')] })
  await clock.settle()
  expect(transport.attempt('b').assign.run_id).toBe('r2')
  expect(fleet.workers()[0]).toMatchObject({ status: 'busy', busy: 1 })
})

test('CO1 a lease that was lost with a refused append is decided again by itself', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const waiting = await fleet.create({ name: 'r1', tasks: [task('a')] })
  await waiting.start()
  await clock.settle()
  const run = await fleet.start({ name: 'r2', tasks: [task('b')] })
  await clock.settle()
  // The end of a, and with it the lease of b, is refused; a is reported again, and b leased.
  appends.next = ['refuse', 'refuse']
  transport.attempt('a').complete()
  await clock.advance(10_000)
  expect((await waiting.summary()).status).toBe('completed')
  expect(transport.attempt('b').assign.run_id).toBe(run.id)
})

test('CO1 a task whose lease was decided in a refused command of another run is leased without anybody asking', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const blocker = await fleet.start({ name: 'blocker', tasks: [task('a')] })
  const other = await fleet.start({ name: 'other', tasks: [task('b')] })
  await clock.settle()
  appends.next = ['refuse']
  // Cancelling frees nothing yet; the confirmation frees the slot, and a command of the same moment leases b.
  const cancelling = watched(blocker.cancel())
  await clock.advance(10_000)
  expect(cancelling.state).toMatchObject({ code: 'not_stored' })
  expect(await statesOf(blocker, 'a')).not.toContain('cancelled')
  await blocker.cancel()
  transport.attempt('a').confirm()
  await clock.settle()
  expect((await other.tasks())[0]?.status).toBe('starting')
})

test('CO1 what workers report is kept while the store fails, and decided again', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { scorer: { kind: 'exit_code' } })] })
  await clock.settle()
  appends.otherwise = 'refuse'
  transport.attempt('a').accept()
  await clock.advance(1_000)
  transport.attempt('a').send({ type: 'progress', event: { state: 'running_tool', tool: 'sh', call_id: 'c1' } } as never)
  transport.attempt('a').send({ type: 'usage', input_tokens: 3, output_tokens: 4 } as never)
  transport.attempt('a').complete({ exit_code: 0 })
  await clock.advance(20_000)
  appends.otherwise = 'store'
  await clock.advance(10_000)
  expect((await run.summary()).status).toBe('completed')
  expect(await run.receipt('a')).toMatchObject({ result: 'pass', spent: { tokens: 7, tool_calls: 1 } })
  expect(await statesOf(run, 'a')).toEqual(['queued', 'leased', 'starting', 'running', 'running_tool', 'completed'])
})

test('CO1 a report counts once, however often its append was refused', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  appends.next = ['refuse', 'refuse', 'refuse']
  transport.attempt('a').send({ type: 'usage', input_tokens: 5, output_tokens: 0 } as never)
  transport.attempt('a').fail('no')
  await clock.advance(4_000)
  expect(await run.receipts('a')).toHaveLength(1)
  expect((await run.receipt('a'))?.spent?.tokens).toBe(5)
})

test('CO1 kept reports are bounded: what is over the bound is dropped, the rest is decided', async () => {
  const { fleet, clock, transport, appends, store } = await openHeld({ limits: { keptReports: 3 } })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  appends.otherwise = 'refuse'
  transport.attempt('a').send({ type: 'usage', input_tokens: 1, output_tokens: 0 } as never)
  await clock.settle()
  for (let n = 0; n < 20; n += 1) transport.attempt('a').send({ type: 'usage', input_tokens: 1, output_tokens: 0 } as never)
  await clock.settle()
  appends.otherwise = 'store'
  await clock.advance(10_000)
  const journal = await journalOf(store, run.id)
  const spends = journal.filter((entry) => entry.set?.inputTokens !== undefined)
  expect(spends.length).toBeGreaterThan(0)
  expect(spends.length).toBeLessThanOrEqual(4)
})

test('CO1 an append with an unknown outcome that was stored: the caller learns the truth, and what it decided is performed', async () => {
  const { fleet, clock, transport, heard, appends } = await openHeld()
  appends.next = ['store-then-unknown']
  const starting = fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await clock.advance(10_000)
  const run = await starting
  expect(transport.attempts.map((held) => held.assign.attempt)).toEqual([1])
  expect(heard.filter((event) => event.event === 'task.leased')).toHaveLength(1)
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.summary()).status).toBe('completed')
})

test('CO1 an append with an unknown outcome that was not stored rejects its caller, retryably', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  appends.next = ['drop-then-unknown']
  const starting = watched(fleet.start({ id: 'r', name: 'r', tasks: [task('a')] }))
  await clock.advance(10_000)
  expect(starting.state).toMatchObject({ code: 'outcome_unknown', retryable: true })
  await expect(fleet.run('r')).rejects.toMatchObject({ code: 'unknown_run' })
  expect(transport.attempts).toHaveLength(0)
})

test('CO1 a worker’s report with an unknown outcome is recorded once, whether it was stored or not', async () => {
  for (const fate of ['store-then-unknown', 'drop-then-unknown'] as const) {
    const { fleet, clock, transport, appends } = await openHeld()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    appends.next = [fate]
    transport.attempt('a').complete()
    await clock.advance(10_000)
    expect((await run.summary()).status).toBe('completed')
    expect(await run.receipts('a')).toHaveLength(1)
  }
})

test('CO1 ST5 a failing store is told once, and once that it works again', async () => {
  const { fleet, clock, transport, heard, appends } = await openHeld()
  await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  appends.otherwise = 'refuse'
  transport.attempt('a').complete()
  await clock.advance(30_000)
  const names = () => heard.map((event) => event.event).filter((name) => name.startsWith('store.'))
  expect(names()).toEqual(['store.failing'])
  expect(heard.find((event) => event.event === 'store.failing')?.payload).toMatchObject({
    reason: expect.stringMatching(/refuse/),
  })
  appends.otherwise = 'store'
  await clock.advance(10_000)
  expect(names()).toEqual(['store.failing', 'store.recovered'])
  await fleet.start({ name: 'r2', tasks: [task('b')] })
  expect(names()).toEqual(['store.failing', 'store.recovered'])
})

test('CO1 ST5 a command that changes nothing does not pass for a store that works again', async () => {
  const { fleet, clock, heard, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  appends.next = ['refuse']
  const pausing = watched(run.pause())
  await clock.advance(10_000)
  expect(pausing.state).toMatchObject({ code: 'not_stored' })
  expect(await run.start()).toMatchObject({ changed: false })
  expect(heard.map((event) => event.event)).not.toContain('store.recovered')
  await run.pause()
  await clock.settle()
  expect(heard.map((event) => event.event)).toContain('store.recovered')
})

test('CO1 while the state is read again, commands are refused retryably and reads give what is durable', async () => {
  const { fleet, clock, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  appends.next = ['refuse']
  const pausing = watched(run.pause())
  await clock.settle()
  // The look into the store comes after a wait; nothing is known until then.
  await expect(run.cancel()).rejects.toMatchObject({ code: 'store_failing', retryable: true })
  const reading = run.summary()
  await clock.advance(10_000)
  expect(pausing.state).toMatchObject({ code: 'not_stored' })
  expect((await reading).status).toBe('running')
  expect(await run.cancel()).toMatchObject({ changed: true })
})

test('CO1 ST5 nothing new is leased while the store fails, and leasing goes on by itself', async () => {
  const { fleet, clock, transport, appends } = await openHeld({ slots: 2 })
  const run = await fleet.start({ name: 'r', max_workers: 1, tasks: [task('a'), task('b')] })
  await clock.settle()
  appends.otherwise = 'refuse'
  transport.attempt('a').complete()
  await clock.advance(60_000)
  expect(transport.attempts).toHaveLength(1)
  appends.otherwise = 'store'
  await clock.advance(10_000)
  expect(transport.attempt('b').assign.run_id).toBe(run.id)
})

test('CO1 a failed append of a start discards what it had leased: no slot stays taken and the task keeps its attempt number (L12, M3)', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const run = await fleet.create({ name: 'r', tasks: [task('a')] })
  appends.next = ['refuse']
  const starting = watched(run.start())
  await clock.advance(10_000)
  expect(starting.state).toMatchObject({ code: 'not_stored' })
  expect((await run.tasks())[0]).toMatchObject({ status: 'enqueued', attempt: 0 })
  expect((await run.summary()).status).toBe('pending')
  expect(await statesOf(run, 'a')).toEqual(['queued'])
  expect(fleet.workers()[0]).toMatchObject({ busy: 0 })
  await run.start()
  await clock.settle()
  expect(transport.attempt('a').assign.attempt).toBe(1)
})

test('CO1 CO6 a start that was passed over because of a revocation that the store refused is performed after all', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const run = await fleet.create({ name: 'r', tasks: [task('a')] })
  appends.hold()
  const starting = watched(run.start())
  await clock.settle()
  appends.next = ['store', 'refuse']
  const restarting = watched(run.restart('a'))
  appends.go()
  await clock.advance(10_000)
  expect(starting.state).toBe('resolved')
  expect(restarting.state).toMatchObject({ code: 'not_stored' })
  expect(transport.attempts.map((held) => held.assign.attempt)).toEqual([1])
  transport.attempt('a').complete()
  await clock.settle()
  expect((await run.result()).status).toBe('completed')
})

test('CO1 CO5 a verification that was passed over because of a restart that the store refused is performed after all', async () => {
  const { fleet, clock, transport, appends } = await openHeld({ files: memoryFiles({ '/w/out.txt': 'x' }), workspace: '/w' })
  const run = await fleet.start({ name: 'r', tasks: [task('a', { scorer: { kind: 'file_exists', path: 'out.txt' } })] })
  await clock.settle()
  appends.hold()
  transport.attempt('a').complete({ exit_code: 0 })
  await clock.settle()
  appends.next = ['store', 'refuse']
  const restarting = watched(run.restart('a'))
  appends.go()
  await clock.advance(10_000)
  expect(restarting.state).toMatchObject({ code: 'not_stored' })
  expect((await run.result()).status).toBe('completed')
  expect(await run.receipts('a')).toMatchObject([{ attempt: 1, result: 'pass' }])
})

test('CO1 a report that found its task cancelled is decided again when the cancel was refused', async () => {
  const { fleet, clock, transport, appends } = await openHeld()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  appends.hold()
  appends.next = ['refuse']
  const cancelling = watched(run.cancelTask('a'))
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  appends.go()
  await clock.advance(10_000)
  expect(cancelling.state).toMatchObject({ code: 'not_stored' })
  expect((await run.result()).status).toBe('completed')
})
