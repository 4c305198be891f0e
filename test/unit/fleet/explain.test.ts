import { describe, expect, test } from 'vitest'
import { openBench, task } from '../../support/bench-fleet.ts'
import { createTestTransport } from '../../support/test-transport.ts'
import { checkRun } from '../../../src/fleet/check-run.ts'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import type { Run } from '../../../src/fleet/run-handle.ts'
import type { FleetEvent } from '../../../src/protocol/fleet-event.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'

const waits = async (run: Run, id: string) => (await run.explain(id)).waits.map((wait) => wait.for)

describe('RU9', () => {
  test.each([
    ['handler', { handler: 'nobody' }, 'does not serve the handler nobody'],
    ['capability', { worker: { capabilities: ['gpu'] } }, 'lacks the capability gpu'],
    ['role', { worker: { role: 'judge' } }, 'does not serve the role judge'],
    ['command', { metadata: { command: ['true'] } }, 'does not run commands'],
  ])('RU9 explain names the %s that no worker has, and the workers that were considered', async (_, more, against) => {
    const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport: createTestTransport(), roles: ['builder'] }] })
    const run = await fleet.start({ name: 'r', tasks: [task('a', more)] })
    await clock.settle()
    expect(await run.explain('a')).toEqual({
      task_id: 'a',
      status: 'enqueued',
      waits: [{ for: 'worker', message: expect.any(String) }],
      workers: [{ id: 'w1', status: 'online', free: 1, against: [against] }],
    })
  })

  test('RU9 explain names the trust level that a worker cannot enforce', async () => {
    const { fleet, clock } = await openBench({ workers: [{ id: 'w1', transport: createTestTransport(), trustLevel: 'sandbox' }] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    expect((await run.explain('a')).workers[0]?.against).toEqual(['cannot enforce the trust level sandbox'])
  })

  test('RU9 a task that waits for a slot says which workers are busy', async () => {
    const { fleet, clock } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await clock.settle()
    expect(await run.explain('b')).toMatchObject({
      waits: [{ for: 'slot', message: expect.stringContaining('w1') }],
      workers: [{ against: [], free: 0 }],
    })
  })

  test('RU9 a task whose workers are not there says so, and does not call them busy', async () => {
    const transport = createTestTransport()
    const { fleet, clock } = await openBench({ transport })
    transport.drop('w1')
    await clock.settle()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    expect(await run.explain('a')).toMatchObject({
      waits: [{ for: 'slot', message: expect.stringContaining('w1 (offline)') }],
      workers: [{ id: 'w1', status: 'offline', free: 0 }],
    })
  })

  test('RU9 a task that waits for the limit of its run or of the fleet says so', async () => {
    const limited = await openBench({ slots: 4 })
    const run = await limited.fleet.start({ name: 'r', tasks: [task('a'), task('b')], max_workers: 1 })
    await limited.clock.settle()
    expect(await waits(run, 'b')).toEqual(['run_limit'])
    const small = await openBench({ slots: 4, limits: { maxLeases: 1 } })
    const other = await small.fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    await small.clock.settle()
    expect(await waits(other, 'b')).toEqual(['fleet_limit'])
  })

  test('RU9 a task that waits for dependencies names each with its state, and a verdict that is awaited', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a', { scorer: { kind: 'manual' } }), task('b'), task('c', { depends_on: ['a', 'b'] })],
    })
    await clock.settle()
    expect((await run.explain('c')).waits).toEqual([
      { for: 'dependency', message: expect.stringMatching(/a, which is starting/) },
      { for: 'dependency', message: expect.stringMatching(/b, which is enqueued/) },
    ])
    transport.attempt('a').complete()
    await clock.settle()
    expect(await waits(run, 'c')).toEqual(['verdict', 'dependency'])
    await run.settle('a', { result: 'pass', by: 'ann' })
    expect(await waits(run, 'c')).toEqual(['dependency'])
  })

  test('RU9 a task that waits for its next attempt, or for its moment, says until when', async () => {
    const { fleet, clock, transport } = await openBench()
    const at = new Date(clock.now() + 90_000).toISOString()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', { not_before: at })] })
    await clock.settle()
    transport.attempt('a').fail('no')
    await clock.settle()
    expect((await run.explain('a')).waits).toEqual([
      { for: 'backoff', message: expect.stringContaining(new Date(clock.now() + 5_000).toISOString()) },
    ])
    expect((await run.explain('b')).waits).toEqual([{ for: 'backoff', message: expect.stringContaining(at) }])
  })

  test('RU9 a task of a paused run, and of one that was not started, says so', async () => {
    const { fleet } = await openBench({ workers: [] })
    const run = await fleet.create({ name: 'r', tasks: [task('a')] })
    expect(await waits(run, 'a')).toEqual(['start'])
    await run.pause()
    expect(await waits(run, 'a')).toEqual(['pause'])
  })

  test('RU9 a task that runs, or has ended, waits for nothing', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    expect(await run.explain('a')).toMatchObject({ status: 'starting', waits: [] })
    transport.attempt('a').complete()
    await clock.settle()
    expect(await run.explain('a')).toMatchObject({ status: 'completed', waits: [] })
  })

  test('RU9 a task of a run that this fleet does not carry on says so', async () => {
    const first = await openBench({ workers: [] })
    const run = await first.fleet.start({ name: 'r', tasks: [task('a')] })
    await first.fleet.close()
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second', carryOn: 'none' })
    expect(await waits(await second.fleet.run(run.id), 'a')).toEqual(['not_carried'])
  })
})

