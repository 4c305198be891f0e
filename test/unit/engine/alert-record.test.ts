import { expect, test } from 'vitest'
import { changedAlerts, unsettledAlerts } from '../../../src/engine/alert-record.ts'
import type { AlertRecord, AlertStatus } from '../../../src/engine/alert-record.ts'

const record = (more: Partial<AlertRecord> = {}): AlertRecord => ({
  ...{ id: 'x', class: 'stale', attempt: 1, channel: 0, status: 'owed', action: 'trigger', worker: null, reason: null },
  ...{ raisedAt: 0, tries: 0, error: null, notBefore: null, notBeforeMs: null },
  ...more,
})

const waiting = { notBefore: 5_000, notBeforeMs: 5_000 }

test.each<[AlertStatus, number, number]>([
  ['owed', 1, 1],
  ['held', 0, 1],
  ['sent', 0, 0],
  ['given_up', 0, 0],
])('RU8 AL2 an alert that is %s counts %i as unsettled, and %i where it has a moment', (status, without, withMoment) => {
  expect(unsettledAlerts([record({ status })])).toBe(without)
  expect(unsettledAlerts([record({ status, ...waiting })])).toBe(withMoment)
  // They are summed.
  expect(unsettledAlerts([record({ status }), record(), record({ status, ...waiting })])).toBe(without + 1 + withMoment)
})

test('CO4 a change of alerts adds what is new, sets fields of the one that it names, and takes out what is left of nothing', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => record({ id })) as [AlertRecord, AlertRecord, AlertRecord]
  const before = [a, b]
  expect(changedAlerts(before, [{ id: 'c', set: c }])).toEqual([a, b, c])
  expect(changedAlerts(before, [{ id: 'b', set: { status: 'sent', tries: 0 } }])).toEqual([a, { ...b, status: 'sent' }])
  expect(changedAlerts(before, [{ id: 'a', set: null }])).toEqual([b])
  expect(changedAlerts(before, [{ id: 'none', set: null }])).toEqual(before)
  expect(
    changedAlerts(before, [
      { id: 'a', set: null },
      { id: 'c', set: c },
      { id: 'c', set: { status: 'held' } },
    ]),
  ).toEqual([b, { ...c, status: 'held' }])
  expect(before).toEqual([a, b])
})
