import { expect, test } from 'vitest'
import type { Entry } from '../../../src/engine/entry.ts'
import { stopReason } from '../../../src/engine/stop-reason.ts'

const reasonOf = (entry: Partial<Entry>) => stopReason({ seq: 1, at: 0, kind: 'task.stepped', ...entry })
const receipt = (result: 'fail' | 'timeout' | 'skip') => ({ result, evidence: 'as found' }) as Entry['receipt']

test('RU5 LE4 LE7 BU2 a worker is told with a code why it has to stop, and the reason of the receipt', () => {
  const codes = [
    { set: { status: 'cancelled' as const }, receipt: receipt('skip') },
    { set: { status: 'failed' as const, overBudget: null }, receipt: receipt('timeout') },
    { set: { status: 'backoff' as const }, receipt: receipt('timeout') },
    {
      set: { status: 'backoff' as const },
      receipt: receipt('fail'),
      events: [{ state: 'stale' as const }, { state: 'queued' as const }],
    },
    { set: { status: 'backoff' as const }, receipt: receipt('fail'), events: [{ state: 'queued' as const }] },
  ].map(reasonOf)
  expect(codes.map(({ code }) => code)).toEqual([
    ...['task_cancelled', 'budget_exceeded', 'task_timeout', 'task_stale', 'lease_lost'],
  ])
  for (const { reason } of codes) expect(reason).toBe('as found')
})

test('LE8 LE9 a lease that was given back is lost for the reason that was said, or under it where that is a code', () => {
  const given = (signal?: string) =>
    reasonOf({ set: { status: 'enqueued' }, events: [{ state: 'queued' }, { state: 'interrupted', signal }] })
  expect(given('restart')).toEqual({ code: 'lease_lost', reason: 'restart' })
  expect(given('fleet_closed')).toEqual({ code: 'fleet_closed', reason: 'fleet_closed' })
  expect(given()).toEqual({ code: 'lease_lost', reason: 'interrupted' })
})

test('RU5 without a receipt the cause of a cancellation is told, and without any word that the lease is gone', () => {
  expect(reasonOf({ set: { status: 'cancelled', cause: 'other' } })).toEqual({ code: 'task_cancelled', reason: 'other' })
  expect(reasonOf({})).toEqual({ code: 'lease_lost', reason: expect.stringMatching(/./) as string })
  expect(reasonOf({ events: [{ state: 'queued' }] })).toEqual(reasonOf({}))
})
