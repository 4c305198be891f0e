import { expect, test, vi } from 'vitest'
import { createSubscription } from '../../../src/observability/subscription.ts'
import type { GapEvent } from '../../../src/observability/subscription.ts'
import type { FleetEvent } from '../../../src/protocol/fleet-event.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { eventsOf } from '../../support/journal.ts'

function eventOf(run: string, n: number): FleetEvent {
  return { cursor: `fev1_${run}_${n}_0`, event: 'run.sealed', run_id: run, timestamp: '2030-01-01T00:00:00.000Z', payload: {} }
}

async function take(events: AsyncIterable<FleetEvent | GapEvent>, count: number): Promise<(FleetEvent | GapEvent)[]> {
  const taken: (FleetEvent | GapEvent)[] = []
  if (count === 0) return taken
  for await (const event of events) {
    taken.push(event)
    if (taken.length === count) break
  }
  return taken
}

test('EV3 on and events are live: who comes later hears what comes later, and off ends it', async () => {
  const { fleet, clock, transport } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const said: string[] = []
  const listener = (event: FleetEvent) => void said.push(event.event)
  const stop = fleet.on('worker.running', listener)
  fleet.on('task.terminal', listener)
  transport.attempt('a').accept()
  await clock.settle()
  expect(said).toEqual(['worker.running'])
  stop()
  fleet.off('task.terminal', listener)
  const ended = fleet.once('run.status_changed')
  transport.attempt('a').complete()
  await clock.settle()
  expect((await ended).payload).toEqual({ status: 'completed' })
  expect(said).toEqual(['worker.running'])
  expect((await run.summary()).status).toBe('completed')
})

test('EV3 a listener that throws or is slow harms nobody', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  try {
    const { fleet, clock, transport, heard } = await openBench()
    const said: string[] = []
    fleet.on('task.leased', () => {
      throw new Error('mine')
    })
    fleet.on('task.leased', () => new Promise<void>(() => undefined))
    fleet.on('task.leased', (event) => void said.push(event.task_id ?? ''))
    fleet.on('task.terminal', (event) => void said.push(event.task_id ?? ''))
    const run = await fleet.start({ name: 'r', tasks: [task('a'), task('b')] })
    for (const id of ['a', 'b']) {
      await clock.settle()
      transport.attempt(id).complete()
    }
    await clock.settle()
    expect((await run.summary()).status).toBe('completed')
    expect(said).toEqual(['a', 'a', 'b', 'b'])
    expect(heard.filter((event) => event.cursor !== '')).toEqual(await eventsOf(run))
    expect(warned.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringContaining('mine'),
      expect.stringContaining('mine'),
    ])
  } finally {
    warned.mockRestore()
  }
})

test('EV3 a subscriber that reads nothing gets a gap with the cursor to replay from, and misses nothing by it', async () => {
  const { fleet, clock, transport } = await openBench()
  const idle = fleet.events()[Symbol.asyncIterator]()
  const first = idle.next()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await first
  await clock.settle()
  transport.attempt('a').accept()
  for (let n = 0; n < 1_500; n += 1) {
    transport.attempt('a').send({ type: 'progress', event: { state: 'running_tool', tool: `t${n}` } } as never)
  }
  transport.attempt('a').complete()
  await clock.settle()
  const seen: FleetEvent[] = [(await first).value as FleetEvent]
  let gap: GapEvent | undefined
  while (gap === undefined) {
    const { value } = (await idle.next()) as { value: FleetEvent | GapEvent }
    if (value.event === 'gap') gap = value
    else seen.push(value)
  }
  // 1,024 lay in the buffer, beside the one that was handed over before.
  expect(seen).toHaveLength(1_025)
  const rest: FleetEvent[] = []
  for await (const event of run.events({ after: gap.after[run.id] ?? '' })) rest.push(event)
  expect(rest).toHaveLength(gap.dropped)
  const whole: FleetEvent[] = []
  for await (const event of run.events()) whole.push(event)
  expect([...seen, ...rest]).toEqual(whole)
})

test('EV3 the gap stands in its place, names every run that lost something, and what comes after it is told', async () => {
  const subscription = createSubscription(2, undefined, () => undefined)
  for (let n = 1; n <= 2; n += 1) subscription.push(eventOf('a', n))
  subscription.push(eventOf('a', 3))
  subscription.push(eventOf('b', 1))
  const taken = await take(subscription.events, 3)
  expect(taken).toEqual([
    eventOf('a', 1),
    eventOf('a', 2),
    { event: 'gap', dropped: 2, after: { a: eventOf('a', 2).cursor, b: null } },
  ])
  // Reading ended the subscription; what comes later is not kept.
  subscription.push(eventOf('a', 4))
  expect(await take(subscription.events, 0)).toEqual([])
})

test('EV3 after a gap the buffer fills anew', async () => {
  const subscription = createSubscription(1, undefined, () => undefined)
  const reader = subscription.events[Symbol.asyncIterator]()
  subscription.push(eventOf('a', 1))
  subscription.push(eventOf('a', 2))
  expect((await reader.next()).value).toEqual(eventOf('a', 1))
  expect((await reader.next()).value).toMatchObject({ event: 'gap', dropped: 1, after: { a: eventOf('a', 1).cursor } })
  subscription.push(eventOf('a', 3))
  expect((await reader.next()).value).toEqual(eventOf('a', 3))
})

test('EV3 a gap knows runs of any name', async () => {
  for (const run of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const subscription = createSubscription(1, undefined, () => undefined)
    subscription.push(eventOf(run, 1))
    subscription.push(eventOf(run, 2))
    const [, gap] = await take(subscription.events, 2)
    expect(gap?.event === 'gap' && Object.entries(gap.after)).toEqual([[run, eventOf(run, 1).cursor]])
  }
})

test('EV3 events ends with its signal, with its reader, and with the fleet', async () => {
  const { fleet, clock } = await openBench()
  const stop = new AbortController()
  const ended: string[] = []
  const read = async (name: string, signal?: AbortSignal) => {
    for await (const _ of fleet.events(signal === undefined ? {} : { signal })) void _
    ended.push(name)
  }
  const readers = [read('by signal', stop.signal), read('by close'), read('at once', AbortSignal.abort())]
  await clock.settle()
  expect(ended).toEqual(['at once'])
  stop.abort()
  await clock.settle()
  expect(ended).toEqual(['at once', 'by signal'])
  await fleet.close()
  await Promise.all(readers)
  expect(ended).toEqual(['at once', 'by signal', 'by close'])
})

test('EV4 the host application hears each event in full: what happened, to what, when, and where it stands', async () => {
  const { fleet, clock, transport, heard } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  transport.attempt('a').send({ type: 'progress', event: { state: 'running_tool', tool: 'sh', call_id: 'c1' } } as never)
  await clock.settle()
  expect(heard.at(-1)).toEqual({
    cursor: expect.stringMatching(/^fev1_/),
    event: 'worker.running_tool',
    run_id: run.id,
    task_id: 'a',
    worker_id: 'w1',
    attempt: 1,
    timestamp: new Date(clock.now()).toISOString(),
    worker_seq: 4,
    payload: { tool: 'sh', call_id: 'c1' },
  })
})

test('EV3 a subscriber that comes and goes leaves nothing behind', async () => {
  const { fleet, clock, transport } = await openBench()
  const reader = fleet.events()[Symbol.asyncIterator]()
  const first = reader.next()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await first
  await reader.return?.(undefined)
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  expect(await reader.next()).toEqual({ done: true, value: undefined })
  expect((await run.summary()).status).toBe('completed')
})
