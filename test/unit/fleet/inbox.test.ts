import { expect, test } from 'vitest'
import { openControl } from '../../../src/fleet/control.ts'
import { FleetInboxEntry } from '../../../src/protocol/event.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

test('SC2 LE3 inbox gives each open task with its priority, when it was enqueued, its attempts, and the end of its lease', async () => {
  const { fleet, clock, transport, store } = await openBench()
  const start = new Date(clock.now()).toISOString()
  const retry_policy = { initial_backoff_seconds: 5 }
  const run = await fleet.start({ name: 'r', tasks: [task('a', { retry_policy }), task('b', { metadata: { priority: 3 } })] })
  await clock.settle()
  await clock.advance(1_000)
  transport.attempt('a').accept()
  await clock.settle()
  const ends = new Date(clock.now() + 60_000).toISOString()
  const first = await run.inbox()
  expect(first).toEqual([
    { run_id: run.id, task_id: 'a', priority: 0, enqueued_at: start, lease_deadline: ends, attempts: 1 },
    { run_id: run.id, task_id: 'b', priority: 3, enqueued_at: start, attempts: 0 },
  ])
  for (const entry of first) expect(FleetInboxEntry.parse(entry)).toEqual(entry)
  // Another process knows no deadlines: they are presence.
  const elsewhere = openControl(store.peer()).run(run.id)
  expect((await elsewhere.inbox()).map((entry) => entry.lease_deadline)).toEqual([undefined, undefined])
  transport.attempt('a').fail('no')
  await clock.settle()
  transport.attempt('b').complete()
  await clock.advance(6_000)
  const [again, ...more] = await run.inbox()
  expect(again).toMatchObject({ task_id: 'a', attempts: 2 })
  expect(Date.parse(again?.enqueued_at ?? '')).toBeGreaterThan(Date.parse(start))
  expect(more).toEqual([])
})
