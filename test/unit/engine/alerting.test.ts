import { expect, test } from 'vitest'
import { alertDelivered, alertFailed, alertsAfter, heldLongEnough } from '../../../src/engine/alerting.ts'
import type { AlertRecord } from '../../../src/engine/alert-record.ts'
import { runOverBudget } from '../../../src/engine/commands/budget.ts'
import type { Draft, Entry } from '../../../src/engine/entry.ts'
import { createAlertReceiver } from '../../../src/testing/alert-receiver.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun, Specs } from '../../support/decided-run.ts'

const webhook = { kind: 'webhook', url_ref: { key: 'HOOK' } }
const slack = { kind: 'slack', url_ref: { key: 'SLACK' } }
const pager = { kind: 'pager_duty', routing_key: '<secret:K>', severity: 'error' }
const to = (channels: object[], more: object = {}) => ({ alert_policy: { channels, ...more } })

const { sinks: alertSinks } = createAlertReceiver()
const decided = (specs: Specs, more: Parameters<typeof decidedRun>[1] = {}) => decidedRun(specs, { alertSinks, ...more })

/** What follows from an entry for alerts. */
const after = (bench: DecidedRun, entry: Partial<Entry> & Omit<Draft, 'on'>) =>
  bench.decide((context, run) => alertsAfter(context, run, { seq: run.seq, at: context.now, ...entry }))

/** An alert of the task, which its run has. */
function have(bench: DecidedRun, more: Partial<AlertRecord> = {}, id = 'a'): AlertRecord {
  const alert: AlertRecord = {
    ...{ id: 'x', class: 'stale', attempt: 1, channel: 0, status: 'owed', action: 'trigger', worker: null, reason: null },
    ...{ raisedAt: 0, tries: 0, error: null, notBefore: null, notBeforeMs: null },
    ...more,
  }
  const { task } = bench
  task(id).alerts = [...task(id).alerts, alert]
  return alert
}

/** A task that became stale, on which an alert is. */
function stale(channels: object[], more: Partial<AlertRecord> = {}, options: Parameters<typeof decidedRun>[1] = {}) {
  const bench = decided({ a: to(channels) }, options)
  bench.lease('a')
  bench.set('a', { stale: true })
  return { ...bench, alert: have(bench, more) }
}

/** The fields of an entry that are not left out. */
const written = (entry: Entry | undefined) => JSON.parse(JSON.stringify(entry ?? null)) as unknown
const receipt = (evidence: string) => ({ evidence }) as NonNullable<Entry['receipt']>
const nothingWaits = { notBefore: null, notBeforeMs: null }

test('AL1 what a task raises is ordered by the next entry, with an id of the run, that entry and its place', () => {
  const bench = decided({ a: to([webhook, pager]) })
  bench.lease('a')
  const { now } = bench.context()
  const { seq } = bench.run
  const [entry, ...more] = after(bench, { kind: 'task.stepped', task: 'a', raised: ['stale'] })
  expect(more).toEqual([])
  const record = {
    ...{ class: 'stale', attempt: 1, status: 'owed', action: 'trigger', worker: 'w1', reason: null },
    ...{ raisedAt: now, tries: 0, error: null, ...nothingWaits },
  }
  const ids = [0, 1].map((place) => `alert_s_${(seq + 1).toString(36)}_${place}`)
  expect(written(entry)).toEqual({
    ...{ seq: seq + 1, at: now, kind: 'alert.ordered', run: { updatedAt: now }, task: 'a', attempt: 1 },
    alerts: ids.map((id, channel) => ({ id, set: { id, channel, ...record } })),
    effects: ['alert.send'],
  })
})

test('AL2 an alert tells the attempt and the worker that its entry speaks of, else those of the task; the fleet is no worker', () => {
  const told = (entry: Partial<Entry>) => {
    const bench = decided({ a: to([webhook]) })
    bench.lease('a')
    bench.set('a', { attempt: 2 })
    return after(bench, { kind: 'task.stepped', task: 'a', raised: ['stale'], ...entry })[0]?.alerts?.[0]?.set
  }
  expect(told({})).toMatchObject({ attempt: 2, worker: 'w1' })
  expect(told({ attempt: 1, worker: 'w2' })).toMatchObject({ attempt: 1, worker: 'w2' })
  expect(told({ worker: 'fleet' })).toMatchObject({ worker: 'w1' })
})

