// The scorer loads it when it is first needed, which would take longer than the virtual clock waits.
import 're2js'
import { expect, test } from 'vitest'
import type { Entry } from '../../../src/engine/entry.ts'
import { createAlertReceiver } from '../../../src/testing/alert-receiver.ts'
import { alertEventClasses } from '../../../src/protocol/alert.ts'
import type { FleetAlertChannel } from '../../../src/protocol/alert.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'
import { eventsOf, journalOf, statesOf } from '../../support/journal.ts'

const webhook: FleetAlertChannel = { kind: 'webhook', url_ref: { key: 'HOOK' } }
const slack: FleetAlertChannel = { kind: 'slack', url_ref: { key: 'SLACK' } }
const pager: FleetAlertChannel = { kind: 'pager_duty', routing_key: '<secret:PAGER>', severity: 'error' }
const once = { max_attempts: 1 }
const again = { max_attempts: 5, initial_backoff_seconds: 0 }

type Policy = { channels?: FleetAlertChannel[]; events?: string[]; after_attempts?: number; after_minutes_stale?: number }
const policy = ({ channels = [webhook], ...rest }: Policy = {}) => ({ alert_policy: { channels, ...rest } })

async function openAlerting(options: Parameters<typeof openBench>[0] = {}) {
  const receiver = createAlertReceiver()
  const bench = await openBench({ ...options, alerts: { sinks: receiver.sinks } })
  const told = () =>
    receiver.received.map(
      ({ alert, channel }) => `${alert.action} ${alert.class} ${alert.task.id}#${alert.attempt} ${channel.kind}`,
    )
  return { ...bench, receiver, told }
}

async function fail({ transport, clock }: Pick<BenchFleet, 'transport' | 'clock'>, id: string, reason = 'no') {
  transport.attempt(id).accept()
  transport.attempt(id).fail(reason)
  await clock.settle()
}

async function goStale({ transport, clock }: Pick<BenchFleet, 'transport' | 'clock'>, id: string) {
  transport.attempt(id).accept()
  await clock.advance(60_000)
  transport.attempt(id).confirm()
  await clock.settle()
}

test('AL1 of the classes, stale, restart_exhausted, needs_human and run_completed are each delivered once (alert_policy.channels)', async () => {
  const bench = await openAlerting({ slots: 2 })
  const { fleet, clock, transport, told } = bench
  const run = await fleet.start({
    name: 'r',
    tasks: [
      task('a', { ...policy(), retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 } }),
      task('b', { ...policy(), scorer: { kind: 'manual' } }),
    ],
  })
  await clock.settle()
  transport.attempt('b').complete()
  await clock.settle()
  await goStale(bench, 'a')
  await fail(bench, 'a')
  expect(told()).toEqual([
    'trigger needs_human b#1 webhook',
    'trigger stale a#1 webhook',
    'trigger restart_exhausted a#2 webhook',
  ])
  await run.settle('b', { result: 'pass', by: 'ada' })
  await run.restart('a')
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  expect(told().slice(3)).toEqual(['trigger run_completed a#3 webhook'])
  expect(await statesOf(run, 'a')).toContain('escalated')
  expect((await run.summary()).escalated).toBe(2)
})

test('AL1 verifier_failed is delivered when a check could not be made', async () => {
  const { fleet, clock, transport, told } = await openAlerting()
  await fleet.start({
    name: 'r',
    tasks: [task('a', { ...policy(), scorer: { kind: 'regex_match', path: 'none.txt', pattern: '(' } })],
  })
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  expect(told()).toEqual(['trigger verifier_failed a#1 webhook'])
})

