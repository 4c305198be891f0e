import { describe, expect, test } from 'vitest'
import { publicEvent } from '../../../src/engine/public-event.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { createTestTransport } from '../../support/test-transport.ts'

const exit = { scorer: { kind: 'exit_code' } }

describe('RU7', () => {
  test('RU7 the summary has the thirteen counters and the workers by id', async () => {
    const { fleet } = await openBench()
    const run = await fleet.create({ name: 'r', tasks: [task('a')] })
    const counters = [
      'runs',
      'queued',
      'running',
      'completed',
      'partial',
      'failed',
      'restarted',
      'escalated',
      'transport_failed',
      'task_failed',
      'verifier_failed',
      'cancelled',
      'stale',
    ]
    expect(Object.keys(await fleet.summary()).sort()).toEqual([...counters, 'workers'].sort())
    expect(Object.keys(await run.summary()).sort()).toEqual([...counters, 'id', 'name', 'status', 'workers'].sort())
  })

  test('RU7 it counts what waits, runs and has ended (M15)', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b'), task('c'), task('d', { depends_on: ['c'] })] })
    await clock.settle()
    expect(await run.summary()).toMatchObject({ runs: 1, queued: 2, running: 2, completed: 0 })
    transport.attempt('a').complete({ exit_code: 0 })
    await clock.settle()
    expect(await run.summary()).toMatchObject({ queued: 1, running: 2, completed: 1, partial: 1 })
    await run.cancelTask('b')
    expect(await run.summary()).toMatchObject({ cancelled: 1 })
  })

  test('RU7 it distinguishes the sources of failure (M32)', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 3 })
    const final = { retry_policy: { max_attempts: 1 } }
    const run = await fleet.start({
      name: 'r',
      tasks: [
        task('work', { ...final, ...exit }),
        task('host', final),
        task('check', { ...final, scorer: { kind: 'regex_match', path: 'missing.txt', pattern: '(' } }),
      ],
    })
    await clock.settle()
    transport.attempt('work').complete({ exit_code: 7 })
    transport.attempt('host').fail('no route', { failure_kind: 'transport' })
    transport.attempt('check').complete({ exit_code: 0 })
    await run.result()
    expect(await run.summary()).toMatchObject({
      status: 'failed',
      failed: 3,
      task_failed: 1,
      transport_failed: 1,
      verifier_failed: 1,
    })
  })

  test('RU7 a failure that a later attempt made good counts no more, nor while that attempt runs (W14)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a', exit)] })
    await clock.settle()
    transport.attempt('a').complete({ exit_code: 1 })
    await clock.advance(5_000)
    expect(await run.summary()).toMatchObject({ running: 1, failed: 0, task_failed: 0, restarted: 1 })
    transport.attempt('a').complete({ exit_code: 0 })
    await clock.settle()
    expect(await run.summary()).toMatchObject({ status: 'completed', failed: 0, task_failed: 0 })
  })

  test('RU7 restarted counts attempts after the first, in a run and over all (M36)', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    await run.restart('a')
    transport.attempt('a').confirm()
    await clock.settle()
    expect(await run.summary()).toMatchObject({ restarted: 1 })
    transport.attempt('a').complete()
    await clock.settle()
    expect(await fleet.summary()).toMatchObject({ restarted: 1, completed: 1 })
  })

  test('RU7 stale counts tasks between a stale lease and the next report of an attempt', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').accept()
    await clock.advance(60_000)
    expect((await run.summary()).stale).toBe(1)
    transport.attempt('a').confirm()
    await clock.advance(5_000)
    expect(transport.attempt('a').assign.attempt).toBe(2)
    expect((await run.summary()).stale).toBe(1)
    transport.attempt('a').accept()
    await clock.settle()
    expect((await run.summary()).stale).toBe(0)
  })

  test('RU7 the workers of a run are only those that had its tasks; the fleet names all (W20)', async () => {
    const transport = createTestTransport()
    const { fleet, clock } = await openBench({
      workers: [
        { id: 'one', transport, capabilities: ['x'] },
        { id: 'two', transport },
      ],
    })
    const run = await fleet.start({ name: 'r', tasks: [task('a', { worker: { capabilities: ['x'] } })] })
    await fleet.create({ name: 's', tasks: [task('b')] })
    await clock.settle()
    expect((await run.summary()).workers).toEqual({ one: 'busy' })
    expect((await fleet.summary()).workers).toEqual({ one: 'busy', two: 'online' })
  })

  test('RU7 the summary of the fleet adds up the runs, ended ones too, and is the same for the next fleet', async () => {
    const first = await openBench()
    const run = await first.fleet.start({ name: 'one', tasks: [task('a'), task('b')] })
    await first.clock.settle()
    first.transport.attempt('a').complete()
    await first.clock.settle()
    first.transport.attempt('b').fail('no', { recoverable: false })
    await first.clock.settle()
    await first.fleet.create({ name: 'two', tasks: [task('c')] })
    const expected = { runs: 2, queued: 1, running: 0, completed: 1, partial: 1, failed: 1, task_failed: 1 }
    expect(await first.fleet.summary()).toMatchObject(expected)
    expect((await run.summary()).runs).toBe(1)
    await first.fleet.close()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second' })
    expect(await second.fleet.summary()).toMatchObject(expected)
  })

  test('RU7 settling a partial verdict of an ended run shows in the summary of the fleet', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect(await fleet.summary()).toMatchObject({ completed: 1, partial: 1 })
    await run.settle('a', { result: 'pass', by: 'ann' })
    expect(await run.summary()).toMatchObject({ completed: 1, partial: 0 })
    expect(await fleet.summary()).toMatchObject({ completed: 1, partial: 0 })
  })

  test('RU7 the workflow of a run is named in its summary and in run.created, for everybody', async () => {
    const { fleet, clock, heard } = await openBench()
    const workflow = { id: 'w-7', kind: 'parallel' } as const
    const run = await fleet.create({ name: 'r', tasks: [task('a')], workflow: { id: 'w-7' } })
    const plain = await fleet.create({ name: 's', tasks: [task('a')] })
    await clock.settle()
    expect(await run.summary()).toMatchObject({ workflow })
    const created = heard.filter((event) => event.event === 'run.created')
    expect(created.map(({ payload }) => payload)).toEqual([
      { name: 'r', tasks: 1, workflow },
      { name: 's', tasks: 1 },
    ])
    expect(created.map((event) => publicEvent(event)?.payload)).toEqual([{ task_count: 1, workflow }, { task_count: 1 }])
    expect(await plain.summary()).not.toHaveProperty('workflow')
  })

  test('RU7 ten tasks of three roles on three workers, one of which fails (M35)', async () => {
    const transport = createTestTransport()
    const roles = ['scout', 'builder', 'reviewer']
    const { fleet, clock } = await openBench({ workers: roles.map((role) => ({ id: role, transport, roles: [role] })) })
    const tasks = Array.from({ length: 10 }, (_, index) => task(`t${index}`, { ...exit, worker: { role: roles[index % 3] } }))
    const run = await fleet.start({ name: 'r', tasks })
    await clock.settle()
    expect(await run.summary()).toMatchObject({ running: 3, queued: 7 })
    for (let next = 0; next < 10; next += 1) {
      await clock.settle()
      const held = transport.attempts[next]!
      held.accept()
      if (held.assign.task_id === 't4') held.fail('no', { recoverable: false })
      else held.complete({ exit_code: 0 })
    }
    await clock.settle()
    expect(await run.summary()).toMatchObject({ status: 'failed', completed: 9, failed: 1, task_failed: 1, partial: 0 })
    const receipts = await run.receipts()
    expect(receipts).toHaveLength(10)
    expect(receipts.every((receipt) => receipt.worker_id === roles[Number(receipt.task_id.slice(1)) % 3])).toBe(true)
    expect(receipts.every((receipt) => receipt.effective_permissions !== undefined)).toBe(true)
    expect(fleet.workers().map((worker) => [worker.status, worker.busy])).toEqual([
      ['online', 0],
      ['online', 0],
      ['online', 0],
    ])
  })
})
