import { describe, expect, test } from 'vitest'
import { statuses, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import { defineTask } from '../../../src/worker/define-task.ts'
import type { FleetOptions } from '../../../src/fleet/options.ts'
import { FleetError } from '../../../src/protocol/errors.ts'
import type { FleetEvent } from '../../../src/protocol/fleet-event.ts'
import type { GapEvent } from '../../../src/observability/subscription.ts'
import { NonRetryableError } from '../../../src/worker/non-retryable-error.ts'
import type { StandardSchema } from '../../../src/worker/standard-schema.ts'

const once = { retry_policy: { max_attempts: 1 } }
const text: StandardSchema<unknown, string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (typeof value === 'string' ? { value: value.trim() } : { issues: [{ message: 'expected text' }] }),
  },
}

describe('createFleet', () => {
  test('CO7 opening with defaults needs nothing, and two fleets share nothing', async () => {
    const [one, two] = await Promise.all([
      createFleet({ handlers: { work: () => 1 } }),
      createFleet({ handlers: { work: () => 2 } }),
    ])
    const runs = await Promise.all([one, two].map((fleet) => fleet.start({ name: 'r', tasks: [task('a', { handler: 'work' })] })))
    expect((await Promise.all(runs.map((run) => run.result()))).map((result) => result.receipts['a']?.output)).toEqual([1, 2])
    await expect(two.run(runs[0]!.id)).rejects.toMatchObject({ code: 'unknown_run' })
    await Promise.all([one.close(), two.close()])
  })

  const run = (): number => 1
  const refused: [string, FleetOptions, string][] = [
    ['an id that is no token', { workers: [{ id: 'no good', run }] }, 'workers[0].id'],
    ['slots below one', { workers: [{ id: 'w', slots: 0, run }] }, 'workers[0].slots'],
    ['no way to work', { workers: [{ id: 'w' }] }, 'exactly one of'],
    ['two ways to work', { workers: [{ id: 'w', run: () => 1, commands: true }] }, 'exactly one of'],
    [
      'two workers of one id',
      {
        workers: [
          { id: 'w', run },
          { id: 'w', run },
        ],
      },
      'two workers have the id w',
    ],
    [
      'a worker named local beside handlers',
      { handlers: { work: () => 1 }, workers: [{ id: 'local', run }] },
      'two workers have the id local',
    ],
    ['a definition under another name', { handlers: { other: defineTask({ name: 'work', run: () => 1 }) } }, 'handlers.other'],
  ]
  test.each(refused)('WO1 options with %s are refused, naming it', async (_, options, named) => {
    await expect(createFleet(options)).rejects.toMatchObject({ code: 'invalid_option', message: expect.stringContaining(named) })
  })

  test('WO1 everything that is wrong with the workers is told at once', async () => {
    await expect(
      createFleet({
        workers: [
          { id: '', run: () => 1 },
          { id: 'w', slots: 1.5, run: () => 1 },
        ],
      }),
    ).rejects.toMatchObject({
      details: { problems: [expect.stringContaining('workers[0].id'), expect.stringContaining('workers[1].slots')] },
    })
  })

  test('CO8 a fleet whose store is taken is refused, and the owner is untouched (M26)', async () => {
    const first = await openBench()
    await expect(openBench({ clock: first.clock, store: first.store.peer() })).rejects.toMatchObject({ code: 'store_owned' })
    await first.fleet.start({ name: 'r', tasks: [task('a')] })
    await first.clock.settle()
    expect(first.transport.attempts).toHaveLength(1)
  })
})

