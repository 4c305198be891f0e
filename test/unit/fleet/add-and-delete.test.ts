import { describe, expect, test } from 'vitest'
import { statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

describe('RU8 add', () => {
  test('RU8 an open run that is not sealed takes tasks, which are leased like the others', async () => {
    const { fleet, clock, transport, heard } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')], open: true })
    expect(await run.add([task('b', { depends_on: ['a'] })])).toMatchObject({ changed: true })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    transport.attempt('b').complete()
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'completed', b: 'completed' })
    expect((await run.spec()).task_specs.map((spec) => spec.id)).toEqual(['a', 'b'])
    expect(heard.filter((event) => event.task_id === 'b').map((event) => event.event)[0]).toBe('task.enqueued')
  })

  test('RU8 add is refused with run_sealed by a run that is sealed, was not created open, or was cancelled', async () => {
    const { fleet } = await openBench()
    const closed = await fleet.create({ name: 'r', tasks: [task('a')] })
    await expect(closed.add([task('b')])).rejects.toMatchObject({ code: 'run_sealed' })
    const sealed = await fleet.create({ name: 'r', tasks: [task('a')], open: true })
    await sealed.add([task('b')])
    await sealed.seal()
    await expect(sealed.add([task('c')])).rejects.toMatchObject({ code: 'run_sealed' })
    const cancelled = await fleet.create({ name: 'r', tasks: [task('a')], open: true })
    await cancelled.cancel()
    await expect(cancelled.add([task('b')])).rejects.toMatchObject({ code: 'run_sealed' })
    expect(await statuses(sealed)).toEqual({ a: 'enqueued', b: 'enqueued' })
  })

  test('RU8 tasks that do not fit the run are refused, all or none', async () => {
    const { fleet } = await openBench({ workers: [] })
    const run = await fleet.create({ name: 'r', tasks: [task('a')], open: true })
    await expect(run.add([task('b'), task('a')])).rejects.toMatchObject({ code: 'invalid_document' })
    await expect(run.add([task('b'), task('c', { depends_on: ['nobody'] })])).rejects.toMatchObject({ code: 'invalid_document' })
    await expect(run.add([task('b'), task('c', { worker: { agent_profile: 'p' } })])).rejects.toMatchObject({
      code: 'unenforceable',
    })
    expect(await statuses(run)).toEqual({ a: 'enqueued' })
  })

  test('RU8 two calls that add the same id: one wins, the other is told', async () => {
    const { fleet } = await openBench({ workers: [] })
    const run = await fleet.create({ name: 'r', tasks: [], open: true })
    const outcomes = await Promise.allSettled([run.add([task('a')]), run.add([task('a')])])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected'])
    expect(await statuses(run)).toEqual({ a: 'enqueued' })
  })

  test('RU8 adding nothing changes nothing and says so', async () => {
    const { fleet } = await openBench()
    const run = await fleet.create({ name: 'r', tasks: [], open: true })
    expect(await run.add([])).toMatchObject({ changed: false })
  })

  test('RU8 tasks added behind a dependency that ended badly end cancelled, in whatever order they stand (SC5)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')], open: true })
    await clock.settle()
    transport.attempt('a').fail('no', { recoverable: false })
    await clock.settle()
    await run.add([task('c', { depends_on: ['b'] }), task('b', { depends_on: ['a'] }), task('d')])
    expect(await statuses(run)).toEqual({ a: 'failed', b: 'cancelled', c: 'cancelled', d: 'starting' })
    expect((await run.receipt('b'))?.evidence).toContain('a')
    expect((await run.receipt('c'))?.evidence).toContain('b')
  })

  test('RU8 tasks added behind a dependency that completed are enqueued at once', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')], open: true })
    await clock.settle()
    transport.attempt('a').complete({ output: 42 })
    await clock.settle()
    await run.add([task('b', { depends_on: ['a'] })])
    await clock.settle()
    expect(transport.attempt('b').assign.dependencies.map((one) => one.receipt.output)).toEqual([42])
  })
})

