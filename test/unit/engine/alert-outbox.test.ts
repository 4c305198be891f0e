import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { createAlertOutbox } from '../../../src/engine/alert-outbox.ts'
import type { AlertChange, AlertRecord } from '../../../src/engine/alert-record.ts'
import { just } from '../../../src/engine/entry.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import { forget } from '../../../src/engine/fold.ts'
import type { Alert, AlertOutcome } from '../../../src/ports/alert-sink.ts'
import { createAlertReceiver } from '../../../src/testing/alert-receiver.ts'
import { watchedRun } from '../../support/watched-run.ts'

const pager = { kind: 'pager_duty', routing_key: '<secret:K>', severity: 'error' }
const webhook = { kind: 'webhook', url_ref: { key: 'HOOK' } }
const until = (ms: number, now: number) => ({ notBefore: now + ms, notBeforeMs: ms })

/** A run with one stale task, whose alerts go through what the test plays: every delivery waits to be answered. */
function outbox({ policy = {}, ...options }: { policy?: object } & Parameters<typeof watchedRun>[1] = {}) {
  const deliveries: { alert: Alert; channel: string; signal: AbortSignal; answer: (outcome: AlertOutcome) => Promise<void> }[] =
    []
  const { sinks } = createAlertReceiver()
  const played = (kind: keyof typeof sinks) => ({
    deliver: (alert: Alert, _: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<AlertOutcome>((resolve) => {
        const answer = (outcome: AlertOutcome) => (resolve(outcome), bench.clock.settle())
        deliveries.push({ alert, channel: kind, signal, answer })
      }),
  })
  const alertSinks = {
    slack: { ...sinks.slack, ...played('slack') },
    webhook: { ...sinks.webhook, ...played('webhook') },
    pager_duty: { ...sinks.pager_duty, ...played('pager_duty') },
  }
  const bench = watchedRun({ a: { alert_policy: { channels: [pager, webhook], ...policy } } }, { alertSinks, ...options })
  bench.lease('a')
  bench.set('a', { stale: true })
  const box = createAlertOutbox(bench.core)
  const order = (...alerts: AlertChange[]) =>
    bench.decide(() => just({ on: 'r', kind: 'alert.ordered', task: 'a', alerts, effects: ['alert.send'] }))[0] as Entry
  const made = (id: string, more: Partial<AlertRecord> = {}): AlertChange => {
    const set: AlertRecord = {
      ...{ id, class: 'stale', attempt: 1, channel: 0, status: 'owed', action: 'trigger', worker: 'w1', reason: 'It is silent.' },
      ...{ raisedAt: 5, tries: 0, error: null, notBefore: null, notBeforeMs: null },
      ...more,
    }
    return { id, set }
  }
  let told = 0
  return {
    ...{ ...bench, box, deliveries, alertSinks, order, made },
    alerts: () => bench.task('a').alerts,
    durable(entry: Entry) {
      box.follow(bench.run, entry)
      box.perform(bench.run, entry)
    },
    /** What was reported becomes durable; gives it. */
    recorded(): Entry[] {
      const entries = bench.entries.slice(told)
      told = bench.entries.length
      for (const entry of entries) {
        box.follow(bench.run, entry)
        if (entry.effects !== undefined) box.perform(bench.run, entry)
      }
      return entries
    },
  }
}

const taken = { delivered: true } as const
const refused = { delivered: false, reason: 'It was down.' } as const
const ids = ({ deliveries }: ReturnType<typeof outbox>) => deliveries.map(({ alert }) => alert.id)
const kinds = (entries: readonly Entry[]) => entries.map(({ kind }) => kind)

test('AL2 an alert tells its receiver all that is known of it, and leaves out what is not', () => {
  const bench = outbox()
  bench.durable(bench.order(bench.made('x'), bench.made('y', { channel: 1, worker: null, reason: null, attempt: 0 })))
  const known = {
    ...{ action: 'trigger', class: 'stale', incident: 's/a/stale', raisedAt: 5 },
    ...{ run: { id: 'r', name: 'r' }, task: { id: 'a', name: 'a' } },
  }
  expect(bench.deliveries).toMatchObject([{ channel: 'pager_duty' }, { channel: 'webhook' }])
  expect(bench.deliveries.map(({ alert }) => alert)).toStrictEqual([
    { id: 'x', ...known, attempt: 1, worker: 'w1', reason: 'It is silent.' },
    { id: 'y', ...known, attempt: 0 },
  ])
})

test('AL3 a resolve has an id of its own, and the incident of its trigger', async () => {
  const bench = outbox()
  bench.durable(bench.order(bench.made('x')))
  bench.set('a', { stale: false })
  await bench.deliveries[0]?.answer(taken)
  expect(kinds(bench.recorded())).toEqual(['alert.sent'])
  expect(bench.deliveries[1]?.alert).toMatchObject({ id: 'x_resolve', action: 'resolve', incident: 's/a/stale' })
  await bench.deliveries[1]?.answer(taken)
  bench.recorded()
  expect(bench.alerts()).toEqual([])
})

test('AL2 one delivery of an alert at a time, until what became of it is durable', async () => {
  const bench = outbox()
  const entry = bench.order(bench.made('x'))
  bench.durable(entry)
  bench.box.perform(bench.run, entry)
  bench.box.recover(bench.run)
  expect(bench.deliveries).toHaveLength(1)
  // An order that was read back and then told is on its way by then (ST1).
  bench.durable(entry)
  expect(bench.deliveries).toHaveLength(1)
  await bench.deliveries[0]?.answer({ ...refused, retryAfterMs: 0 })
  bench.box.recover(bench.run)
  expect(bench.deliveries).toHaveLength(1)
  expect(kinds(bench.recorded())).toEqual(['alert.tried'])
  await bench.clock.advance('5s')
  expect(bench.deliveries).toHaveLength(2)
})

test('AL2 what a sink throws counts as a failed delivery', async () => {
  for (const [thrown, error] of [
    [new Error('no such host'), 'no such host'],
    ['cut off', 'cut off'],
  ] as const) {
    const bench = outbox()
    bench.alertSinks.pager_duty.deliver = () => Promise.reject(thrown)
    bench.durable(bench.order(bench.made('x')))
    await bench.clock.settle()
    expect(kinds(bench.recorded())).toEqual(['alert.tried'])
    expect(bench.alerts()).toMatchObject([{ status: 'owed', tries: 1, error }])
  }
})

test('CO1 an entry has its own alerts performed; what a later one ordered waits until that is durable', () => {
  const bench = outbox()
  const first = bench.order(bench.made('x'))
  const second = bench.order(bench.made('y'))
  bench.durable(first)
  expect(ids(bench)).toEqual(['x'])
  bench.durable(second)
  expect(ids(bench)).toEqual(['x', 'y'])
})

test('CO9 a delivery that is over listens to the end of the fleet no more', async () => {
  const bench = outbox()
  bench.durable(bench.order(bench.made('x')))
  const [{ signal, answer }] = bench.deliveries as [(typeof bench.deliveries)[0]]
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  await answer(taken)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('AL1 what attempts alone hold back is let go by no time', async () => {
  const bench = outbox({ policy: { after_attempts: 2 } })
  const held = { status: 'held', notBefore: null, notBeforeMs: null } as const
  bench.durable(bench.order(bench.made('x', held)))
  bench.box.recover(bench.run)
  await bench.clock.advance('1h')
  expect(bench.entries).toEqual([])
  expect(bench.deliveries).toEqual([])
})

test('AL1 a moment that came while the store failed is told once, however often it was waited for', async () => {
  for (const [policy, status] of [
    [{}, 'owed'],
    [{ after_attempts: 2 }, 'held'],
  ] as const) {
    const bench = outbox({ policy })
    bench.durable(bench.order(bench.made('x', { status: 'held', ...until(60_000, bench.clock.now()) })))
    bench.hold()
    await bench.clock.advance('1m')
    // As when the run is read again from the store.
    bench.box.recover(bench.run)
    bench.release()
    expect(kinds(bench.entries)).toEqual(['alert.ordered'])
    expect(bench.alerts()).toMatchObject([{ status, notBefore: null }])
    bench.recorded()
    expect(bench.deliveries).toHaveLength(status === 'owed' ? 1 : 0)
  }
})

test('AL1 a moment that is over is waited for by nobody: another one is its own', async () => {
  const bench = outbox()
  bench.durable(bench.order(bench.made('x', { status: 'held', ...until(60_000, bench.clock.now()) })))
  bench.hold()
  await bench.clock.advance('1m')
  bench.order({ id: 'x', set: until(30_000, bench.clock.now()) })
  bench.release()
  expect(bench.entries).toEqual([])
  bench.box.recover(bench.run)
  await bench.clock.advance('30s')
  expect(kinds(bench.entries)).toEqual(['alert.ordered'])
})

/** So many deliveries through one channel are under way, and one more waits for its turn. */
async function crowded() {
  const bench = outbox()
  const entry = bench.order(...['1', '2', '3', '4', 'x'].map((id) => bench.made(id)))
  bench.durable(entry)
  expect(ids(bench)).toEqual(['1', '2', '3', '4'])
  return bench
}

test('AL2 what is owed no more when its turn comes is not delivered', async () => {
  for (const change of [null, { status: 'sent' }, { action: 'resolve' }] as const) {
    const bench = await crowded()
    bench.order({ id: 'x', set: change })
    await bench.deliveries[0]?.answer(taken)
    expect(ids(bench)).not.toContain('x')
    expect(ids(bench)).not.toContain('x_resolve')
  }
  const bench = await crowded()
  await bench.deliveries[0]?.answer(taken)
  expect(ids(bench)).toContain('x')
})

test('AL2 an alert whose run was not in memory when its turn came is delivered when the run is read again', async () => {
  const bench = await crowded()
  forget(bench.state, bench.run)
  for (const { answer } of [...bench.deliveries]) await answer(taken)
  expect(bench.deliveries).toHaveLength(4)
  expect(bench.entries).toEqual([])
  bench.state.runs.set('r', bench.run)
  bench.box.recover(bench.run)
  // What was delivered and could not be recorded is delivered again, at least once each.
  await bench.clock.settle()
  expect(ids(bench).slice(4)).toEqual(['1', '2', '3', '4'])
  await bench.deliveries[4]?.answer(taken)
  expect(ids(bench).slice(8)).toEqual(['x'])
})

test('ST1 AL3 a delivery whose record turned out to be stored is not taken for one of the resolve that follows', async () => {
  const bench = outbox()
  bench.durable(bench.order(bench.made('x')))
  bench.hold()
  await bench.deliveries[0]?.answer(taken)
  // The store has it: it was sent, and its cause had ended.
  const alerts: AlertChange[] = [{ id: 'x', set: { action: 'resolve' } }]
  const sent = bench.decide(() => just({ on: 'r', kind: 'alert.sent', task: 'a', alerts, effects: ['alert.send'] }))
  bench.durable(sent[0] as Entry)
  expect(bench.deliveries[1]?.alert).toMatchObject({ id: 'x_resolve' })
  bench.release()
  expect(bench.entries).toEqual([])
  expect(bench.alerts()).toMatchObject([{ status: 'owed', action: 'resolve' }])
  // The resolve is on its way still: it is not begun again.
  bench.box.recover(bench.run)
  expect(bench.deliveries).toHaveLength(2)
  await bench.deliveries[1]?.answer(taken)
  expect(bench.alerts()).toEqual([])
})

test('ST1 AL2 a delivery whose record turned out to be stored is not recorded twice', async () => {
  for (const [change, recorded] of [
    [{ status: 'sent' }, []],
    [null, []],
    [{}, ['alert.sent']],
  ] as const) {
    const bench = outbox()
    bench.durable(bench.order(bench.made('x')))
    bench.hold()
    await bench.deliveries[0]?.answer(taken)
    bench.order({ id: 'x', set: change })
    bench.release()
    expect(kinds(bench.entries)).toEqual(recorded)
  }
})

test('CO8 close() takes back every wait, and what fails meanwhile waits for the next fleet', async () => {
  const bench = outbox()
  const { clock } = bench
  const due = until(60_000, clock.now())
  const waiting = [bench.made('held', { status: 'held', ...due }), bench.made('owed', due)]
  bench.durable(bench.order(...waiting, bench.made('fails'), bench.made('slow')))
  expect(clock.pendingTimers()).toEqual([60_000])
  const closing = bench.box.close({ graceMs: 5_000, hurry: new AbortController().signal })
  expect(clock.pendingTimers()).toEqual([5_000])
  await bench.deliveries[0]?.answer(refused)
  expect(kinds(bench.recorded())).toEqual(['alert.tried'])
  expect(clock.pendingTimers()).toEqual([5_000])
  // What is delivered in time ends the wait for it.
  await bench.deliveries[1]?.answer(taken)
  await closing
  expect(kinds(bench.recorded())).toEqual(['alert.sent'])
  expect(clock.pending).toBe(0)
  expect(ids(bench)).toEqual(['fails', 'slow'])
})

test('CO8 a fleet that has closed lets nothing go, and delivers nothing', async () => {
  const bench = outbox()
  await bench.box.close({ graceMs: 5_000, hurry: new AbortController().signal })
  const past = { notBefore: bench.clock.now(), notBeforeMs: 1_000 }
  bench.durable(bench.order(bench.made('held', { status: 'held', ...past }), bench.made('owed')))
  bench.box.recover(bench.run)
  await bench.clock.settle()
  expect(bench.entries).toEqual([])
  expect(bench.deliveries).toEqual([])
  // The positive control: without a close the one is let go, and the other delivered.
  const open = outbox()
  open.durable(open.order(open.made('held', { status: 'held', ...past }), open.made('owed')))
  expect(kinds(open.entries)).toEqual(['alert.ordered'])
  expect(ids(open)).toEqual(['owed'])
})

test('CO8 close() waits for a sink that is deaf for its grace alone, or until it is hurried, and begins nothing behind it', async () => {
  for (const isHurried of [false, true]) {
    const bench = await crowded()
    const hurry = new AbortController()
    let isClosed = false
    const closing = bench.box.close({ graceMs: 5_000, hurry: hurry.signal }).then(() => (isClosed = true))
    await bench.clock.advance(4_999)
    expect(isClosed).toBe(false)
    if (isHurried) hurry.abort()
    else await bench.clock.advance(1)
    await bench.clock.settle()
    expect(isClosed).toBe(true)
    await closing
    expect(bench.deliveries).toHaveLength(4)
    expect(bench.deliveries.every(({ signal }) => signal.aborted)).toBe(true)
    // Nobody knows whether they arrived: nothing is recorded, and the next fleet delivers them.
    expect(bench.entries).toEqual([])
    expect(bench.clock.pending).toBe(0)
  }
})