describe('defineTask', () => {
  test('SC3 a definition makes tasks that name its handler, with a name and instructions of their own or by default', () => {
    const greet = defineTask({ name: 'greet', input: text, run: ({ input }) => `Hello ${input}` })
    expect(greet.task({ id: 'g', input: 'Ann' })).toEqual({
      id: 'g',
      name: 'g',
      instructions: 'Do greet.',
      handler: 'greet',
      input: 'Ann',
    })
    expect(greet.task({ id: 'g', name: 'G', instructions: 'Say it.', input: 'Ann', tags: ['x'] })).toMatchObject({
      name: 'G',
      instructions: 'Say it.',
      tags: ['x'],
    })
  })

  test('VE8 input goes through its schema before run, and output after it', async () => {
    const greet = defineTask({ name: 'greet', input: text, output: text, run: ({ input }) => `  Hello ${input}  ` })
    const { fleet } = await openBench({ handlers: { greet } })
    const run = await fleet.start({ name: 'r', tasks: [greet.task({ id: 'a', input: ' Ann ' })] })
    const result = await run.result()
    expect(result.output(greet, 'a')).toBe('Hello Ann')
    expect(await verdicts(run)).toEqual(['a/1 pass'])
  })

  test('RE3 a refused input is final, and a refused output is tried again', async () => {
    let calls = 0
    const shout = defineTask({
      name: 'shout',
      input: text,
      output: text,
      run: () => ((calls += 1) > 1 ? 'ok' : (5 as unknown as string)),
    })
    const { fleet, clock } = await openBench({ handlers: { shout } })
    const run = await fleet.start({
      name: 'r',
      tasks: [shout.task({ id: 'in', input: 5 as unknown as string }), shout.task({ id: 'out', input: 'x' })],
    })
    await clock.advance(5_000)
    expect((await verdicts(run)).toSorted()).toEqual(['in/1 fail task', 'out/1 fail task', 'out/2 pass'])
    expect((await run.receipts('in'))[0]?.evidence).toContain('input: expected text')
  })

  test('RE3 NonRetryableError is final; any other error is tried again; what is no JSON is a failure', async () => {
    const { fleet, clock } = await openBench({
      handlers: {
        final: () => {
          throw new NonRetryableError('never')
        },
        again: ({ number }) => {
          if (number === 1) throw new Error('once')
          return null
        },
        date: () => new Date(0),
      },
      slots: 3,
    })
    const run = await fleet.start({
      name: 'r',
      tasks: [task('f', { handler: 'final' }), task('g', { handler: 'again' }), task('d', { handler: 'date', ...once })],
    })
    await clock.advance(5_000)
    expect((await verdicts(run)).toSorted()).toEqual(['d/1 fail task', 'f/1 fail task', 'g/1 fail task', 'g/2 partial'])
  })

  test('SC5 a handler sees its dependencies, its earlier receipts and its place', async () => {
    const seen: unknown[] = []
    const { fleet, clock } = await openBench({
      handlers: {
        one: () => ({ n: 1 }),
        two: (attempt) => {
          seen.push([
            attempt.number,
            attempt.runId,
            attempt.dependencies['a']?.output,
            attempt.previous.map((receipt) => receipt.evidence),
          ])
          if (attempt.number === 1) throw new Error('once')
        },
      },
    })
    await fleet.start({
      id: 'r',
      name: 'r',
      tasks: [task('a', { handler: 'one' }), task('b', { handler: 'two', depends_on: ['a'] })],
    })
    await clock.advance(5_000)
    expect(seen).toEqual([
      [1, 'r', { n: 1 }, []],
      [2, 'r', { n: 1 }, ['Error: once']],
    ])
  })
})

