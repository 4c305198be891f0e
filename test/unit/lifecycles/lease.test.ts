import { expect, test } from 'vitest'
import { leaseLifecycle } from '../../../src/lifecycles/lease.ts'
import type { LeaseEvent } from '../../../src/lifecycles/lease.ts'

const running = { value: 'running', context: { attempt: 3, failures: 1, crashes: 2 } } as const
const after = (event: LeaseEvent) => leaseLifecycle.step(running, event)

test('LE8 releases by a crash count while they come in a row: whatever else ends an attempt begins anew', () => {
  expect(after({ type: 'release', crash: true })).toEqual({ value: 'enqueued', context: { attempt: 3, failures: 1, crashes: 3 } })
  expect(after({ type: 'release', crash: false })?.context.crashes).toBe(0)
  expect(after({ type: 'finish' })?.context.crashes).toBe(0)
  expect(after({ type: 'fail', retry: true, delayed: false })?.context.crashes).toBe(0)
  expect(after({ type: 'restart', blocked: false, delayed: false })?.context.crashes).toBe(0)
})

test('RE1 LE8 LE9 a failure counts against the attempts, a release does not, and a restart gives all of them back', () => {
  expect(after({ type: 'fail', retry: true, delayed: true })).toMatchObject({ value: 'backoff', context: { failures: 2 } })
  expect(after({ type: 'fail', retry: false, delayed: true })).toMatchObject({ value: 'failed', context: { failures: 2 } })
  expect(after({ type: 'release', crash: true })?.context.failures).toBe(1)
  expect(after({ type: 'restart', blocked: true, delayed: true })).toMatchObject({ value: 'blocked', context: { failures: 0 } })
})

test('LE1 a lease raises the number of the attempt by one, and nothing lowers it', () => {
  const enqueued = { value: 'enqueued', context: running.context } as const
  expect(leaseLifecycle.step(enqueued, { type: 'lease' })).toMatchObject({ value: 'starting', context: { attempt: 4 } })
  expect(after({ type: 'restart', blocked: false, delayed: true })).toMatchObject({ value: 'backoff', context: { attempt: 3 } })
})
