import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCursor, writeCursor } from '../../../src/engine/cursor.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'
import type { Run } from '../../../src/fleet/run-handle.ts'
import { FleetWorkerEventPayload } from '../../../src/protocol/event.ts'
import type { FleetEvent } from '../../../src/protocol/fleet-event.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { controlledAppends, eventsOf, journalOf, statesOf } from '../../support/journal.ts'

/** A run with a retry, tool calls, usage, and an end. */
async function played(bench: BenchFleet, tools = 3): Promise<Run> {
  const { fleet, clock, transport } = bench
  const run = await fleet.start({
    id: 'r',
    name: 'r',
    tasks: [task('a', { retry_policy: { initial_backoff_seconds: 1 } }), task('b')],
  })
  await clock.settle()
  transport.attempt('a').accept()
  transport.attempt('a').fail('no')
  await clock.advance(1_000)
  for (const id of transport.attempts.slice(1).map((held) => held.assign.task_id)) {
    transport.attempt(id).accept()
    for (let n = 0; n < tools; n += 1)
      transport.attempt(id).send({ type: 'progress', event: { state: 'running_tool', tool: `t${n}` } } as never)
    transport.attempt(id).send({ type: 'usage', input_tokens: 1, output_tokens: 1 } as never)
    transport.attempt(id).complete()
    await clock.settle()
  }
  for (const held of transport.attempts.slice(2)) held.complete()
  await clock.settle()
  return run
}

async function collect(events: AsyncIterable<FleetEvent>, into: FleetEvent[] = []): Promise<FleetEvent[]> {
  for await (const event of events) into.push(event)
  return into
}

test('EV1 each run has one dense sequence of entries from 1', async () => {
  const bench = await openBench()
  const run = await played(bench)
  const other = await bench.fleet.start({ name: 'other', tasks: [task('x')] })
  for (const { id } of [run, other]) {
    const seqs = (await journalOf(bench.store, id)).map((entry) => entry.seq)
    expect(seqs).toEqual(seqs.map((_, index) => index + 1))
  }
})

test('EV1 what was heard live equals what a replay gives, cursors and all', async () => {
  const bench = await openBench()
  const run = await played(bench)
  expect(bench.heard.filter((event) => event.cursor !== '')).toEqual(await eventsOf(run))
})

test('EV1 worker events have their own seq per worker, run and task, from 1, dense, never reused (L8)', async () => {
  const bench = await openBench()
  const { fleet, clock, transport } = bench
  const run = await played(bench)
  await run.restart('a')
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  const other = await fleet.start({ id: 'r2', name: 'r2', tasks: [task('a')] })
  await clock.settle()
  const all = [...(await eventsOf(run)), ...(await eventsOf(other))].filter((event) => event.event.startsWith('worker.'))
  const bySource = new Map<string, number[]>()
  for (const event of all) {
    const source = `${event.worker_id}/${event.run_id}/${event.task_id}`
    bySource.set(source, [...(bySource.get(source) ?? []), event.worker_seq ?? 0])
  }
  expect(bySource.size).toBeGreaterThanOrEqual(5)
  for (const [source, seqs] of bySource) expect(seqs, source).toEqual(seqs.map((_, index) => index + 1))
})

test('EV1 worker sequences go on after a crash and a snapshot (W24, L24)', async () => {
  const first = await openBench()
  const run = await first.fleet.start({ id: 'r', name: 'r', tasks: [task('a')] })
  await first.clock.settle()
  first.transport.attempt('a').accept()
  await first.clock.settle()
  const seqsOf = async (of: Run) =>
    (await eventsOf(of)).flatMap((event) => (event.worker_id === 'w1' ? (event.worker_seq ?? []) : []))
  const highest = Math.max(...(await seqsOf(run)))
  const closing = first.fleet.close({ graceMs: 0 })
  await first.clock.advance(20_000)
  await closing
  const second = await openBench({ store: first.store.peer(), clock: first.clock, seed: 'second' })
  await second.clock.settle()
  const after = await seqsOf(await second.fleet.run('r'))
  expect(after).toEqual(after.map((_, index) => index + 1))
  expect(after.length).toBeGreaterThan(highest)
})