describe('the run handle', () => {
  test('RU3 result tells how the run ended, with the latest receipt of each task; it resolves on failure too', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', once)] })
    const waiting = run.result()
    await clock.settle()
    transport.attempt('a').complete({ output: [1, 2] })
    transport.attempt('b').fail('broken')
    const result = await waiting
    expect(result).toMatchObject({
      id: run.id,
      status: 'failed',
      receipts: { a: { result: 'partial' }, b: { result: 'fail' } },
      failures: [{ task_id: 'b' }],
    })
    expect(result.output(defineTask({ name: 'x', run: () => null }), 'a')).toEqual([1, 2])
    expect(() => result.output(defineTask({ name: 'x', run: () => null }), 'b')).toThrow(
      expect.objectContaining({ code: 'run_not_completed', message: expect.stringContaining('broken') }),
    )
    expect(() => result.output(defineTask({ name: 'x', run: () => null }), 'toString')).toThrow(
      expect.objectContaining({ code: 'unknown_task' }),
    )
    expect(() => result.assertCompleted()).toThrow(
      expect.objectContaining({
        code: 'run_not_completed',
        message: expect.stringMatching(/failed[^]*b: fail \(task\): broken/),
      }),
    )
  })

  test('RU3 assertCompleted is silent when the run completed', async () => {
    const { fleet } = await openBench({ handlers: { work: () => null } })
    const run = await fleet.start({ name: 'r', tasks: [task('a', { handler: 'work' })] })
    expect((await run.result()).assertCompleted()).toBeUndefined()
  })

  test('RU3 waiting for a result ends with its signal', async () => {
    const { fleet } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    const stop = new AbortController()
    const waiting = run.result({ signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(run.result({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
  })

  test('LE9 retryFailed restarts what failed, of all or by tag, and says when there is nothing', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 3 })
    const run = await fleet.start({ name: 'r', tasks: [task('a', { ...once, tags: ['x'] }), task('b', once), task('c', once)] })
    await clock.settle()
    for (const id of ['a', 'b']) transport.attempt(id).fail('no')
    transport.attempt('c').complete()
    await clock.settle()
    expect(await run.retryFailed({ tags: ['nothing'] })).toMatchObject({ changed: false })
    expect(await run.retryFailed({ tags: ['x'] })).toMatchObject({ changed: true })
    expect(await statuses(run)).toEqual({ a: 'starting', b: 'failed', c: 'completed' })
    expect(await run.retryFailed()).toMatchObject({ changed: true })
    await clock.settle()
    expect(await statuses(run)).toEqual({ a: 'starting', b: 'starting', c: 'completed' })
  })

  test('RU9 tasks gives a view of each task', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] })
    await clock.advance(1_000)
    transport.attempt('a').complete()
    await clock.settle()
    const leased = new Date(clock.now()).toISOString()
    expect(await run.tasks()).toEqual([
      {
        id: 'a',
        name: 'a',
        status: 'completed',
        attempt: 1,
        worker: 'w1',
        result: 'partial',
        depends_on: [],
        leased_at: expect.any(String),
        ended_at: leased,
      },
      { id: 'b', name: 'b', status: 'starting', attempt: 1, worker: 'w1', depends_on: ['a'], leased_at: leased },
    ])
  })

  test('RU7 runs lists the runs of the store, newest first, by status and number (C6)', async () => {
    const { fleet, clock } = await openBench({ workers: [] })
    for (const name of ['one', 'two', 'three']) {
      await fleet.create({ name, tasks: [task('a')] })
      await clock.advance(1)
    }
    await (await fleet.run((await fleet.runs()).at(-1)!.id)).cancel()
    expect((await fleet.runs()).map((row) => row.name)).toEqual(['three', 'two', 'one'])
    expect((await fleet.runs({ limit: 1 })).map((row) => row.name)).toEqual(['three'])
    expect((await fleet.runs({ status: ['cancelled'] })).map((row) => row.name)).toEqual(['one'])
  })

  test('RU6 spec gives the run as the wire writes it, unknown fields included', async () => {
    const { fleet } = await openBench()
    const spec = {
      name: 'r',
      labels: { a: 'b' },
      roles: ['scout'],
      target: 'this_computer' as const,
      workflow: { id: 'w' },
      tasks: [task('a', { worker: { role: 'scout' } })],
      'x-later': { kept: true },
    }
    const run = await fleet.create(spec)
    const { tasks: _, ...rest } = spec
    expect(await run.spec()).toMatchObject({
      ...rest,
      workflow: { id: 'w', kind: 'parallel' },
      status: 'pending',
      task_specs: [{ id: 'a' }],
    })
  })
})

describe('EV3 live events', () => {
  test('EV3 on calls back at every event of a name until it is taken back; once gives the next', async () => {
    const { fleet, clock } = await openBench({ handlers: { work: () => null } })
    const heard: string[] = []
    const listener = (event: { task_id?: string }): void => void heard.push(event.task_id ?? '')
    const off = fleet.on('task.terminal', listener)
    const next = fleet.once('task.terminal')
    await (await fleet.start({ name: 'r', tasks: [task('a', { handler: 'work' }), task('b', { handler: 'work' })] })).result()
    await clock.settle()
    expect(heard.toSorted()).toEqual(['a', 'b'])
    expect(await next).toMatchObject({ event: 'task.terminal', payload: { status: 'completed' } })
    off()
    await (await fleet.start({ name: 'r', tasks: [task('c', { handler: 'work' })] })).result()
    fleet.on('task.terminal', listener)
    fleet.off('task.terminal', listener)
    await (await fleet.start({ name: 'r', tasks: [task('d', { handler: 'work' })] })).result()
    await clock.settle()
    expect(heard).toHaveLength(2)
  })

  test('EV3 a listener that throws harms nobody', async () => {
    const { fleet, clock } = await openBench({ handlers: { work: () => null } })
    const warned: string[] = []
    const onWarning = (warning: Error): void => void warned.push(warning.message)
    process.on('warning', onWarning)
    const heard: string[] = []
    fleet.on('task.terminal', () => {
      throw new Error('a bad listener')
    })
    fleet.on('task.terminal', (event) => void heard.push(event.event))
    expect((await (await fleet.start({ name: 'r', tasks: [task('a', { handler: 'work' })] })).result()).status).toBe('completed')
    await clock.settle()
    process.off('warning', onWarning)
    expect([heard, warned]).toEqual([['task.terminal'], [expect.stringContaining('a bad listener')]])
  })

  test('EV3 a reader that is too slow gets a gap in its place, with the cursor to replay from', async () => {
    const { fleet, clock } = await openBench({ handlers: { work: () => null }, slots: 200 })
    const reader = fleet.events()[Symbol.asyncIterator]()
    const first = reader.next()
    const run = await fleet.start({
      name: 'r',
      tasks: Array.from({ length: 200 }, (_, index) => task(`t${index}`, { handler: 'work' })),
    })
    await run.result()
    await clock.settle()
    const got: (FleetEvent | GapEvent)[] = [(await first).value]
    while (got.at(-1)?.event !== 'gap') got.push((await reader.next()).value)
    await reader.return?.()
    const gap = got.pop() as GapEvent
    const all: FleetEvent[] = []
    for await (const event of run.events()) all.push(event)
    expect(got.map((event) => (event as FleetEvent).cursor)).toEqual(all.slice(0, got.length).map((event) => event.cursor))
    expect(gap.dropped).toBe(all.length - got.length)
    expect(gap.dropped).toBeGreaterThan(0)
    const rest: FleetEvent[] = []
    for await (const event of run.events({ after: gap.after[run.id]! })) rest.push(event)
    expect([...got, ...rest]).toEqual(all)
  })

  test('EV3 events end with their signal, and with the fleet', async () => {
    const { fleet } = await openBench()
    const stop = new AbortController()
    const drained = async (events: AsyncIterable<unknown>): Promise<string> => {
      for await (const _ of events) void _
      return 'ended'
    }
    const mine = drained(fleet.events({ signal: stop.signal }))
    const other = drained(fleet.events())
    stop.abort()
    expect(await mine).toBe('ended')
    await fleet.close()
    expect(await other).toBe('ended')
  })
})