describe('RU8 delete', () => {
  test('RU8 a run is deleted once it has ended, with all that it left', async () => {
    const { fleet, clock, transport, store } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport
      .attempt('a')
      .send({ type: 'artifact', report: 1, kind: 'report', path: 'r.txt', bytes: new Uint8Array([1]) } as never)
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    const [left] = await run.artifacts()
    const name = left?.artifact.checksum?.replace('sha256:', '') ?? ''
    expect(await store.blobs.open(run.id, name)).toEqual(new Uint8Array([1]))
    await run.delete()
    expect(store.lines(run.id)).toEqual([])
    expect(await store.blobs.open(run.id, name)).toBeUndefined()
    expect(await fleet.runs()).toEqual([])
    await expect(fleet.run(run.id)).rejects.toMatchObject({ code: 'unknown_run' })
    await expect(run.summary()).rejects.toMatchObject({ code: 'unknown_run' })
    await expect(run.restart('a')).rejects.toMatchObject({ code: 'unknown_run' })
    expect(await fleet.summary()).toMatchObject({ runs: 0, completed: 0 })
  })

  test.each(['pending', 'running', 'paused'] as const)('RU8 a %s run is not deleted', async (state) => {
    const { fleet, clock } = await openBench()
    const run = await (state === 'pending'
      ? fleet.create({ name: 'r', tasks: [task('a')] })
      : fleet.start({ name: 'r', tasks: [task('a')] }))
    await clock.settle()
    if (state === 'paused') await run.pause()
    await expect(run.delete()).rejects.toMatchObject({ code: 'run_open' })
    expect((await run.summary()).status).toBe(state)
  })

  test('RU8 a run is not deleted while a worker has not confirmed its stop', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.settle()
    await run.cancel()
    await clock.settle()
    await expect(run.delete()).rejects.toMatchObject({ code: 'run_open' })
    transport.attempt('a').confirm()
    await clock.settle()
    await run.delete()
    expect(await fleet.runs()).toEqual([])
  })

  test('RU8 the id of a deleted run is not used again, now or later, and the refusal disturbs nobody', async () => {
    const { fleet, clock, transport, heard, store } = await openBench()
    const run = await fleet.start({ id: 'once', name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    await run.delete()
    const outcomes = Promise.allSettled([
      fleet.create({ name: 'other', tasks: [task('a')] }),
      fleet.create({ id: 'once', name: 'r', tasks: [task('a')] }),
      fleet.create({ name: 'another', tasks: [task('a')] }),
    ])
    await clock.advance(10_000)
    expect((await outcomes).map((outcome) => (outcome.status === 'fulfilled' ? 'created' : outcome.reason.code))).toEqual([
      'created',
      'run_exists',
      'created',
    ])
    expect(heard.map((event) => event.event)).not.toContain('store.failing')
    await fleet.close()
    const second = await openBench({ clock, store: store.peer(), seed: 'second' })
    const again = second.fleet
      .create({ id: 'once', name: 'r', tasks: [task('a')] })
      .catch((error: { code: string }) => error.code)
    await clock.advance(10_000)
    expect(await again).toBe('run_exists')
  })

  test('RU8 the memory store keeps the newest ended runs, as many as told', async () => {
    const { fleet, clock, transport } = await openBench({ storeParts: { keepEndedRuns: 2 } })
    const ids: string[] = []
    for (let index = 0; index < 4; index += 1) {
      const run = await fleet.start({ name: `r${index}`, tasks: [task('a')] })
      ids.push(run.id)
      await clock.advance(1)
      transport.attempts.at(-1)?.complete()
      await clock.settle()
    }
    expect((await fleet.runs()).map((row) => row.id)).toEqual([ids[3], ids[2]])
    await expect(fleet.run(ids[0]!)).rejects.toMatchObject({ code: 'unknown_run' })
  })

  test('RU8 deleting one run leaves the others', async () => {
    const { fleet } = await openBench({ workers: [] })
    const one = await fleet.create({ name: 'one', tasks: [task('a')] })
    const two = await fleet.create({ name: 'two', tasks: [task('a')] })
    await one.cancel()
    await one.delete()
    expect(await verdicts(two)).toEqual([])
    expect((await fleet.runs()).map((row) => row.name)).toEqual(['two'])
  })
})

test('RU8 CO1 using a deleted id again is refused, and a command that shared the append is told to try again, not of the id', async () => {
  const bench = await openBench()
  const gone = await bench.fleet.start({ id: 'gone', name: 'gone', tasks: [task('a')] })
  await bench.clock.settle()
  bench.transport.attempt('a').complete()
  await gone.result()
  await gone.delete()
  const other = await bench.fleet.create({ id: 'other', name: 'other', tasks: [task('b')] })
  const outcomes = await Promise.allSettled([
    bench.fleet.create({ id: 'gone', name: 'again', tasks: [task('c')] }),
    bench.fleet.create({ id: 'new', name: 'new', tasks: [task('d')] }),
  ])
  expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 'run_exists' } })
  expect(outcomes[1]).toMatchObject({ status: 'rejected', reason: { code: 'not_stored', retryable: true } })
  await bench.fleet.create({ id: 'newer', name: 'newer', tasks: [task('e')] })
  expect((await other.pause()).changed).toBe(true)
})