test('AL2 an alert tells why: by the limit that was crossed, else by the evidence of the receipt, else not', () => {
  const why = (entry: Partial<Entry>) => {
    const bench = decided({ a: to([webhook]) })
    return after(bench, { kind: 'task.stepped', task: 'a', raised: ['stale'], ...entry })[0]?.alerts?.[0]?.set?.reason
  }
  const overBudget = { limit: 'max_tokens', reason: 'It is spent.' } as const
  expect(why({})).toBe(null)
  expect(why({ receipt: receipt('It broke.') })).toBe('It broke.')
  expect(why({ set: { overBudget } })).toBe('It is spent.')
  expect(why({ set: { overBudget }, receipt: receipt('It broke.') })).toBe('It is spent.')
})

test('AL2 a reason is the first line that says something, of at most 240 characters, without what a line cannot hold', () => {
  const line = (evidence: string) => {
    const bench = decided({ a: to([webhook]) })
    const [entry] = after(bench, { kind: 'task.stepped', task: 'a', raised: ['stale'], receipt: receipt(evidence) })
    return entry?.alerts?.[0]?.set?.reason
  }
  expect(line(' \n\t\nfirst\u0007two\u2028three \nsecond')).toBe('first two three')
  expect(line(' \n \r\n')).toBe('')
  expect(line('x'.repeat(240))).toBe('x'.repeat(240))
  expect(line('x'.repeat(241))).toBe(`${'x'.repeat(239)}…`)
})

test('AL1 what attempts alone hold back asks for no delivery; what a moment holds back does', () => {
  const ordered = (more: object) => {
    const bench = decided({ a: to([webhook], more) })
    return after(bench, { kind: 'task.stepped', task: 'a', raised: ['stale'] })[0]
  }
  expect(ordered({ after_attempts: 2 })).toMatchObject({ alerts: [{ set: { status: 'held' } }], effects: undefined })
  expect(ordered({ after_minutes_stale: 1 })).toMatchObject({
    alerts: [{ set: { status: 'held', notBeforeMs: 60_000 } }],
    effects: ['alert.send'],
  })
})

test('AL3 a cause that ends by an entry of its task is resolved, or forgotten, which asks for no delivery', () => {
  for (const [channel, set, effects] of [
    [pager, { status: 'owed', action: 'resolve' }, ['alert.send']],
    [webhook, null, undefined],
  ] as const) {
    const bench = stale([channel], { status: 'sent' })
    // Its cause stands: nothing follows.
    expect(after(bench, { kind: 'task.reported', task: 'a' })).toEqual([])
    bench.set('a', { stale: false })
    const [entry] = after(bench, { kind: 'task.reported', task: 'a' })
    expect(entry).toMatchObject({ kind: 'alert.ordered', task: 'a', alerts: [{ id: 'x' }], effects })
    expect(entry?.alerts?.[0]?.set).toEqual(set === null ? null : expect.objectContaining(set))
  }
})

test('AL3 alerts are looked at when something of their task, or the status of the run, changes; not when an alert does', () => {
  const follows = (entry: Partial<Entry> & Omit<Draft, 'on'>) => {
    const bench = stale([webhook], { status: 'sent' })
    bench.set('a', { stale: false })
    return after(bench, entry).length
  }
  expect(follows({ kind: 'task.stepped', task: 'a' })).toBe(1)
  expect(follows({ kind: 'run.stepped', run: { status: 'running' } })).toBe(1)
  expect(follows({ kind: 'alert.sent', task: 'a', alerts: [] })).toBe(0)
  expect(follows({ kind: 'run.sealed', run: { sealed: true } })).toBe(0)
  expect(follows({ kind: 'tasks.added', tasks: [] })).toBe(0)
})

test('AL2 what concerns the run is told once through each channel, by the first task that names it', () => {
  const bench = decided({
    silent: {},
    other: to([webhook], { events: ['stale'] }),
    b: to([webhook, slack]),
    c: to([slack, pager, webhook]),
    d: to([pager]),
  })
  const entries = after(bench, { kind: 'run.stepped', run: { status: 'completed' }, raised: ['run_completed'] })
  expect(entries.map(({ task, alerts = [] }) => [task, alerts.map(({ set }) => set?.channel)])).toEqual([
    ['b', [0, 1]],
    ['c', [1]],
  ])
  expect(entries[0]?.alerts?.[0]?.set).toMatchObject({ class: 'run_completed', worker: null, attempt: 0 })
  // No attempt of it was begun, so the entry speaks of none.
  expect(entries[0]).toMatchObject({ attempt: undefined })
})