test('AL1 budget_exceeded is delivered when a limit of a task is crossed, and once when one of the run is', async () => {
  const bench = await openAlerting()
  const { fleet, clock, transport, receiver, told } = bench
  const spent = () => transport.attempt('a').send({ type: 'usage', input_tokens: 6, output_tokens: 6 } as never)
  await fleet.start({ name: 'r', tasks: [task('a', { ...policy({ channels: [pager] }), budget: { max_tokens: 10 } })] })
  await clock.settle()
  transport.attempt('a').accept()
  spent()
  await clock.settle()
  expect(told()).toEqual(['trigger budget_exceeded a#1 pager_duty'])
  expect(receiver.received[0]?.alert.reason).toBe('The budget of the task is spent: 12 of 10 tokens (max_tokens).')
  transport.attempt('a').complete()
  await clock.settle()
  // What was handed back in time ends the cause.
  expect(told().slice(1)).toEqual(['resolve budget_exceeded a#1 pager_duty', 'trigger run_completed a#1 pager_duty'].toSorted())

  const whole = await openAlerting()
  const tasks = ['a', 'b', 'c'].map((id) => task(id, policy({ events: ['budget_exceeded'] })))
  await whole.fleet.start({ name: 'r', tasks, budget: { max_tokens: 10 } })
  await whole.clock.settle()
  whole.transport.attempt('a').accept()
  whole.transport.attempt('a').send({ type: 'usage', input_tokens: 6, output_tokens: 6 } as never)
  await whole.clock.settle()
  expect(whole.told()).toEqual(['trigger budget_exceeded a#1 webhook'])
  expect(whole.receiver.received[0]?.alert.reason).toBe('The budget of the run is spent: 12 of 10 tokens (max_tokens).')
})

test('AL1 alert_policy.events filters the classes; what is left out is raised as an event all the same', async () => {
  for (const [events, expected] of [
    [['needs_human'], []],
    [['restart_exhausted'], ['trigger restart_exhausted a#1 webhook']],
    [[...alertEventClasses], ['trigger restart_exhausted a#1 webhook']],
  ] as const) {
    const bench = await openAlerting()
    await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy({ events: [...events] }), retry_policy: once })] })
    await bench.clock.settle()
    await fail(bench, 'a')
    expect(bench.told()).toEqual(expected)
    expect(bench.names()).toContain('alert.raised')
  }
})

test('AL1 a policy without channels delivers nothing, and alert.raised is announced', async () => {
  const bench = await openAlerting()
  await bench.fleet.start({ name: 'r', tasks: [task('a', { alert_policy: {}, retry_policy: once })] })
  await bench.clock.settle()
  await fail(bench, 'a')
  expect(bench.told()).toEqual([])
  expect(bench.names()).toContain('alert.raised')
})

test('AL1 alert_policy.after_attempts holds back until that many attempts failed', async () => {
  const bench = await openAlerting()
  await bench.fleet.start({
    name: 'r',
    tasks: [task('a', { ...policy({ after_attempts: 3, events: ['stale'] }), retry_policy: again })],
  })
  await bench.clock.settle()
  await goStale(bench, 'a')
  await goStale(bench, 'a')
  expect(bench.told()).toEqual([])
  await goStale(bench, 'a')
  expect(bench.told()).toEqual(['trigger stale a#3 webhook'])
})

test('AL1 alert_policy.after_attempts lets go what it held back when its cause still stands', async () => {
  const bench = await openAlerting()
  const { transport, clock } = bench
  const failing = {
    ...policy({ after_attempts: 2, events: ['verifier_failed'] }),
    retry_policy: { ...again, retry_on: ['verifier', 'task'] },
  }
  await bench.fleet.start({
    name: 'r',
    tasks: [task('a', { ...failing, scorer: { kind: 'regex_match', path: 'none', pattern: '(' } })],
  })
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  expect(bench.told()).toEqual([])
  // The second failure is of another kind, and makes two.
  await fail(bench, 'a')
  expect(bench.told()).toEqual(['trigger verifier_failed a#1 webhook'])
})

test('AL1 alert_policy.after_attempts does not hold back what tells of no failure: needs_human and run_completed', async () => {
  const { fleet, clock, transport, told } = await openAlerting()
  const run = await fleet.start({
    name: 'r',
    tasks: [task('a', { ...policy({ after_attempts: 9 }), scorer: { kind: 'manual' } })],
  })
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  await run.settle('a', { result: 'pass', by: 'ada' })
  await clock.settle()
  expect(told()).toEqual(['trigger needs_human a#1 webhook', 'trigger run_completed a#1 webhook'])
})