describe('RU10', () => {
  const impossible = { worker: { capabilities: ['gpu'] } }

  test('RU10 run.stalled is raised when nothing of a run can be leased to any registered worker', async () => {
    const { fleet, clock, heard } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a', impossible), task('b', { depends_on: ['a'] })] })
    await clock.settle()
    expect(heard.filter((event) => event.event === 'run.stalled')).toMatchObject([
      { run_id: run.id, payload: { waiting: ['a'] } },
    ])
  })

  test('RU10 a run is stalled when all that is open waits for tasks that ended badly', async () => {
    const { fleet, clock, transport, heard } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] })
    await clock.settle()
    transport.attempt('a').fail('never', { recoverable: false })
    await clock.settle()
    await run.restart('b')
    await clock.settle()
    expect(heard.filter((event) => event.event === 'run.stalled')).toMatchObject([{ payload: { waiting: ['b'] } }])
    await run.restart('a')
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    transport.attempt('b').complete()
    await clock.settle()
    expect((await run.summary()).status).toBe('completed')
  })

  test('RU10 it is raised once for each time that a run stalls', async () => {
    const { fleet, clock, heard } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a', impossible), task('b', impossible)] })
    await clock.settle()
    await run.cancelTask('b')
    await clock.advance(600_000)
    expect(heard.filter((event) => event.event === 'run.stalled')).toHaveLength(1)
  })

  test('RU10 a run is not stalled while something of it runs, waits on time, or can be leased', async () => {
    const { fleet, clock, transport, heard } = await openBench()
    const stalled = () => heard.filter((event) => event.event === 'run.stalled').length
    const soon = new Date(clock.now() + 60_000).toISOString()
    await fleet.start({ name: 'r', tasks: [task('a'), task('b', impossible), task('c', { not_before: soon }), task('d')] })
    await clock.settle()
    expect(stalled()).toBe(0)
    transport.attempt('a').complete()
    await clock.settle()
    transport.attempt('d').complete()
    await clock.settle()
    expect(stalled()).toBe(0)
    await clock.advance(60_000)
    transport.attempt('c').complete()
    await clock.settle()
    expect(stalled()).toBe(1)
  })

  test('RU10 a run that is stalled when a fleet opens is told to those who listen once they have the fleet', async () => {
    const first = await openBench()
    const run = await first.fleet.start({ name: 'r', tasks: [task('a', impossible)] })
    await first.clock.settle()
    const store = first.store.peer()
    first.store.crash()
    const stalled: FleetEvent[] = []
    const { clock } = first
    const fleet = await createFleet({
      store,
      clock,
      files: memoryFiles(),
      workers: [{ id: 'w1', transport: createTestTransport() }],
    })
    fleet.on('run.stalled', (event) => void stalled.push(event))
    await clock.advance(0)
    expect(stalled).toMatchObject([{ run_id: run.id, payload: { waiting: ['a'] } }])
    await clock.advance(600_000)
    expect(stalled).toHaveLength(1)
  })

  test('RU10 awaiting a verdict is not stalled', async () => {
    const { fleet, clock, transport, heard } = await openBench()
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a', { scorer: { kind: 'manual' } }), task('b', { depends_on: ['a'] }), task('c', impossible)],
    })
    await clock.settle()
    transport.attempt('a').complete()
    await clock.advance(600_000)
    expect(heard.map((event) => event.event)).not.toContain('run.stalled')
    expect((await run.summary()).status).toBe('running')
  })

  test('RU10 a pending, paused or open run that waits for its caller is not stalled', async () => {
    const { fleet, clock, heard } = await openBench()
    await fleet.create({ name: 'pending', tasks: [task('a', impossible)] })
    await (await fleet.create({ name: 'paused', tasks: [task('a', impossible)] })).pause()
    await fleet.start({ name: 'open', tasks: [], open: true })
    await clock.settle()
    expect(heard.map((event) => event.event)).not.toContain('run.stalled')
  })

  test('RU10 a run stalls when the last worker that could take its tasks retires', async () => {
    const { fleet, clock, heard } = await openBench({
      workers: [
        { id: 'w1', transport: createTestTransport() },
        { id: 'gpu', transport: createTestTransport(), capabilities: ['gpu'] },
      ],
      limits: { maxLeases: 1 },
    })
    await fleet.start({ name: 'first', tasks: [task('x', { priority: -1 })] })
    const run = await fleet.start({ name: 'r', tasks: [task('a', impossible)] })
    await clock.settle()
    expect(heard.map((event) => event.event)).not.toContain('run.stalled')
    await fleet.drain('gpu')
    await clock.settle()
    expect(heard.filter((event) => event.event === 'run.stalled')).toMatchObject([{ run_id: run.id }])
  })

  test('RU10 a worker that is added later takes the run up', async () => {
    const { fleet, clock, transport, heard } = await openBench({ workers: [] })
    await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    expect(heard.map((event) => event.event)).toContain('run.stalled')
    await fleet.addWorker({ id: 'late', transport })
    await clock.settle()
    expect(transport.attempts).toHaveLength(1)
  })

  test('RU10 who has fixed workers may have such a run refused at creation', async () => {
    const { fleet } = await openBench()
    await expect(
      fleet.create({ name: 'r', tasks: [task('a'), task('b', impossible)] }, { impossible: 'refuse' }),
    ).rejects.toMatchObject({
      code: 'impossible_task',
      message: expect.stringMatching(/tasks\[1\] \(b\).*\n.*w1 lacks the capability gpu/),
    })
    expect(await fleet.runs()).toEqual([])
    expect((await fleet.create({ name: 'r', tasks: [task('a')] }, { impossible: 'refuse' })).created).toBe(true)
  })

  test('RU10 a run is checked against the workers that a fleet would have, without opening one', () => {
    const options = { handlers: { work: () => null } }
    expect(checkRun({ name: 'r', tasks: [task('a', { handler: 'work' })] }, options)).toMatchObject({ tasks: [{ id: 'a' }] })
    expect(() => checkRun({ name: 'r', tasks: [task('a', { handler: 'other' })] }, options)).toThrow(
      expect.objectContaining({
        code: 'impossible_task',
        message: expect.stringContaining('local does not serve the handler other'),
      }),
    )
    const workers = [{ id: 'mine', name: 'Mine', host: { kind: 'local' as const }, trust_level: 'local' as const }]
    expect(
      checkRun({ name: 'r', tasks: [task('a', { metadata: { command: ['true'] } })], worker_specs: workers }).tasks,
    ).toHaveLength(1)
  })
})
