import { expect, test } from 'vitest'
import type { Entry } from '../../../src/engine/entry.ts'
import { createLiveCursors, projected } from '../../../src/engine/live-cursor.ts'
import { decidedRun } from '../../support/decided-run.ts'

const entry = (seq: number, fields: Partial<Entry> = {}): Entry => ({ seq, at: 0, kind: 'task.stepped', ...fields })

test('EV1 what has no entry of its own has the cursor of the last event that is durable', () => {
  const { run } = decidedRun({ a: {} })
  const cursors = createLiveCursors()
  cursors.note(run, entry(36, { task: 'a', attempt: 1, events: [{ state: 'starting' }, { state: 'running' }] }))
  expect(cursors.of(run)).toBe('fev1_s_10_1')
  cursors.note(run, entry(37, { run: { status: 'running' } }))
  expect(cursors.of(run)).toBe('fev1_s_11_0')
})

test('EV1 an entry that is no event still has a place to replay from', () => {
  const { run } = decidedRun({ a: {} })
  const cursors = createLiveCursors()
  cursors.note(run, entry(35, { task: 'a', attempt: 1, events: [{ state: 'starting' }, { state: 'running' }] }))
  cursors.note(run, entry(36))
  expect(cursors.of(run)).toBe('fev1_s_10_0')
})

test('EV1 a run that was read from the store is as far as it was read, and two runs know nothing of each other', () => {
  const { run } = decidedRun({ a: {} })
  const other = decidedRun({ a: {} }).run
  const cursors = createLiveCursors()
  cursors.note(other, entry(99))
  run.seq = 36
  expect(cursors.of(run)).toBe('fev1_s_10_0')
  expect(cursors.of(other)).toBe('fev1_s_2r_0')
})

test('EV1 events of a run are told with its id, its name and its short name', () => {
  const { run } = decidedRun({ a: {} }, { header: { id: 'r', name: 'A run', short: 's7' } })
  expect(projected(run)).toEqual({ id: 'r', name: 'A run', short: 's7' })
})