test('AL1 alert_policy.after_minutes_stale runs from the first stale lease until an attempt reports again', async () => {
  for (const [reports, expected] of [
    [false, ['trigger stale a#1 webhook']],
    [true, []],
  ] as const) {
    const bench = await openAlerting()
    const { clock, transport } = bench
    await bench.fleet.start({
      name: 'r',
      tasks: [
        task('a', {
          ...policy({ after_minutes_stale: 10, events: ['stale'] }),
          retry_policy: { ...again, initial_backoff_seconds: 60 },
        }),
      ],
    })
    await clock.settle()
    await goStale(bench, 'a')
    await clock.advance(60_000)
    // The next attempt is assigned; only when it reports does the task count as heard of.
    expect(transport.attempts).toHaveLength(2)
    if (reports) transport.attempt('a').accept()
    await clock.advance(8 * 60_000)
    expect(bench.told()).toEqual([])
    // Its lease is over meanwhile, which is a release: the clock goes on from the first stale lease.
    if (reports) transport.attempt('a').complete()
    await clock.advance(61_000)
    expect(bench.told()).toEqual(expected)
  }
})

test('AL1 alert_policy.after_minutes_stale is a durable deadline: another fleet keeps to it', async () => {
  const bench = await openAlerting()
  const { store, clock, receiver } = bench
  await bench.fleet.start({
    name: 'r',
    tasks: [
      task('a', {
        ...policy({ after_minutes_stale: 10, events: ['stale'] }),
        retry_policy: { ...again, initial_backoff_seconds: 3600, max_backoff_seconds: 3600 },
      }),
    ],
  })
  await clock.settle()
  await goStale(bench, 'a')
  await clock.advance(4 * 60_000)
  await bench.fleet.close({ graceMs: 0 })
  const next = await openBench({ store, clock, seed: 'next', alerts: { sinks: receiver.sinks } })
  await clock.advance(5 * 60_000)
  expect(bench.told()).toEqual([])
  await clock.advance(60_000)
  expect(bench.told()).toEqual(['trigger stale a#1 webhook'])
  await next.fleet.close()
})

test('AL2 S3 S4 one alert per (run, task, attempt, class, channel), whatever else happens to the task', async () => {
  const bench = await openAlerting()
  const { fleet, clock, receiver, store } = bench
  const run = await fleet.start({
    name: 'r',
    tasks: [
      task('a', {
        ...policy({ channels: [webhook, slack, webhook] }),
        retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 },
      }),
    ],
  })
  await clock.settle()
  await goStale(bench, 'a')
  await goStale(bench, 'a')
  const keys = receiver.received.map(({ alert, channel }) => `${alert.class}#${alert.attempt} ${channel.kind}`)
  const channels = ['slack', 'webhook', 'webhook']
  const expected = ['restart_exhausted#2', 'stale#1', 'stale#2'].flatMap((name) => channels.map((kind) => `${name} ${kind}`))
  expect(keys.toSorted()).toEqual(expected)
  const ids = receiver.received.map(({ alert }) => alert.id)
  expect(new Set(ids).size).toBe(9)
  expect(ids.every((id) => /^\w{1,64}$/.test(id))).toBe(true)
  const entries = await journalOf(store, run.id)
  expect(entries.filter((entry) => entry.kind === 'alert.sent')).toHaveLength(9)
})

test('AL2 run_completed is told once through each channel that any task names for it', async () => {
  const { fleet, clock, transport, told } = await openAlerting({ slots: 3 })
  await fleet.start({
    name: 'r',
    tasks: [
      task('a', policy({ events: ['stale'] })),
      task('b', policy({ channels: [webhook, slack] })),
      task('c', policy({ channels: [slack, webhook] })),
    ],
  })
  await clock.settle()
  for (const id of ['a', 'b', 'c']) transport.attempt(id).complete()
  await clock.settle()
  expect(told()).toEqual(['trigger run_completed b#1 webhook', 'trigger run_completed b#1 slack'])
})

test('AL2 a receiver that is down gets every alert once it is back, after waits that double (RE2)', async () => {
  const bench = await openAlerting()
  const { fleet, clock, receiver } = bench
  receiver.behave = () => 'refuse'
  const at: number[] = []
  const since = clock.now()
  receiver.behave = () => {
    at.push(Math.round((clock.now() - since) / 1000))
    return at.length < 5 ? 'refuse' : 'take'
  }
  const run = await fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await clock.settle()
  await fail(bench, 'a')
  expect((await run.tasks())[0]?.alerts).toMatchObject([{ status: 'owed', tries: 1, error: 'the receiver refused it' }])
  await clock.advance(200_000)
  expect(at).toEqual([0, 5, 15, 35, 75])
  expect(new Set(receiver.received.map(({ alert }) => alert.id)).size).toBe(1)
  expect((await run.tasks())[0]?.alerts).toMatchObject([{ status: 'sent', tries: 0 }])
})