test('AL2 the end of a run tells how its tasks ended, a spent budget which limit was crossed', () => {
  const told = (bench: DecidedRun, entry: Partial<Entry> & Omit<Draft, 'on'>) => after(bench, entry)[0]?.alerts?.[0]?.set
  const spending = decided({ a: to([webhook]) })
  const [spent] = spending.decide((context, run) =>
    runOverBudget(context, run, { limit: 'max_tokens', reason: 'All is spent.' }),
  ) as [Entry]
  expect(told(spending, spent)).toMatchObject({ class: 'budget_exceeded', reason: 'All is spent.' })
  const done = decided({ a: to([webhook]), b: {} })
  for (const id of ['a', 'b']) done.set(id, { status: 'completed' })
  expect(told(done, { kind: 'run.stepped', run: { status: 'completed' }, raised: ['run_completed'] })?.reason).toBe(
    '2 completed, 0 failed, 0 cancelled',
  )
})

test('AL1 a moment that has come makes an alert owed, leaves it to the attempts that hold it back too, or finds its cause gone', () => {
  const held = { status: 'held', notBefore: 60_000, notBeforeMs: 60_000 } as const
  const come = (policy: object, more: Partial<AlertRecord> = {}, isStale = true) => {
    const bench = decided({ a: to([webhook], policy) })
    bench.lease('a')
    bench.set('a', { stale: isStale })
    const alert = have(bench, { ...held, ...more })
    const [entry] = bench.decide((context, run) => heldLongEnough(context, run, bench.task('a'), alert))
    const { now } = bench.context()
    return { entry: written(entry), common: { seq: bench.run.seq, at: now, run: { updatedAt: now }, task: 'a' } }
  }
  const owed = come({})
  expect(owed.entry).toEqual({
    ...{ ...owed.common, kind: 'alert.ordered', attempt: 1 },
    ...{ alerts: [{ id: 'x', set: { status: 'owed', ...nothingWaits } }], effects: ['alert.send'] },
  })
  const still = come({ after_attempts: 2 }, { attempt: 0 })
  expect(still.entry).toEqual({ ...still.common, kind: 'alert.ordered', alerts: [{ id: 'x', set: nothingWaits }] })
  const gone = come({}, {}, false)
  expect(gone.entry).toEqual({ ...gone.common, kind: 'alert.ordered', attempt: 1, alerts: [{ id: 'x', set: null }] })
})

function deliver(bench: ReturnType<typeof stale>): Entry | undefined {
  return bench.decide((context, run) => alertDelivered(context, run, bench.task('a'), bench.alert))[0]
}

test('AL2 EV6 a delivery is recorded as escalated; the alert is kept while its cause stands', () => {
  const bench = stale([pager], { tries: 3, error: 'It was down.', notBefore: 9_000, notBeforeMs: 9_000 })
  const fleetSeq = bench.task('a').fleetSeq
  const entry = deliver(bench)
  const at = bench.clock.now()
  expect(written(entry)).toEqual({
    ...{ seq: bench.run.seq, at, kind: 'alert.sent', run: { updatedAt: at }, task: 'a', attempt: 1 },
    set: { escalated: true },
    ...{ worker: 'fleet', workerSeq: fleetSeq + 1 },
    events: [{ state: 'escalated', channel: 'pager_duty', alert_id: 'x' }],
    alerts: [{ id: 'x', set: { status: 'sent', tries: 0, error: null, ...nothingWaits } }],
    delivery: { id: 'x', class: 'stale', channel: 'pager_duty', action: 'trigger', sent: true },
  })
  // The task is escalated from now on, which needs to be said once.
  expect(deliver({ ...bench, alert: have(bench, { id: 'y', class: 'needs_human' }) })?.set).toEqual({})
})

test('AL3 when the cause ended before the delivery, it is resolved where the channel resolves, and forgotten elsewhere', () => {
  const ended = (channel: object, more: Partial<AlertRecord> = {}) => {
    const bench = stale([channel], more)
    bench.set('a', { stale: false })
    return deliver(bench)
  }
  expect(ended(pager)).toMatchObject({
    alerts: [{ id: 'x', set: { status: 'owed', action: 'resolve', tries: 0, error: null, ...nothingWaits } }],
    effects: ['alert.send'],
  })
  expect(ended(webhook)).toMatchObject({ alerts: [{ id: 'x', set: null }], effects: undefined })
})

