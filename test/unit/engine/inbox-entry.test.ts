import { expect, test } from 'vitest'
import { inboxEntry } from '../../../src/engine/inbox-entry.ts'
import { decidedRun } from '../../support/decided-run.ts'

test('LE3 an open task is shown with when its lease ends, where its fleet knows that', () => {
  const { run, task, set, clock } = decidedRun({ a: { metadata: { priority: -3 } } })
  set('a', { attempt: 2, enqueuedAt: clock.now() + 1_000 })
  const shown = {
    ...{ run_id: 'r', task_id: 'a', priority: -3, enqueued_at: '2030-01-01T00:00:01.000Z', attempts: 2 },
  }
  expect(inboxEntry(run, task('a'), undefined)).toStrictEqual(shown)
  expect(inboxEntry(run, task('a'), 0)).toStrictEqual({ ...shown, lease_deadline: '1970-01-01T00:00:00.000Z' })
})