test('AL2 a receiver is asked again no sooner than it wants, and no later than the longest wait', async () => {
  for (const [retryAfterMs, second] of [
    [60_000, 60],
    [1_000, 5],
    [10 ** 12, 3600],
  ] as const) {
    const receiver = createAlertReceiver()
    const at: number[] = []
    const bench = await openBench({
      alerts: {
        sinks: {
          ...receiver.sinks,
          webhook: {
            ...receiver.sinks.webhook,
            deliver: async () => {
              at.push(bench.clock.now())
              return at.length > 1 ? { delivered: true } : { delivered: false, reason: 'busy', retryAfterMs }
            },
          },
        },
      },
    })
    await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
    await bench.clock.settle()
    await fail(bench, 'a')
    await bench.clock.advance(4_000_000)
    expect(at.map((moment) => Math.round((moment - (at[0] ?? 0)) / 1000))).toEqual([0, second])
  }
})

test('AL2 retries are bounded: an alert that is given up is recorded, announced and seen, and holds nothing up', async () => {
  const bench = await openAlerting({ limits: { alertTries: 3 } })
  const { fleet, clock, receiver } = bench
  receiver.behave = () => 'refuse'
  const run = await fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await clock.settle()
  await fail(bench, 'a')
  await expect(run.delete()).rejects.toMatchObject({ code: 'run_open', details: { unsettled: 1 } })
  await clock.advance(60_000)
  expect(receiver.received).toHaveLength(3)
  const found = (await eventsOf(run)).find((event) => event.event === 'alert.given_up')
  expect(found?.payload).toMatchObject({
    class: 'restart_exhausted',
    channel: 'webhook',
    tries: 3,
    reason: 'the receiver refused it',
  })
  expect(bench.names()).toContain('alert.given_up')
  expect((await run.tasks())[0]?.alerts).toMatchObject([{ status: 'given_up', tries: 3 }])
  expect((await run.summary()).escalated).toBe(0)
  await run.delete()
  expect(await fleet.runs()).toEqual([])
})

test('AL2 a failure that is final is not tried again', async () => {
  const receiver = createAlertReceiver()
  let tries = 0
  const deliver = async () => {
    tries += 1
    return { delivered: false, reason: 'gone', final: true } as const
  }
  const sinks = { ...receiver.sinks, webhook: { ...receiver.sinks.webhook, deliver } }
  const bench = await openBench({ alerts: { sinks } })
  await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await bench.clock.settle()
  await fail(bench, 'a')
  await bench.clock.advance(10_000_000)
  expect(tries).toBe(1)
  expect(bench.names()).toContain('alert.given_up')
})

test('AL2 the failure of one channel does not hold up another, nor does one that never answers', async () => {
  const bench = await openAlerting({ slots: 10 })
  const { fleet, clock, receiver } = bench
  receiver.behave = (_, channel) => (channel.kind === 'slack' ? 'hang' : 'take')
  const ids = Array.from({ length: 10 }, (_, index) => `t${index}`)
  await fleet.start({
    name: 'r',
    tasks: ids.map((id) => task(id, { ...policy({ channels: [slack, webhook] }), retry_policy: once })),
  })
  await clock.settle()
  for (const id of ids) await fail(bench, id)
  const of = (kind: string) => receiver.received.filter(({ channel }) => channel.kind === kind)
  expect(of('webhook')).toHaveLength(10)
  // So many at once through one channel.
  expect(of('slack')).toHaveLength(4)
})

test('AL2 a crash between delivery and record delivers again, with the same id', async () => {
  const bench = await openAlerting()
  const { clock, store, receiver } = bench
  // The receiver takes it, and nobody hears of that.
  receiver.behave = () => 'hang'
  const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await clock.settle()
  await fail(bench, 'a')
  expect(receiver.received).toHaveLength(1)
  const peer = store.peer()
  store.crash()
  receiver.behave = () => 'take'
  const next = await openBench({ store: peer, clock, seed: 'next', alerts: { sinks: receiver.sinks } })
  await clock.settle()
  const ids = receiver.received.map(({ alert }) => alert.id)
  expect(ids).toHaveLength(2)
  expect(new Set(ids).size).toBe(1)
  const again = await next.fleet.run(run.id)
  expect((await statesOf(again, 'a')).filter((state) => state === 'escalated')).toHaveLength(1)
  await clock.advance(1_000_000)
  expect(receiver.received).toHaveLength(2)
})

