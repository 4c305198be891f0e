import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leaseLifecycle } from '../../../src/lifecycles/lease.ts'
import type { LeaseContext, LeaseEvent } from '../../../src/lifecycles/lease.ts'
import { runLifecycle } from '../../../src/lifecycles/run.ts'
import type { RunEvent } from '../../../src/lifecycles/run.ts'
import { workerLifecycle } from '../../../src/lifecycles/worker.ts'
import type { WorkerEvent } from '../../../src/lifecycles/worker.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

type Row = readonly [from: string, event: string, to: string]

/** The tables of the spec, row by row; what is in no row is refused. */
const runRows: readonly Row[] = [
  ['pending', 'start', 'queued'],
  ['queued', 'lease', 'running'],
  ...(['pending', 'queued', 'running'] as const).map((from): Row => [from, 'pause', 'paused']),
  ['paused', 'resume', '*'],
  ...(['pending', 'queued', 'running', 'paused'] as const).flatMap((from): Row[] => [
    [from, 'end completed', 'completed'],
    [from, 'end failed', 'failed'],
    [from, 'end cancelled', 'cancelled'],
    [from, 'cancel', 'cancelled'],
  ]),
  ...(['completed', 'failed', 'cancelled'] as const).map((from): Row => [from, 'restart', 'running']),
  ['completed', 'overturn', 'failed'],
  ['cancelled', 'overturn', 'failed'],
]
const runEvents: Record<string, RunEvent> = {
  start: { type: 'start' },
  lease: { type: 'lease' },
  pause: { type: 'pause' },
  resume: { type: 'resume' },
  'end completed': { type: 'end', result: 'completed' },
  'end failed': { type: 'end', result: 'failed' },
  'end cancelled': { type: 'end', result: 'cancelled' },
  cancel: { type: 'cancel' },
  restart: { type: 'restart' },
  overturn: { type: 'overturn' },
}

const workerRows: readonly Row[] = [
  ...(['unknown', 'offline'] as const).flatMap((from): Row[] => [
    [from, 'hello', 'online'],
    [from, 'hello with leases', 'busy'],
    [from, 'hello draining', 'draining'],
  ]),
  ['online', 'lease', 'busy'],
  ['busy', 'idle', 'online'],
  ['online', 'unwell', 'unhealthy'],
  ['busy', 'unwell', 'unhealthy'],
  ['unhealthy', 'recover', 'online'],
  ['unhealthy', 'recover with leases', 'busy'],
  ['unhealthy', 'recover draining', 'draining'],
  ...(['unknown', 'online', 'busy', 'unhealthy', 'draining'] as const).map((from): Row => [from, 'lost', 'offline']),
  ...(['unknown', 'online', 'busy', 'unhealthy', 'offline'] as const).flatMap((from): Row[] => [
    [from, 'drain', 'retired'],
    [from, 'drain with leases', 'draining'],
  ]),
  ['draining', 'idle', 'retired'],
  ...(['unknown', 'online', 'busy', 'unhealthy', 'offline', 'draining'] as const).map((from): Row => [from, 'retire', 'retired']),
]
const workerEvents: Record<string, WorkerEvent> = {
  hello: { type: 'hello', leases: 0, draining: false },
  'hello with leases': { type: 'hello', leases: 2, draining: false },
  'hello draining': { type: 'hello', leases: 1, draining: true },
  lease: { type: 'lease' },
  idle: { type: 'idle' },
  unwell: { type: 'unwell' },
  recover: { type: 'recover', leases: 0, draining: false },
  'recover with leases': { type: 'recover', leases: 1, draining: false },
  'recover draining': { type: 'recover', leases: 0, draining: true },
  lost: { type: 'lost' },
  drain: { type: 'drain', leases: 0 },
  'drain with leases': { type: 'drain', leases: 1 },
  retire: { type: 'retire' },
}

const held = ['starting', 'running', 'verifying'] as const
const leaseRows: readonly Row[] = [
  ['blocked', 'unblock', 'enqueued'],
  ['blocked', 'unblock later', 'backoff'],
  ['backoff', 'due', 'enqueued'],
  ['backoff', 'block', 'blocked'],
  ['enqueued', 'block', 'blocked'],
  ['enqueued', 'lease', 'starting'],
  ['starting', 'accept', 'running'],
  ['starting', 'finish', 'verifying'],
  ['running', 'finish', 'verifying'],
  ['verifying', 'pass', 'completed'],
  ...held.flatMap((from): Row[] => [
    [from, 'fail', 'failed'],
    [from, 'fail, again', 'enqueued'],
    [from, 'fail, again later', 'backoff'],
  ]),
  ...(['starting', 'running'] as const).flatMap((from): Row[] => [
    [from, 'release', 'enqueued'],
    [from, 'release by crash', 'enqueued'],
  ]),
  ...(['blocked', 'backoff', 'enqueued', ...held] as const).map((from): Row => [from, 'cancel', 'cancelled']),
  ...leaseLifecycle.values.flatMap((from): Row[] => [
    [from, 'restart', 'enqueued'],
    [from, 'restart blocked', 'blocked'],
    [from, 'restart later', 'backoff'],
  ]),
  ['completed', 'overturn', 'failed'],
]
const leaseEvents: Record<string, LeaseEvent> = {
  unblock: { type: 'unblock', delayed: false },
  'unblock later': { type: 'unblock', delayed: true },
  due: { type: 'due' },
  block: { type: 'block' },
  lease: { type: 'lease' },
  accept: { type: 'accept' },
  finish: { type: 'finish' },
  pass: { type: 'pass' },
  fail: { type: 'fail', retry: false, delayed: false },
  'fail, again': { type: 'fail', retry: true, delayed: false },
  'fail, again later': { type: 'fail', retry: true, delayed: true },
  release: { type: 'release', crash: false },
  'release by crash': { type: 'release', crash: true },
  cancel: { type: 'cancel' },
  restart: { type: 'restart', blocked: false, delayed: false },
  'restart blocked': { type: 'restart', blocked: true, delayed: false },
  'restart later': { type: 'restart', blocked: false, delayed: true },
  overturn: { type: 'overturn' },
}

