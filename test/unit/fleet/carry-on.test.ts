import { describe, expect, test } from 'vitest'
import { statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'

const next = (bench: BenchFleet, more: object = {}) =>
  openBench({ clock: bench.clock, store: bench.store.peer(), seed: 'next', ...more })
const order = (bench: BenchFleet) => bench.transport.attempts.map((held) => held.assign.task_id)

describe('ST11', () => {
  test('ST11 the owner of a store carries on every run that is neither ended nor paused', async () => {
    const first = await openBench({ workers: [] })
    const queued = await first.fleet.start({ name: 'queued', tasks: [task('q')] })
    const paused = await first.fleet.start({ name: 'paused', tasks: [task('p')] })
    await paused.pause()
    const ended = await first.fleet.start({ name: 'ended', tasks: [task('e')] })
    await ended.cancel()
    await first.fleet.close()
    const second = await next(first, { slots: 8 })
    await second.clock.settle()
    expect(order(second)).toEqual(['q'])
    second.transport.attempt('q').complete()
    await second.clock.settle()
    expect((await (await second.fleet.run(queued.id)).summary()).status).toBe('completed')
  })

  test('ST11 a run that ran when its fleet crashed is carried on by the next, with what had completed kept (M11, M14, M25)', async () => {
    const first = await openBench({ slots: 3 })
    const run = await first.fleet.start({ name: 'r', tasks: ['a', 'b', 'c'].map((id) => task(id)) })
    await first.clock.settle()
    first.transport.attempt('a').complete()
    first.transport.attempt('b').complete()
    first.transport.attempt('c').accept()
    await first.clock.settle()
    first.store.crash()
    const second = await next(first)
    await second.clock.settle()
    expect(second.transport.attempts.map((held) => [held.assign.task_id, held.assign.attempt])).toEqual([['c', 2]])
    second.transport.attempt('c').complete()
    await second.clock.settle()
    const again = await second.fleet.run(run.id)
    expect(await verdicts(again)).toEqual(['a/1 partial', 'b/1 partial', 'c/2 partial'])
    expect(await again.summary()).toMatchObject({ status: 'completed', completed: 3 })
  })

  test('ST11 opening again and again spends no retries and repeats no attempt (W10, W11, M13)', async () => {
    let bench = await openBench()
    const { id } = await bench.fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
    const numbers: number[] = []
    for (let round = 0; round < 6; round += 1) {
      await bench.clock.settle()
      numbers.push(bench.transport.attempt('a').assign.attempt)
      await bench.fleet.close({ graceMs: 0 })
      bench = await next(bench, { seed: `round ${round}` })
    }
    await bench.clock.settle()
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6])
    bench.transport.attempt('a').complete()
    await bench.clock.settle()
    const run = await bench.fleet.run(id)
    expect(await verdicts(run)).toEqual(['a/7 partial'])
    expect(await run.summary()).toMatchObject({ restarted: 0, failed: 0 })
  })

  test('ST11 pending runs are not carried on until they are started', async () => {
    const first = await openBench()
    const run = await first.fleet.create({ name: 'r', tasks: [task('a')] })
    await first.fleet.close()
    const second = await next(first)
    await second.clock.advance(600_000)
    expect(order(second)).toEqual([])
    await (await second.fleet.run(run.id)).start()
    await second.clock.settle()
    expect(order(second)).toEqual(['a'])
  })

  test('ST11 runs are carried on as soon as a matching worker is registered', async () => {
    const first = await openBench({ workers: [] })
    await first.fleet.start({ name: 'r', tasks: [task('a')] })
    await first.fleet.close()
    const second = await next(first, { workers: [] })
    await second.clock.settle()
    await second.fleet.addWorker({ id: 'late', transport: second.transport })
    await second.clock.settle()
    expect(order(second)).toEqual(['a'])
  })

  test('ST11 starting with the same key reattaches: the run goes on, and is no second one', async () => {
    const spec = { name: 'r', tasks: [task('a'), task('b')] }
    const first = await openBench()
    const run = await first.fleet.start(spec, { idempotencyKey: 'k' })
    await first.clock.settle()
    first.transport.attempt('a').complete()
    await first.clock.settle()
    first.store.crash()
    const second = await next(first)
    const again = await second.fleet.start(spec, { idempotencyKey: 'k' })
    await second.clock.settle()
    expect([again.id, again.created]).toEqual([run.id, false])
    second.transport.attempt('b').complete()
    await second.clock.settle()
    expect((await again.result()).status).toBe('completed')
  })

  test('ST11 a fleet that carries on only what it is told leaves the others; starting one takes it up', async () => {
    const spec = (name: string) => ({ name, tasks: [task(name)] })
    const first = await openBench({ workers: [] })
    const mine = await first.fleet.start(spec('mine'), { idempotencyKey: 'mine' })
    const other = await first.fleet.start(spec('other'), { idempotencyKey: 'other' })
    await first.fleet.close()
    const second = await next(first, { slots: 4, carryOn: [mine.id] })
    await second.clock.settle()
    expect(order(second)).toEqual(['mine'])
    expect(await statuses(await second.fleet.run(other.id))).toEqual({ other: 'enqueued' })
    // Looking at it does not take it up; starting it with its key does.
    await second.clock.advance(30_000)
    expect(order(second)).toEqual(['mine'])
    await second.fleet.start(spec('other'), { idempotencyKey: 'other' })
    await second.clock.settle()
    expect(order(second)).toEqual(['mine', 'other'])
  })

  test('ST11 a run that nobody carried on is started by its handle, too', async () => {
    const first = await openBench()
    const pending = await first.fleet.create({ name: 'r', tasks: [task('a')] })
    await first.fleet.close()
    const second = await next(first, { carryOn: 'none' })
    await (await second.fleet.run(pending.id)).start()
    await second.clock.settle()
    expect(order(second)).toEqual(['a'])
  })

  test('ST11 a fleet that leases nothing only steers', async () => {
    const first = await openBench({ workers: [] })
    const run = await first.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await first.fleet.close()
    const second = await next(first, { leasing: false })
    const again = await second.fleet.run(run.id)
    await again.cancelTask('a')
    await second.clock.advance(60_000)
    expect(order(second)).toEqual([])
    expect(await statuses(again)).toEqual({ a: 'cancelled', b: 'enqueued' })
  })

  test('ST11 two drivers of one store: the second is refused, and each attempt is launched once (M26)', async () => {
    const first = await openBench()
    await first.fleet.start({ name: 'r', tasks: [task('a')] })
    await expect(next(first)).rejects.toMatchObject({ code: 'store_owned' })
    await first.clock.settle()
    expect(order(first)).toEqual(['a'])
  })

  test('ST11 a task that failed for good stays failed for every fleet after (M12)', async () => {
    const first = await openBench()
    const run = await first.fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { max_attempts: 1 } })] })
    await first.clock.settle()
    first.transport.attempt('a').fail('no')
    await first.clock.settle()
    first.store.crash()
    const second = await next(first)
    await second.clock.advance(600_000)
    const again = await second.fleet.run(run.id)
    expect([order(second), await verdicts(again)]).toEqual([[], ['a/1 fail task']])
    expect(await again.summary()).toMatchObject({ status: 'failed', failed: 1 })
  })

  test('ST11 the specs of the workers of a run are kept with it, and shown: name, labels and all', async () => {
    const first = await openBench()
    const worker = {
      id: 'mine',
      name: 'My own',
      host: { kind: 'local' as const },
      trust_level: 'local' as const,
      labels: { room: 'b2' },
      capabilities: ['gpu'],
      max_concurrent_tasks: 3,
    }
    const { id } = await first.fleet.create({ name: 'r', tasks: [task('a')], worker_specs: [worker] })
    await first.fleet.close()
    const second = await next(first)
    expect((await (await second.fleet.run(id)).spec()).worker_specs).toEqual([worker])
  })

  test('ST11 workers that a run brought along are there again', async () => {
    const first = await openBench()
    const worker = {
      id: 'mine',
      name: 'Mine',
      host: { kind: 'local' as const },
      trust_level: 'local' as const,
      max_concurrent_tasks: 3,
    }
    await first.fleet.create({ name: 'r', tasks: [task('a')], worker_specs: [worker] })
    await first.fleet.close()
    const second = await next(first)
    expect(second.fleet.workers().map((one) => [one.id, one.kind, one.slots])).toEqual([
      ['w1', 'test', 1],
      ['mine', 'command', 3],
    ])
  })
})