test('RU8 a run that ended is carried on for the alerts that it owes, with their backoff, and then let go', async () => {
  const bench = await openAlerting()
  const { clock, store, receiver } = bench
  receiver.behave = () => 'refuse'
  const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await clock.settle()
  await fail(bench, 'a')
  await clock.advance(16_000)
  // Tries 1, 2 and 3; the next one is due 20 s after the third.
  expect(receiver.received).toHaveLength(3)
  await bench.fleet.close()
  expect(await store.row({ id: run.id })).toMatchObject({ status: 'failed', unsettled: 1 })
  receiver.behave = () => 'take'
  const next = await openBench({ store, clock, seed: 'next', alerts: { sinks: receiver.sinks } })
  await clock.advance(15_000)
  expect(receiver.received).toHaveLength(3)
  await clock.advance(5_000)
  expect(receiver.received).toHaveLength(4)
  expect((await store.row({ id: run.id }))?.unsettled).toBeUndefined()
  await next.fleet.close()
  const third = await openBench({ store, clock, seed: 'third', alerts: { sinks: receiver.sinks } })
  await clock.advance(100_000)
  expect(receiver.received).toHaveLength(4)
  await third.fleet.close()
})

test('RU8 retention leaves a run that owes an alert', async () => {
  for (const [reception, left] of [
    ['refuse', 1],
    ['take', 0],
  ] as const) {
    const bench = await openAlerting({ retention: { endedRuns: 0 } })
    bench.receiver.behave = () => reception
    await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
    await bench.clock.settle()
    await fail(bench, 'a')
    await bench.fleet.close()
    const next = await openBench({
      store: bench.store,
      clock: bench.clock,
      seed: 'next',
      retention: { endedRuns: 0 },
      alerts: { sinks: bench.receiver.sinks },
    })
    await bench.clock.settle()
    expect(await next.fleet.runs()).toHaveLength(left)
    await next.fleet.close()
  }
})

test('CO8 close() gives alerts that are due a few seconds, and waits for no dead receiver', async () => {
  const bench = await openAlerting()
  const { clock, receiver } = bench
  receiver.behave = () => 'hang'
  await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await clock.settle()
  await fail(bench, 'a')
  const before = clock.now()
  let isClosed = false
  const closing = bench.fleet.close().then(() => (isClosed = true))
  await clock.advance(4_900)
  expect(isClosed).toBe(false)
  await clock.advance(200)
  await closing
  expect(clock.now() - before).toBe(5_100)

  const quick = await openAlerting()
  await quick.fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await quick.clock.settle()
  await fail(quick, 'a')
  const then = quick.clock.now()
  await quick.fleet.close()
  expect(quick.clock.now()).toBe(then)
})

test('AL3 what can be resolved is resolved when its cause ends: by a report, a pass, a verdict, a restart', async () => {
  const bench = await openAlerting({ slots: 2 })
  const { fleet, clock, transport } = bench
  const paged = policy({ channels: [pager, webhook] })
  const run = await fleet.start({
    name: 'r',
    tasks: [
      task('a', { ...paged, retry_policy: { ...again, max_attempts: 2 } }),
      task('b', { ...paged, scorer: { kind: 'manual' } }),
    ],
  })
  await clock.settle()
  const paging = () =>
    bench
      .told()
      .filter((line) => line.endsWith('pager_duty'))
      .map((line) => line.replace(' pager_duty', ''))
  transport.attempt('b').complete()
  await clock.settle()
  expect(paging()).toEqual(['trigger needs_human b#1'])
  await goStale(bench, 'a')
  expect(paging().slice(1)).toEqual(['trigger stale a#1'])
  transport.attempt('a').accept()
  await clock.settle()
  expect(paging().slice(2)).toEqual(['resolve stale a#1'])
  await fail(bench, 'a')
  expect(paging().slice(3)).toEqual(['trigger restart_exhausted a#2'])
  await run.restart('a')
  await run.settle('b', { result: 'pass', by: 'ada' })
  await clock.settle()
  expect(paging().slice(4)).toEqual(['resolve restart_exhausted a#2', 'resolve needs_human b#1'])
  transport.attempt('a').complete()
  await clock.settle()
  expect(paging().slice(6)).toEqual(['trigger run_completed a#3'])
  await run.restart('b')
  await clock.settle()
  expect(paging().slice(7)).toEqual(['resolve run_completed a#3'])
  const [trigger, resolve] = bench.receiver.received
    .filter(({ alert, channel }) => channel.kind === 'pager_duty' && alert.class === 'stale')
    .map(({ alert }) => alert)
  expect(resolve?.incident).toBe(trigger?.incident)
  expect(resolve?.id).not.toBe(trigger?.id)
  // No other channel hears of ends.
  expect(bench.told().filter((line) => line.includes('resolve') && !line.endsWith('pager_duty'))).toEqual([])
})

