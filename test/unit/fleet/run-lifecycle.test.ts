import { describe, expect, test } from 'vitest'
import { statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

const status = async (run: { summary(): Promise<{ status: string }> }) => (await run.summary()).status

describe('RU the table of runs', () => {
  test('RU create gives pending, start gives queued, the first lease gives running (M5)', async () => {
    const { fleet, clock, transport, heard } = await openBench()
    const run = await fleet.create({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    expect([await status(run), await statuses(run), transport.attempts.length]).toEqual(['pending', { a: 'enqueued' }, 0])
    expect(await run.start()).toMatchObject({ changed: true })
    await clock.settle()
    const told = heard.flatMap((event) => (event.event === 'run.status_changed' ? [event.payload.status] : []))
    expect(told).toEqual(['queued', 'running'])
    expect(transport.attempts).toHaveLength(1)
    // Starting again leases nothing more.
    expect(await run.start()).toMatchObject({ changed: false })
    await clock.settle()
    expect(transport.attempts).toHaveLength(1)
  })

  test('RU a run that nobody can lease yet stays queued', async () => {
    const { fleet } = await openBench({ workers: [] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    expect(await status(run)).toBe('queued')
  })

  test.each(['pending', 'queued', 'running'] as const)('RU a run that was paused when %s goes back to that', async (state) => {
    const { fleet, clock, transport } = await openBench(state === 'queued' ? { workers: [] } : {})
    const run = await (state === 'pending'
      ? fleet.create({ name: 'r', tasks: [task('a')] })
      : fleet.start({ name: 'r', tasks: [task('a')] }))
    await clock.settle()
    expect(await status(run)).toBe(state)
    expect(await run.pause()).toMatchObject({ changed: true })
    expect(await status(run)).toBe('paused')
    expect(await run.pause()).toMatchObject({ changed: false })
    expect(await run.resume()).toMatchObject({ changed: true })
    expect(await status(run)).toBe(state)
    expect(await run.resume()).toMatchObject({ changed: false })
    expect(transport.attempts).toHaveLength(state === 'running' ? 1 : 0)
  })

  test('RU a paused run that is opened anew resumes to the state that it was paused in', async () => {
    const first = await openBench()
    const run = await first.fleet.create({ name: 'r', tasks: [task('a')] })
    await run.pause()
    await first.fleet.close()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    const again = await second.fleet.run(run.id)
    expect(await status(again)).toBe('paused')
    await again.resume()
    expect(await status(again)).toBe('pending')
  })

  test('RU a paused run ends with its last open task', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    await run.pause()
    transport.attempt('a').complete()
    await clock.settle()
    expect(await status(run)).toBe('completed')
  })

  test.each(['pending', 'running', 'paused'] as const)('RU cancelling a %s run cancels it', async (state) => {
    const { fleet, clock } = await openBench()
    const run = await (state === 'pending'
      ? fleet.create({ name: 'r', tasks: [task('a')] })
      : fleet.start({ name: 'r', tasks: [task('a')] }))
    await clock.settle()
    if (state === 'paused') await run.pause()
    expect(await run.cancel()).toMatchObject({ changed: true })
    expect([await status(run), await statuses(run)]).toEqual(['cancelled', { a: 'cancelled' }])
  })

  test('RU a pending run ends when its last open task is cancelled', async () => {
    const { fleet } = await openBench()
    const run = await fleet.create({ name: 'r', tasks: [task('a')] })
    await run.cancelTask('a')
    expect(await status(run)).toBe('cancelled')
  })

  test.each([
    ['completed', (attempt: { complete(): void }) => attempt.complete()],
    ['failed', (attempt: { fail(reason: string, options: object): void }) => attempt.fail('no', { recoverable: false })],
    ['cancelled', undefined],
  ] as const)('RU restarting a task of a %s run makes it run again, and end again', async (end, act) => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    if (act === undefined) {
      await run.cancel()
      transport.attempt('a').confirm()
    } else act(transport.attempt('a'))
    await clock.settle()
    expect(await status(run)).toBe(end)
    await run.restart('a')
    await clock.settle()
    expect([await status(run), await statuses(run)]).toEqual(['running', { a: 'starting' }])
    transport.attempt('a').complete()
    await clock.settle()
    expect(await status(run)).toBe('completed')
    expect((await run.receipts('a')).at(-1)).toMatchObject({ attempt: 2, result: 'partial' })
  })

  test.each(['pause', 'resume', 'start', 'cancel', 'seal'] as const)(
    'RU %s on a run that has ended changes nothing and says so',
    async (verb) => {
      const { fleet, clock, transport, store } = await openBench()
      const run = await fleet.start({ name: 'r', tasks: [task('a')] })
      await clock.settle()
      transport.attempt('a').complete()
      await clock.settle()
      const before = store.lines(run.id)
      expect(await run[verb]()).toMatchObject({ changed: false, message: expect.stringContaining(run.id) })
      expect(store.lines(run.id)).toEqual(before)
    },
  )

  test('RU commands on a run or task that is not there name it', async () => {
    const { fleet } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await expect(fleet.run('nobody')).rejects.toMatchObject({ code: 'unknown_run', message: expect.stringContaining('nobody') })
    await expect(run.cancelTask('nobody')).rejects.toMatchObject({
      code: 'unknown_task',
      message: expect.stringContaining('nobody'),
    })
    await expect(run.restart('nobody')).rejects.toMatchObject({ code: 'unknown_task' })
    await expect(run.explain('nobody')).rejects.toMatchObject({ code: 'unknown_task' })
    await expect(run.settle('nobody', { result: 'pass', by: 'me' })).rejects.toMatchObject({ code: 'unknown_task' })
  })
})

describe('RU4', () => {
  test('RU4 a paused run gives out no leases, and gives them again once it is resumed', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    await run.pause()
    transport.attempt('a').complete()
    await clock.advance(3_600_000)
    expect(transport.attempts).toHaveLength(1)
    await run.resume()
    await clock.settle()
    expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['a', 'b'])
  })

  test('RU4 attempts that are running when the run is paused go on and are finalised', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b'), task('c')] })
    await clock.settle()
    transport.attempt('a').accept()
    await run.pause()
    await clock.settle()
    expect(transport.attempt('a').stopped).toBeUndefined()
    transport.attempt('a').complete({ output: 1 })
    transport.attempt('b').fail('no', { recoverable: false })
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'failed', c: 'enqueued' })
    expect(await verdicts(run)).toEqual(['a/1 partial', 'b/1 fail task'])
    expect(await status(run)).toBe('paused')
  })

  test('RU4 a retry that comes due while the run is paused waits for the resume', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').fail('no')
    await clock.settle()
    await run.pause()
    await clock.advance(60_000)
    expect([await statuses(run), transport.attempts.length]).toEqual([{ a: 'enqueued' }, 1])
    await run.resume()
    await clock.settle()
    expect(transport.attempt('a').assign.attempt).toBe(2)
  })

  test('RU4 another run is leased while one is paused', async () => {
    const { fleet, clock, transport } = await openBench()
    const paused = await fleet.create({ name: 'p', tasks: [task('p1')] })
    await paused.pause()
    await fleet.start({ name: 'q', tasks: [task('q1')] })
    await clock.settle()
    expect(transport.attempts.map((held) => held.assign.task_id)).toEqual(['q1'])
  })

  test('RU4 a paused run is not leased by the fleet that opens the store next (W16)', async () => {
    const first = await openBench()
    const run = await first.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await first.clock.settle()
    await run.pause()
    first.store.crash()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    await second.clock.advance(120_000)
    expect(second.transport.attempts).toHaveLength(0)
    const again = await second.fleet.run(run.id)
    expect(await status(again)).toBe('paused')
    await again.resume()
    await second.clock.settle()
    expect(second.transport.attempts).toHaveLength(1)
  })
})