const wanted = (rows: readonly Row[], from: string, event: string) => rows.find((row) => row[0] === from && row[1] === event)?.[2]

test('RU3 CO3 the run machine steps exactly as the table says, and refuses the rest', () => {
  for (const value of runLifecycle.values) {
    for (const [name, event] of Object.entries(runEvents)) {
      const to = wanted(runRows, value, name)
      if (to === '*') continue
      expect(runLifecycle.step({ value, context: { pausedFrom: null } }, event)?.value, `${value} ${name}`).toBe(to)
    }
  }
})

test('RU4 CO3 a paused run goes back to the state that it was paused in', () => {
  for (const from of ['pending', 'queued', 'running'] as const) {
    const paused = runLifecycle.step({ value: from, context: { pausedFrom: null } }, { type: 'pause' })
    expect(paused).toEqual({ value: 'paused', context: { pausedFrom: from } })
    expect(runLifecycle.step(paused!, { type: 'resume' })).toEqual({ value: from, context: { pausedFrom: null } })
    expect(runLifecycle.step(paused!, { type: 'cancel' })).toEqual({ value: 'cancelled', context: { pausedFrom: null } })
  }
})

test('LE1 CO3 the lease machine steps exactly as the rules say, and refuses the rest', () => {
  const context: LeaseContext = { attempt: 4, failures: 1, crashes: 1 }
  for (const value of leaseLifecycle.values) {
    for (const [name, event] of Object.entries(leaseEvents)) {
      expect(leaseLifecycle.step({ value, context }, event)?.value, `${value} ${name}`).toBe(wanted(leaseRows, value, name))
    }
  }
})

test('WO1 CO3 the worker machine steps exactly as the table says, and refuses the rest', () => {
  for (const value of workerLifecycle.values) {
    for (const [name, event] of Object.entries(workerEvents)) {
      if (value === 'offline' && name === 'lost') continue
      expect(workerLifecycle.step({ value, context: {} }, event)?.value, `${value} ${name}`).toBe(wanted(workerRows, value, name))
    }
  }
})

test('LE1 RE1 LE8 along any path: attempts count leases, failures count failures since a restart, crashes count crashes in a row', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...Object.keys(leaseEvents)), { maxLength: 60 }), (names) => {
      let position: { value: (typeof leaseLifecycle.values)[number]; context: LeaseContext } = leaseLifecycle.initial
      const count = { attempt: 0, failures: 0, crashes: 0 }
      for (const name of names) {
        const next = leaseLifecycle.step(position, leaseEvents[name]!)
        if (next === undefined) continue
        position = next
        if (name === 'lease') count.attempt += 1
        if (name.startsWith('fail')) Object.assign(count, { failures: count.failures + 1, crashes: 0 })
        if (name.startsWith('restart')) Object.assign(count, { failures: 0, crashes: 0 })
        if (name === 'release by crash') count.crashes += 1
        if (name === 'release' || name === 'finish') count.crashes = 0
        expect(position.context).toEqual(count)
      }
    }),
  )
})

test('CO3 a step is pure: it changes nothing that it was given, and the same step gives the same', () => {
  const from = Object.freeze({ value: 'enqueued' as const, context: Object.freeze({ attempt: 1, failures: 0, crashes: 0 }) })
  const once = leaseLifecycle.step(from, { type: 'lease' })
  expect(leaseLifecycle.step(from, { type: 'lease' })).toEqual(once)
  expect(from.context.attempt).toBe(1)
  expect(once).toEqual({ value: 'starting', context: { attempt: 2, failures: 0, crashes: 0 } })
})

test('CO3 the tags say which tasks hold a lease, which hold a slot, and which have ended', () => {
  const tagged = (tag: string) => leaseLifecycle.values.filter((value) => leaseLifecycle.hasTag(value, tag))
  expect(tagged('leased')).toEqual(['starting', 'running', 'verifying'])
  expect(tagged('working')).toEqual(['starting', 'running'])
  expect(tagged('waiting')).toEqual(['blocked', 'backoff', 'enqueued'])
  expect(tagged('ended')).toEqual(['completed', 'failed', 'cancelled'])
})

test('CO3 a command that the state does not accept changes nothing, and the caller is told why (W16, W17)', async () => {
  const { fleet, clock, transport, store } = await openBench()
  const run = await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').complete()
  await clock.settle()
  const before = await store.last(run.id)
  expect((await run.summary()).status).toBe('completed')
  for (const asked of [run.cancel(), run.pause(), run.resume(), run.start(), run.cancelTask('a'), run.retryFailed()]) {
    expect(await asked).toMatchObject({ changed: false, message: expect.stringMatching(/\S/) })
  }
  await run.settle('a', { result: 'pass', by: 'ada' })
  await expect(run.settle('a', { result: 'fail', by: 'ada' })).rejects.toMatchObject({
    code: 'not_settleable',
    message: expect.stringMatching(/settled before/),
  })
  await expect(run.add([task('b')])).rejects.toMatchObject({ code: 'run_sealed' })
  await expect(run.cancelTask('nobody')).rejects.toMatchObject({ code: 'unknown_task' })
  expect(await store.last(run.id)).toBe(before + 1)
  expect((await run.summary()).status).toBe('completed')
})