test('EV1 what the fleet reports before any worker has the task carries the worker id fleet', async () => {
  const bench = await openBench()
  const run = await bench.fleet.create({ name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] })
  await run.cancelTask('b')
  const events = (await eventsOf(run)).filter((event) => event.event.startsWith('worker.'))
  expect(events.map((event) => [event.task_id, event.worker_id, event.worker_seq, event.event])).toEqual([
    ['a', 'fleet', 1, 'worker.queued'],
    ['b', 'fleet', 1, 'worker.cancelled'],
  ])
})

test('EV1 heartbeats are live only: told with what the worker measured, no sequence, and the cursor of the entry before (L21)', async () => {
  const { fleet, clock, transport, heard } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  transport.attempt('a').send({ type: 'heartbeat', cpu_percent: 12.5, memory_mb: 64 } as never)
  await clock.settle()
  const beat = heard.find((event) => event.event === 'worker.heartbeat')
  expect(beat).toMatchObject({
    run_id: run.id,
    task_id: 'a',
    worker_id: 'w1',
    attempt: 1,
    payload: { cpu_percent: 12.5, memory_mb: 64 },
  })
  expect(beat).not.toHaveProperty('worker_seq')
  const events = await eventsOf(run)
  expect(events.map((event) => event.event)).not.toContain('worker.heartbeat')
  expect(beat?.cursor).toBe(events.at(-1)?.cursor)
})

test('EV1 EV7 the cursor of a heartbeat can be replayed from, whatever entry came before it, without gap or duplicate', async () => {
  const { fleet, clock, transport, heard } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.settle()
  // An entry without an event of its own.
  transport.attempt('a').send({ type: 'usage', input_tokens: 1, output_tokens: 1 } as never)
  await clock.settle()
  transport.attempt('a').heartbeat()
  await clock.settle()
  const beat = heard.findLast((event) => event.event === 'worker.heartbeat')
  expect((await run.replay({ after: beat?.cursor ?? '' })).events).toEqual([])
  transport.attempt('a').complete()
  await clock.settle()
  const rest = await run.replay({ after: beat?.cursor ?? '' })
  expect(rest.events.map((event) => event.event)).toEqual([
    'worker.completed',
    'task.receipt_recorded',
    'task.terminal',
    'run.status_changed',
    'alert.raised',
  ])
})

test('EV1 CO1 a heartbeat does not tell of an entry that is not durable yet', async () => {
  const appends = controlledAppends()
  const { fleet, clock, transport, heard } = await openBench({ storeParts: { beforeAppend: () => appends.beforeAppend() } })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const before = (await eventsOf(run)).at(-1)?.cursor
  appends.hold()
  transport.attempt('a').accept()
  transport.attempt('a').heartbeat()
  await clock.settle()
  expect(heard.findLast((event) => event.event === 'worker.heartbeat')?.cursor).toBe(before)
  appends.go()
})

test('EV2 run.events() starts at 1 and ends after the run’s terminal entry', async () => {
  const bench = await openBench()
  const run = await played(bench)
  const events = await collect(run.events())
  expect(events[0]?.event).toBe('run.created')
  expect(events).toEqual(await eventsOf(run))
  expect(events.filter((event) => event.event === 'run.status_changed').at(-1)?.payload).toEqual({ status: 'completed' })
})