test('AL3 a cause that ended before its alert was delivered is told, and resolved right after', async () => {
  const bench = await openAlerting()
  const { fleet, clock, transport, receiver, told } = bench
  receiver.behave = () => 'refuse'
  await fleet.start({
    name: 'r',
    tasks: [task('a', { ...policy({ channels: [pager], events: ['stale'] }), retry_policy: again })],
  })
  await clock.settle()
  await goStale(bench, 'a')
  transport.attempt('a').complete()
  await clock.settle()
  expect(new Set(told())).toEqual(new Set(['trigger stale a#1 pager_duty']))
  receiver.behave = () => 'take'
  await clock.advance(60_000)
  expect(told().slice(-2)).toEqual(['trigger stale a#1 pager_duty', 'resolve stale a#1 pager_duty'])
})

test('EV6 escalated is reported at delivery, once, with the channel and the id; alert.sent tells the same', async () => {
  const bench = await openAlerting()
  const { fleet, clock, receiver } = bench
  receiver.behave = () => 'refuse'
  const run = await fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await clock.settle()
  await fail(bench, 'a')
  expect(await statesOf(run, 'a')).not.toContain('escalated')
  receiver.behave = () => 'take'
  await clock.advance(5_000)
  const id = receiver.received[0]?.alert.id
  const events = await eventsOf(run)
  expect(events.filter((event) => event.event === 'worker.escalated')).toMatchObject([
    { task_id: 'a', attempt: 1, worker_id: 'fleet', payload: { channel: 'webhook', alert_id: id } },
  ])
  expect(events.filter((event) => event.event === 'alert.sent')).toMatchObject([
    {
      task_id: 'a',
      attempt: 1,
      payload: { class: 'restart_exhausted', channel: 'webhook', alert_id: id, action: 'trigger', attempt: 1 },
    },
  ])
  expect((await run.summary()).escalated).toBe(1)
})

test('AL2 alerts are ordered with what raised them, in one append, and performed only when that is durable (CO1)', async () => {
  let appends: string[][] = []
  const bench = await openAlerting({ storeParts: {} })
  const { store, clock, receiver } = bench
  const append = store.append.bind(store)
  store.append = async (batches) => {
    appends.push(batches.flatMap(({ entries }) => entries.map((entry) => (entry as unknown as Entry).kind)))
    expect(receiver.received).toHaveLength(0)
    await append(batches)
  }
  await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy({ events: ['restart_exhausted'] }), retry_policy: once })] })
  await clock.settle()
  bench.transport.attempt('a').accept()
  await clock.settle()
  appends = []
  receiver.behave = () => 'hang'
  bench.transport.attempt('a').fail('no')
  await clock.settle()
  expect(appends).toEqual([['task.stepped', 'alert.ordered', 'run.stepped']])
  expect(receiver.received).toHaveLength(1)
})

test('AL2 what an alert says holds no credential, and fits a line', async () => {
  const bench = await openAlerting()
  await bench.fleet.start({ name: 'r', tasks: [task('a', { ...policy(), retry_policy: once })] })
  await bench.clock.settle()
  await fail(bench, 'a', `\n \tcould not log in: token=abcdef123456 ${'x'.repeat(500)}\nsecond line`)
  const reason = bench.receiver.received[0]?.alert.reason ?? ''
  expect(reason).toMatch(/^could not log in: token=\[redacted\] x+…$/)
  expect(reason).toHaveLength(240)
})

test('CO9 a run without alert policies has no entry of alerts', async () => {
  const bench = await openAlerting()
  const run = await bench.fleet.start({ name: 'r', tasks: [task('a', { retry_policy: once })] })
  await bench.clock.settle()
  await fail(bench, 'a')
  const entries = await journalOf(bench.store, run.id)
  expect(entries.filter((entry) => entry.alerts !== undefined || entry.kind.startsWith('alert'))).toEqual([])
})