test('AL3 a resolve that was delivered is the end of its alert, and escalates nothing, whatever its cause does meanwhile', () => {
  for (const isStale of [true, false]) {
    const bench = stale([pager], { action: 'resolve', attempt: 0 })
    bench.set('a', { stale: isStale })
    const entry = deliver(bench)
    const at = bench.clock.now()
    expect(written(entry)).toEqual({
      ...{ seq: bench.run.seq, at, kind: 'alert.sent', run: { updatedAt: at }, task: 'a' },
      alerts: [{ id: 'x', set: null }],
      delivery: { id: 'x', class: 'stale', channel: 'pager_duty', action: 'resolve', sent: true },
    })
  }
})

function refuse(bench: ReturnType<typeof stale>, more: { final?: boolean; retryAfterMs?: number } = {}): Entry | undefined {
  const failure = { reason: '\n It was down. \nmore', ...more }
  return bench.decide((context, run) => alertFailed(context, run, bench.task('a'), bench.alert, failure))[0]
}

const backoff = { alertTries: 5, alertBackoffMs: { first: 1_000, most: 6_000 } }

test('AL2 RE2 a delivery that failed is tried again after a wait that doubles, up to the longest', () => {
  const bench = stale([pager], {}, { defaults: backoff })
  const at = bench.clock.now()
  const entry = refuse(bench)
  expect(written(entry)).toEqual({
    ...{ seq: bench.run.seq, at, kind: 'alert.tried', run: { updatedAt: at }, task: 'a', attempt: 1 },
    alerts: [{ id: 'x', set: { tries: 1, error: 'It was down.', notBefore: at + 1_000, notBeforeMs: 1_000 } }],
    effects: ['alert.send'],
  })
  const waits = [0, 1, 2, 3].map((tries) => {
    const again = stale([pager], { tries }, { defaults: backoff })
    return refuse(again)?.alerts?.[0]?.set?.notBeforeMs
  })
  expect(waits).toEqual([1_000, 2_000, 4_000, 6_000])
})

test('AL2 RE2 jitter shortens the wait by up to half, and never below what the receiver asked for, which is bounded too', () => {
  const wait = (draw: number, retryAfterMs?: number, jitter = true) => {
    const bench = stale([pager], { tries: 1 }, { defaults: { ...backoff, jitter }, draw })
    return refuse(bench, { ...(retryAfterMs !== undefined && { retryAfterMs }) })?.alerts?.[0]?.set?.notBeforeMs
  }
  expect([0, 0.5, 0.999].map((draw) => wait(draw))).toEqual([2_000, 1_500, 1_001])
  expect(wait(0.5, undefined, false)).toBe(2_000)
  expect(wait(0.5, 1_800)).toBe(1_800)
  expect(wait(0.5, 1_200)).toBe(1_500)
  expect(wait(0.5, 10 ** 9)).toBe(6_000)
})

test('AL2 after the last try, or a failure that is final, an alert is given up, and seen until its cause has ended', () => {
  const last = stale([pager], { tries: 4, notBefore: 9_000, notBeforeMs: 9_000 }, { defaults: backoff })
  const at = last.clock.now()
  const entry = refuse(last)
  expect(written(entry)).toEqual({
    ...{ seq: last.run.seq, at, kind: 'alert.given_up', run: { updatedAt: at }, task: 'a', attempt: 1 },
    alerts: [{ id: 'x', set: { status: 'given_up', tries: 5, error: 'It was down.', ...nothingWaits } }],
    delivery: {
      ...{ id: 'x', class: 'stale', channel: 'pager_duty', action: 'trigger', sent: false },
      ...{ reason: 'It was down.', tries: 5 },
    },
  })
  const final = stale([pager], {}, { defaults: backoff })
  final.set('a', { stale: false })
  expect(refuse(final, { final: true })).toMatchObject({
    ...{ kind: 'alert.given_up', alerts: [{ id: 'x', set: null }], delivery: { sent: false, tries: 1 }, effects: undefined },
  })
  expect(refuse(stale([pager], {}, { defaults: backoff }), { final: false })).toMatchObject({ kind: 'alert.tried' })
})