test('EV2 replay joins live without gap or duplicate, wherever the reader joins', async () => {
  const bench = await openBench()
  const { fleet, clock, transport } = bench
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  const readers: FleetEvent[][] = []
  const ends: Promise<FleetEvent[]>[] = []
  const join = () => {
    const into: FleetEvent[] = []
    readers.push(into)
    ends.push(collect(run.events(), into))
  }
  join()
  await clock.settle()
  join()
  transport.attempt('a').accept()
  join()
  await clock.settle()
  for (let n = 0; n < 5; n += 1) {
    transport.attempt('a').send({ type: 'progress', event: { state: 'running_tool', tool: `t${n}` } } as never)
    join()
    await clock.settle()
  }
  // All of them are live by now.
  const soFar = await eventsOf(run)
  for (const reader of readers) expect(reader).toEqual(soFar)
  transport.attempt('a').complete()
  await clock.settle()
  const all = await eventsOf(run)
  for (const end of ends) expect(await end).toEqual(all)
})

test('EV2 a slow reader simply reads on from the store', async () => {
  const bench = await openBench()
  const { fleet, clock, transport } = bench
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  const reader = run.events()[Symbol.asyncIterator]()
  const seen = [(await reader.next()).value as FleetEvent]
  await clock.settle()
  transport.attempt('a').accept()
  for (let n = 0; n < 600; n += 1)
    transport.attempt('a').send({ type: 'progress', event: { state: 'running_tool', tool: `t${n}` } } as never)
  transport.attempt('a').complete()
  await clock.settle()
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) seen.push(next.value)
  expect(seen).toEqual(await eventsOf(run))
  expect(seen.length).toBeGreaterThan(600)
})

test('EV2 after a cursor, exactly the remaining events come (L3)', async () => {
  const bench = await openBench()
  const run = await played(bench)
  const all = await eventsOf(run)
  for (const [index, event] of all.entries()) {
    expect(await collect(run.events({ after: event.cursor }))).toEqual(all.slice(index + 1))
  }
})

test('EV2 after a cursor behind the terminal entry, the stream ends too', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 2 })
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  transport.attempt('a').send({ type: 'log', text: 'late words' } as never)
  await clock.settle()
  await run.cancel()
  // The log of a cancelled attempt is recorded when its end is confirmed, after the run has ended.
  transport.attempt('a').confirm()
  await clock.settle()
  const last = (await eventsOf(run)).at(-1)
  expect(last?.event).toBe('worker.artifact')
  let ended = false
  const reading = collect(run.events({ after: last?.cursor ?? '' })).then((events) => {
    ended = true
    return events
  })
  await clock.settle()
  expect(ended).toBe(true)
  expect(await reading).toEqual([])
})

test('EV2 follow goes on after the end, for what a restart brings, until its signal aborts', async () => {
  const bench = await openBench()
  const { clock, transport } = bench
  const run = await played(bench)
  const stop = new AbortController()
  const seen: FleetEvent[] = []
  const reading = collect(run.events({ follow: true, signal: stop.signal }), seen).catch((error: unknown) => error)
  await clock.settle()
  const before = seen.length
  await run.restart('a')
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  expect(seen.slice(before).map((event) => event.event)).toContain('worker.restarted')
  expect(seen).toEqual(await eventsOf(run))
  stop.abort(new Error('enough'))
  expect(await reading).toMatchObject({ message: 'enough' })
})

test('EV2 a stream that waits is ended by the signal', async () => {
  const { fleet, clock } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  const stop = new AbortController()
  const reading = collect(run.events({ signal: stop.signal })).catch((error: unknown) => error)
  await clock.settle()
  stop.abort(new Error('enough'))
  expect(await reading).toMatchObject({ message: 'enough' })
})