describe('CO8 close', () => {
  test('CO8 no new leases; running attempts get the grace; what is left is released and told to stop', async () => {
    const first = await openBench({ slots: 2 })
    const run = await first.fleet.start({ name: 'r', tasks: [task('a'), task('b'), task('c')] })
    await first.clock.settle()
    for (const id of ['a', 'b']) first.transport.attempt(id).accept()
    await first.clock.settle()
    const closing = first.fleet.close()
    await first.clock.advance(5_000)
    first.transport.attempt('a').complete()
    await first.clock.advance(5_000)
    await first.clock.advanceUntilIdle()
    await closing
    expect(first.transport.attempts).toHaveLength(2)
    expect(first.transport.attempt('b').stopped).toMatchObject({ code: 'fleet_closed' })
    const second = await openBench({ clock: first.clock, store: first.store.peer(), seed: 'second', workers: [] })
    const again = await second.fleet.run(run.id)
    expect([await statuses(again), await verdicts(again)]).toEqual([
      { a: 'completed', b: 'enqueued', c: 'enqueued' },
      ['a/1 partial'],
    ])
  })

  test('CO8 closing twice is safe, and commands after it are refused', async () => {
    const { fleet } = await openBench()
    const run = await fleet.create({ name: 'r', tasks: [task('a')] })
    await Promise.all([fleet.close(), fleet.close()])
    await fleet.close()
    for (const late of [run.start(), run.cancel(), fleet.create({ name: 's', tasks: [task('a')] })]) {
      await expect(late).rejects.toMatchObject({ code: 'fleet_closed' })
    }
  })

  test('CO8 `await using` closes', async () => {
    let kept: { start(): Promise<unknown> } | undefined
    {
      await using fleet = await createFleet({ handlers: { work: () => null } })
      const run = await fleet.start({ name: 'r', tasks: [task('a', { handler: 'work' })] })
      await run.result()
      kept = run
    }
    await expect(kept.start()).rejects.toSatisfy((error) => FleetError.is(error, 'fleet_closed'))
  })

  test('CO8 whoever waits for a result, or for more events, when the fleet closes is told', async () => {
    const { fleet } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    const waiting = run.result().catch((error: { code: string }) => error.code)
    const heard = (async () => {
      for await (const _ of run.events()) void _
      return 'ended'
    })()
    await fleet.close({ graceMs: 0 })
    expect([await waiting, await heard]).toEqual(['fleet_closed', 'ended'])
  })
})

describe('addWorker', () => {
  test('WO1 a worker is added while the fleet runs, once under each id', async () => {
    const { fleet, clock } = await openBench({ workers: [] })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await fleet.addWorker({ id: 'late', run: () => 'done' })
    await clock.settle()
    expect((await run.receipt('a'))?.output).toBe('done')
    await expect(fleet.addWorker({ id: 'late', run: () => 1 })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(fleet.addWorker({ id: 'x', slots: -1, run: () => 1 })).rejects.toMatchObject({ code: 'invalid_option' })
    expect(fleet.workers().map((worker) => worker.id)).toEqual(['late'])
  })
})
