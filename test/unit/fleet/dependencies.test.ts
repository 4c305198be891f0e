import { describe, expect, test } from 'vitest'
import { statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

describe('SC5', () => {
  test('SC5 a task is blocked until all that it depends on have completed', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 4 })
    const run = await fleet.start({ name: 'r', tasks: [task('c', { depends_on: ['a', 'b'] }), task('a'), task('b')] })
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'starting', b: 'starting', c: 'blocked' })
    transport.attempt('a').complete()
    await clock.settle()
    expect(await statuses(run)).toMatchObject({ c: 'blocked' })
    transport.attempt('b').complete()
    await clock.settle()
    expect(await statuses(run)).toMatchObject({ c: 'starting' })
  })

  test('SC5 a task sees the receipts and artifacts of what it depends on, and of nothing else', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 4 })
    await fleet.start({ name: 'r', tasks: [task('a'), task('b'), task('c', { depends_on: ['a'] })] })
    await clock.settle()
    transport
      .attempt('a')
      .send({ type: 'artifact', report: 1, kind: 'report', path: 'r.txt', bytes: new Uint8Array([1]) } as never)
    transport.attempt('b').complete()
    await clock.settle()
    transport.attempt('a').complete({ output: { answer: 42 } })
    await clock.settle()
    expect(transport.attempt('c').assign.dependencies).toMatchObject([
      {
        task_id: 'a',
        receipt: {
          task_id: 'a',
          attempt: 1,
          result: 'partial',
          output: { answer: 42 },
          artifacts: [{ kind: 'report', path: 'r.txt', size_bytes: 1 }],
        },
      },
    ])
    expect(transport.attempt('c').assign.dependencies).toHaveLength(1)
  })

  test('SC5 a retry of the dependency counts: the task sees the receipt that completed it', async () => {
    const { fleet, clock, transport } = await openBench()
    await fleet.start({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] })
    await clock.settle()
    transport.attempt('a').fail('no')
    await clock.advance(5_000)
    transport.attempt('a').complete({ output: 'second' })
    await clock.settle()
    expect(transport.attempt('b').assign.dependencies.map(({ receipt }) => [receipt.attempt, receipt.output])).toEqual([
      [2, 'second'],
    ])
  })

  test('SC5 an unsettled manual task holds its dependants: they wait for the verdict, then see the settled receipt', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a', { scorer: { kind: 'manual' } }), task('b', { depends_on: ['a'] })],
    })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.advance(3_600_000)
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'blocked' })
    expect((await run.explain('b')).waits).toMatchObject([{ for: 'verdict' }])
    await run.settle('a', { result: 'pass', by: 'ann' })
    await clock.settle()
    expect(transport.attempt('b').assign.dependencies).toMatchObject([{ receipt: { result: 'pass', settled: { by: 'ann' } } }])
  })

  test('SC5 a partial verdict that is not manual holds nobody', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'starting' })
  })

  test('SC5 when a dependency fails, its dependants end cancelled, each with a skip receipt that names its cause', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({
      name: 'r',
      tasks: [
        task('a'),
        task('b', { depends_on: ['a'] }),
        task('c', { depends_on: ['b'] }),
        task('d', { depends_on: ['c', 'a'] }),
        task('e'),
      ],
    })
    await clock.settle()
    transport.attempt('a').fail('no', { recoverable: false })
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'failed', b: 'cancelled', c: 'cancelled', d: 'cancelled', e: 'starting' })
    expect((await verdicts(run)).toSorted()).toEqual(['a/1 fail task', 'b/- skip', 'c/- skip', 'd/- skip'])
    expect((await run.tasks()).map((one) => one.cause)).toEqual([undefined, 'a', 'b', expect.stringMatching(/^[ac]$/), undefined])
    expect((await run.receipt('b'))?.evidence).toBe('Its dependency a failed.')
    expect((await run.receipt('c'))?.evidence).toBe('Its dependency b was cancelled.')
  })

  test('SC5 a dependency that is tried again holds its dependants, and cancels none', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] })
    await clock.settle()
    transport.attempt('a').fail('no')
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'backoff', b: 'blocked' })
  })

  test('SC5 a long chain is cancelled to its end', async () => {
    const { fleet } = await openBench({ workers: [] })
    const tasks = Array.from({ length: 5_000 }, (_, index) =>
      task(`t${index}`, index === 0 ? {} : { depends_on: [`t${index - 1}`] }),
    )
    const run = await fleet.create({ name: 'r', tasks })
    await run.cancelTask('t0')
    expect(await run.summary()).toMatchObject({ cancelled: 5_000, status: 'cancelled' })
  })

  test.each([
    ['a cycle', [task('a', { depends_on: ['b'] }), task('b', { depends_on: ['a'] })]],
    ['an unknown id', [task('a', { depends_on: ['nobody'] })]],
    ['a self-reference', [task('a', { depends_on: ['a'] })]],
  ])('SC5 %s is refused at creation', async (_, tasks) => {
    const { fleet } = await openBench()
    await expect(fleet.create({ name: 'r', tasks })).rejects.toMatchObject({
      code: 'invalid_document',
      message: expect.stringContaining('depends_on'),
    })
    expect(await fleet.runs()).toEqual([])
  })

  test('SC5 what was blocked when the fleet crashed is freed by the next one', async () => {
    const first = await openBench()
    const run = await first.fleet.start({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] })
    await first.clock.settle()
    first.store.crash()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    await second.clock.settle()
    second.transport.attempt('a').complete({ output: 1 })
    await second.clock.settle()
    expect(second.transport.attempt('b').assign.dependencies).toMatchObject([{ task_id: 'a', receipt: { output: 1 } }])
    expect(await statuses(await second.fleet.run(run.id))).toEqual({ a: 'completed', b: 'starting' })
  })
  describe('a dependency that is restarted', () => {
    const chain = [task('a'), task('b', { depends_on: ['a'] }), task('c', { depends_on: ['a'] })]

    /** `a` has completed; of its dependants `b` has the one slot, and `c` is enqueued. */
    async function freed() {
      const bench = await openBench({ slots: 1 })
      const run = await bench.fleet.start({ name: 'r', tasks: chain })
      await bench.clock.settle()
      bench.transport.attempt('a').complete()
      await bench.clock.settle()
      expect(await statuses(run)).toEqual({ a: 'completed', b: 'starting', c: 'enqueued' })
      return { ...bench, run }
    }

    test('SC5 LE9 holds again those of its dependants that wait; what runs goes on', async () => {
      const { run, clock, transport } = await freed()
      await run.restart('a')
      await clock.settle()
      expect(await statuses(run)).toEqual({ a: 'enqueued', b: 'starting', c: 'blocked' })
      transport.attempt('b').complete()
      await clock.settle()
      expect(await statuses(run)).toEqual({ a: 'starting', b: 'completed', c: 'blocked' })
      transport.attempt('a').complete({ output: 'new' })
      await clock.settle()
      expect(transport.attempt('c').assign.dependencies).toMatchObject([{ receipt: { attempt: 2, output: 'new' } }])
    })

    test('SC5 RE2 a dependant that waits for its retry waits for both', async () => {
      const { run, clock, transport } = await freed()
      transport.attempt('b').fail('no')
      await clock.settle()
      transport.attempt('c').complete()
      await clock.settle()
      expect(await statuses(run)).toMatchObject({ b: 'backoff' })
      await run.restart('a')
      await clock.advance(1_000)
      expect(await statuses(run)).toEqual({ a: 'starting', b: 'blocked', c: 'completed' })
      transport.attempt('a').complete()
      await clock.settle()
      // Of the five seconds four are left.
      expect(await statuses(run)).toMatchObject({ a: 'completed', b: 'backoff' })
      await clock.advance(3_999)
      expect(await statuses(run)).toMatchObject({ b: 'backoff' })
      await clock.advance(1)
      expect(await statuses(run)).toMatchObject({ b: 'starting' })
    })

    test('SC5 holds a running dependant too once that has to be tried again', async () => {
      const { run, clock, transport } = await freed()
      await run.restart('a')
      await clock.settle()
      transport.attempt('b').accept()
      transport.attempt('b').fail('no')
      await clock.advance(10_000)
      expect(await statuses(run)).toEqual({ a: 'starting', b: 'blocked', c: 'blocked' })
      transport.attempt('a').complete()
      await clock.settle()
      expect(await statuses(run)).toEqual({ a: 'completed', b: 'starting', c: 'enqueued' })
    })

    test('SC5 that ends badly then cancels what came to wait for it meanwhile', async () => {
      const bench = await openBench({ slots: 2 })
      const run = await bench.fleet.start({ name: 'r', tasks: chain.slice(0, 2) })
      await bench.clock.settle()
      bench.transport.attempt('a').complete()
      await bench.clock.settle()
      await run.restart('a')
      await bench.clock.settle()
      bench.transport.attempt('a').fail('never', { recoverable: false })
      await bench.clock.settle()
      expect(await statuses(run)).toEqual({ a: 'failed', b: 'starting' })
      bench.transport.attempt('b').fail('no')
      await bench.clock.settle()
      expect(await statuses(run)).toEqual({ a: 'failed', b: 'cancelled' })
      expect((await run.receipt('b'))?.evidence).toContain('a had ended failed')
      expect((await run.summary()).status).toBe('failed')
    })
  })
})