test('EV6 payload states occur where they belong', async () => {
  const { fleet, clock, transport } = await openBench({ slots: 2 })
  const retry_policy = { initial_backoff_seconds: 1, max_attempts: 3 }
  const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy })] })
  await clock.settle()
  const say = (event: object) => transport.attempt('a').send({ type: 'progress', event } as never)
  transport.attempt('a').accept()
  say({ state: 'model_wait', model: 'm' })
  say({ state: 'running_tool', tool: 'sh', call_id: 'c' })
  say({ state: 'workflow_event', workflow_run_id: 'inner', event: { n: 1 } })
  await clock.advance(60_000)
  expect(await statesOf(run, 'a')).toEqual([
    'queued',
    'leased',
    'starting',
    'running',
    'model_wait',
    'running_tool',
    'workflow_event',
    'stale',
  ])
  transport.attempt('a').confirm()
  await clock.advance(1_000)
  transport.attempt('a').accept()
  transport.attempt('a').fail('no')
  await clock.advance(2_000)
  transport.attempt('a').complete()
  await clock.settle()
  expect((await statesOf(run, 'a')).slice(8)).toEqual([
    ...['queued', 'leased', 'restarted', 'starting', 'running', 'failed'],
    ...['queued', 'leased', 'restarted', 'starting', 'completed'],
  ])
  const second = await fleet.start({ name: 'r2', tasks: [task('b')] })
  await clock.settle()
  await second.cancelTask('b', { by: 'ada', reason: 'enough' })
  const cancelled = (await eventsOf(second)).filter((event) => event.event.startsWith('worker.')).slice(-2)
  expect(cancelled.map(({ event, payload }) => [event, payload])).toEqual([
    ['worker.interrupted', { signal: 'enough' }],
    ['worker.cancelled', { cancelled_by: 'ada' }],
  ])
  // What is stored is what the contract says.
  for (const { event, payload } of [...(await eventsOf(run)), ...cancelled]) {
    if (event.startsWith('worker.'))
      expect(() => FleetWorkerEventPayload.parse({ state: event.slice(7), ...payload } as never)).not.toThrow()
  }
})

test('EV6 queued is said at every enqueuing: after a release, after a retry without a wait, and once per wait', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy: { initial_backoff_seconds: 0 } })] })
  await clock.settle()
  transport.drop('w1')
  await clock.advance(1_500)
  expect(await statesOf(run, 'a')).toEqual(['queued', 'leased', 'starting', 'interrupted', 'queued', 'leased', 'starting'])
  transport.attempt('a').fail('no')
  await clock.settle()
  expect((await statesOf(run, 'a')).slice(7)).toEqual(['failed', 'queued', 'leased', 'restarted', 'starting'])
  const failed = (await eventsOf(run)).find((event) => event.event === 'worker.failed')
  expect((await run.receipt('a'))?.terminal_seq).toBe(failed?.worker_seq)
  const later = await fleet.start({
    name: 'later',
    tasks: [task('b', { not_before: new Date(clock.now() + 5_000).toISOString() })],
  })
  await clock.advance(5_000)
  expect((await statesOf(later, 'b')).filter((state) => state === 'queued')).toHaveLength(1)
})

test('EV6 heartbeat is said live, artifact when it was collected, queued at a restart', async () => {
  const { fleet, clock, transport, names } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const held = transport.attempt('a')
  held.accept()
  held.heartbeat()
  held.send({ type: 'artifact', report: 1, kind: 'report', path: 'r.txt', bytes: new TextEncoder().encode('text') } as never)
  await clock.settle()
  expect(names('a').slice(-3).toSorted()).toEqual(['worker.artifact', 'worker.heartbeat', 'worker.running'])
  expect(await statesOf(run, 'a')).toEqual(['queued', 'leased', 'starting', 'running', 'artifact'])
  await run.restart('a')
  held.confirm()
  await clock.settle()
  expect((await statesOf(run, 'a')).slice(5)).toEqual(['interrupted', 'queued', 'leased', 'restarted', 'starting'])
})

test('EV7 a cursor is opaque, at most 96 characters of A-Z a-z 0-9 _, for any place in any run', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.nat(100_000),
      fc.string({ minLength: 1 }),
      (seq, index, seed) => {
        const short = seededIds(seed).next('r').replace(/^r-/, '').slice(0, 10)
        const cursor = writeCursor({ short, seq, index })
        expect(cursor).toMatch(/^fev1_[A-Za-z0-9_]{1,91}$/)
        expect(readCursor(cursor, short)).toEqual({ short, seq, index })
      },
    ),
  )
})