describe('RU6', () => {
  test('RU6 created_at, updated_at and completed_at are true', async () => {
    const { fleet, clock, transport } = await openBench()
    const at = () => new Date(clock.now()).toISOString()
    const created = at()
    const run = await fleet.create({ name: 'r', tasks: [task('a')] })
    expect(await run.spec()).toMatchObject({ created_at: created, updated_at: created })
    expect((await run.spec()).completed_at).toBeUndefined()
    await clock.advance(5_000)
    await run.start()
    expect(await run.spec()).toMatchObject({ created_at: created, updated_at: at() })
    await clock.advance(5_000)
    transport.attempt('a').complete()
    await clock.settle()
    const ended = at()
    await clock.advance(5_000)
    expect(await run.spec()).toMatchObject({ created_at: created, updated_at: ended, completed_at: ended })
    const [row] = await fleet.runs()
    expect([row?.createdAt, row?.completedAt].map((instant) => new Date(instant ?? 0).toISOString())).toEqual([created, ended])
  })

  test.each(['failed', 'cancelled'] as const)('RU6 completed_at is set by an end as %s too', async (end) => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
    await clock.settle()
    await clock.advance(5_000)
    const ended = new Date(clock.now()).toISOString()
    if (end === 'cancelled') await run.cancel()
    else transport.attempt('a').fail('no')
    await clock.settle()
    await clock.advance(5_000)
    expect([await status(run), (await run.spec()).completed_at]).toEqual([end, ended])
  })

  test('RU6 a restart takes completed_at back, and the next end sets it anew', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.advance(1_000)
    await run.restart('a')
    expect((await run.spec()).completed_at).toBeUndefined()
    expect((await fleet.runs())[0]?.completedAt).toBeUndefined()
    await clock.advance(1_000)
    transport.attempt('a').complete()
    await clock.settle()
    expect((await run.spec()).completed_at).toBe(new Date(clock.now()).toISOString())
  })

  test('RU6 adding tasks, sealing and settling move updated_at', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('first')], open: true })
    const updated = async () => [(await run.spec()).updated_at, new Date((await fleet.runs())[0]?.updatedAt ?? 0).toISOString()]
    const now = () => Array.from({ length: 2 }, () => new Date(clock.now()).toISOString())
    await clock.advance(1_000)
    await run.add([task('a')])
    expect(await updated()).toEqual(now())
    await clock.advance(1_000)
    await run.seal()
    expect(await updated()).toEqual(now())
    transport.attempt('first').complete()
    await clock.advance(1_000)
    await run.settle('first', { result: 'pass', by: 'me' })
    expect(await updated()).toEqual(now())
  })
})