test('EV7 what is no cursor of this run is cursor_unavailable, with a way on (L5)', async () => {
  const bench = await openBench()
  const run = await played(bench)
  const other = await bench.fleet.create({ name: 'other', tasks: [task('x')] })
  const [first] = await eventsOf(run)
  const short = first?.cursor.split('_')[1] ?? ''
  const foreign = (await eventsOf(other))[0]?.cursor ?? ''
  const bad = [
    '',
    'x',
    foreign,
    `fev1_${short}_zzzz_0`,
    `fev1_${short}_1_z`,
    `fev1_${short}_0_0`,
    `fev1_${short}_01_0`,
    `fev1_${short}_1_0_0`,
    `${first?.cursor}\n`,
    'f'.repeat(10_000),
  ]
  for (const after of bad) {
    await expect(run.replay({ after }), after.slice(0, 40)).rejects.toMatchObject({
      code: 'cursor_unavailable',
      message: expect.stringMatching(/without a cursor/),
    })
    await expect(collect(run.events({ after })), after.slice(0, 40)).rejects.toMatchObject({ code: 'cursor_unavailable' })
  }
})

test('EV7 cursors survive restarts and snapshots', async () => {
  const bench = await openBench()
  const run = await played(bench)
  const all = await eventsOf(run)
  await bench.fleet.close()
  const second = await openBench({ store: bench.store.peer(), clock: bench.clock, seed: 'second' })
  const again = await second.fleet.run('r')
  expect(await eventsOf(again)).toEqual(all)
  expect((await again.replay({ after: all[4]?.cursor ?? '' })).events).toEqual(all.slice(5))
})

test('EV7 pages are 1 to 1000 events, 250 by default', async () => {
  const bench = await openBench()
  const run = await played(bench, 300)
  const { events } = await run.replay()
  expect(events).toHaveLength(250)
  for (const limit of [0, -1, 1001, 1.5, Number.NaN])
    await expect(run.replay({ limit })).rejects.toMatchObject({ code: 'invalid_option' })
  for (const limit of [1, 1000])
    expect((await run.replay({ limit })).events.length).toBe(limit === 1 ? 1 : (await eventsOf(run)).length)
})

test('EV7 replay without a cursor gives the newest tail, and says that it is one (L4)', async () => {
  const bench = await openBench()
  const run = await played(bench)
  const all = await eventsOf(run)
  for (let limit = 1; limit <= all.length + 2; limit += 1) {
    const page = await run.replay({ limit })
    expect(page.events).toEqual(all.slice(-limit))
    expect(page).toMatchObject({
      run_id: 'r',
      has_more: false,
      history_truncated: limit < all.length,
      next_cursor: all.at(-1)?.cursor,
    })
  }
})

test('EV7 pages after a cursor, put together, are the whole, for every page size', async () => {
  const bench = await openBench()
  const run = await played(bench)
  const all = await eventsOf(run)
  for (let limit = 1; limit <= all.length; limit += 1) {
    const events = [all[0]]
    for (let after = all[0]?.cursor, more = true; more;) {
      const page = await run.replay({ after: after ?? '', limit })
      expect(page.events.length).toBeLessThanOrEqual(limit)
      expect(page.history_truncated).toBe(false)
      events.push(...page.events)
      more = page.has_more
      if (more) expect(page.events).toHaveLength(limit)
      after = page.next_cursor ?? after
    }
    expect(events).toEqual(all)
  }
  expect(await run.replay({ after: all.at(-1)?.cursor ?? '' })).toEqual({
    run_id: 'r',
    events: [],
    has_more: false,
    history_truncated: false,
  })
})
