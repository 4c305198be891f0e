import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../src/engine/entry.ts'
import { placesOf, project } from '../../../src/engine/project.ts'
import type { RunHeader } from '../../../src/engine/run-header.ts'
import { FleetWorkerEventPayload } from '../../../src/protocol/event.ts'
import { FleetReceipt } from '../../../src/protocol/receipt.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { task } from '../../support/bench-fleet.ts'

const run = { id: 'r', short: 's', name: 'A run' }
const at = Date.UTC(2030, 0, 1)
const timestamp = '2030-01-01T00:00:00.000Z'
const header: RunHeader = {
  ...{ id: 'r', name: 'A run', short: 's', labels: {}, worker_specs: [], open: false, workspace: '/w', createdAt: at },
}
const receipt = FleetReceipt.parse({
  ...{ run_id: 'r', task_id: 'a', worker_id: 'w1', completed_at: timestamp, result: 'fail', failure_kind: 'task' },
})
const passed = FleetReceipt.parse({ run_id: 'r', task_id: 'a', worker_id: 'w1', completed_at: timestamp, result: 'pass' })
const added = (id: string, status: 'enqueued' | 'blocked') => ({ id, spec: FleetTaskSpec.parse(task(id)), set: { status } })
const entry = (fields: Partial<Entry>): Entry => ({ seq: 40, at, kind: 'task.stepped', ...fields })
/** Of an entry about attempt 2 of the task `a` at `w1`, whose events begin at 7. */
const attempt = (fields: Partial<Entry>): Entry => entry({ task: 'a', attempt: 2, worker: 'w1', workerSeq: 7, ...fields })
const ofAttempt = { run_id: 'r', task_id: 'a', attempt: 2, timestamp }
const delivery = { id: 'al', class: 'stale', channel: 'slack', action: 'trigger', sent: true } as const

/** The events without what all of them have, their cursors. */
function eventsOf(of: Entry) {
  return project(run, of).map((event) => {
    const { cursor: _, ...rest } = event
    return rest
  })
}

test('EV1 EV7 the creation of a run is told with its name, its tasks and its workflow; who is queued at once is named by the fleet', () => {
  const created = { ...header, workflow: { id: 'w', kind: 'parallel' } } as const
  const tasks = [added('a', 'enqueued'), added('b', 'blocked'), added('c', 'enqueued')]
  const whole = entry({ kind: 'run.created', created, taskCount: 3, run: { status: 'queued' }, tasks })
  expect(project(run, whole)).toStrictEqual([
    {
      ...{ cursor: 'fev1_s_14_0', event: 'run.created', run_id: 'r', timestamp },
      payload: { name: 'A run', tasks: 3, workflow: { id: 'w', kind: 'parallel' } },
    },
    { cursor: 'fev1_s_14_1', event: 'run.status_changed', run_id: 'r', timestamp, payload: { status: 'queued' } },
    ...['a', 'c'].flatMap((task_id, index) => [
      {
        ...{ cursor: `fev1_s_14_${2 + 2 * index}`, event: 'task.enqueued', run_id: 'r', task_id, timestamp },
        payload: { attempts: 0 },
      },
      {
        ...{ cursor: `fev1_s_14_${3 + 2 * index}`, event: 'worker.queued', run_id: 'r', task_id, timestamp },
        ...{ worker_id: 'fleet', worker_seq: 1, payload: {} },
      },
    ]),
  ])
})

test('EV1 a creation that tells neither of a number of tasks nor of a workflow has none', () => {
  expect(eventsOf(entry({ kind: 'run.created', created: header }))).toStrictEqual([
    { event: 'run.created', run_id: 'r', timestamp, payload: { name: 'A run', tasks: 0 } },
  ])
})

test('EV1 an entry that changes fields of a run without its status, or none, is no event; sealing is one', () => {
  expect(eventsOf(entry({ kind: 'run.stepped', run: { updatedAt: at } }))).toEqual([])
  expect(eventsOf(entry({ kind: 'run.over_budget' }))).toEqual([])
  expect(eventsOf(entry({ kind: 'run.sealed', run: { sealed: true } }))).toStrictEqual([
    { event: 'run.sealed', run_id: 'r', timestamp, payload: {} },
  ])
})

test('EV1 a lease is told with its end, then what its worker says of it, in the order of the sequences', () => {
  const events = [
    FleetWorkerEventPayload.parse({ state: 'starting' }),
    FleetWorkerEventPayload.parse({ state: 'leased', lease_expires_at: timestamp }),
    FleetWorkerEventPayload.parse({ state: 'running' }),
  ]
  const leased = attempt({ set: { status: 'running', leasedAt: at, worker: 'w1', attempt: 2 }, events })
  expect(eventsOf(leased)).toStrictEqual([
    { event: 'task.leased', ...ofAttempt, worker_id: 'w1', payload: { lease_expires_at: timestamp } },
    { event: 'worker.starting', ...ofAttempt, worker_id: 'w1', worker_seq: 7, payload: {} },
    { event: 'worker.leased', ...ofAttempt, worker_id: 'w1', worker_seq: 8, payload: { lease_expires_at: timestamp } },
    { event: 'worker.running', ...ofAttempt, worker_id: 'w1', worker_seq: 9, payload: {} },
  ])
})

test('EV1 a lease without an end of its own is told without one', () => {
  for (const events of [undefined, [], [{ state: 'leased' }], [{ state: 'starting' }]] as const) {
    const leased = attempt({ set: { status: 'starting', leasedAt: at, worker: null }, ...(events && { events }) })
    expect(eventsOf(leased)[0]).toStrictEqual({ event: 'task.leased', ...ofAttempt, payload: {} })
  }
  // A moment of a lease that is taken back is no lease.
  expect(eventsOf(attempt({ set: { leasedAt: null } }))).toEqual([])
})

test('EV1 events without a sequence of their own begin at 1', () => {
  const { workerSeq: _, ...without } = attempt({ events: [{ state: 'running' }, { state: 'model_wait', model: 'm' }] })
  expect(eventsOf(without)).toMatchObject([{ worker_seq: 1 }, { worker_seq: 2, payload: { model: 'm' } }])
})

test('EV1 VE6 the end of an attempt is told in the order event, receipt, end of the task, run, alert', () => {
  const failed = attempt({
    set: { status: 'failed', cause: 'It broke.' },
    events: [{ state: 'failed', reason: 'no', recoverable: false }],
    receipt,
    raised: ['restart_exhausted', 'stale'],
  })
  expect(eventsOf(failed)).toStrictEqual([
    { event: 'worker.failed', ...ofAttempt, worker_id: 'w1', worker_seq: 7, payload: { reason: 'no', recoverable: false } },
    { event: 'task.receipt_recorded', ...ofAttempt, payload: { result: 'fail', failure_kind: 'task', receipt } },
    { event: 'task.terminal', ...ofAttempt, payload: { status: 'failed', cause: 'It broke.' } },
    { event: 'alert.raised', ...ofAttempt, payload: { class: 'restart_exhausted' } },
    { event: 'alert.raised', ...ofAttempt, payload: { class: 'stale' } },
  ])
})

test.each(['completed', 'failed', 'cancelled'] as const)(
  'EV1 a task that is %s has ended, with a cause where there is one',
  (status) => {
    expect(eventsOf(attempt({ set: { status, cause: null }, receipt: passed }))).toStrictEqual([
      { event: 'task.receipt_recorded', ...ofAttempt, payload: { result: 'pass', receipt: passed } },
      { event: 'task.terminal', ...ofAttempt, payload: { status } },
    ])
  },
)

test.each(['blocked', 'backoff', 'starting', 'running', 'verifying'] as const)(
  'EV1 a task that is %s has not ended',
  (status) => {
    expect(eventsOf(attempt({ set: { status } }))).toEqual([])
  },
)

describe('EV6', () => {
  test('EV6 what waits anew is enqueued before the fleet says so, and after what ended its attempt', () => {
    const queued = entry({
      ...{ task: 'a', worker: 'fleet', workerSeq: 4, set: { status: 'enqueued', attempt: 3 } },
      events: [{ state: 'queued' }],
    })
    const enqueued = { event: 'task.enqueued', run_id: 'r', task_id: 'a', timestamp }
    expect(eventsOf(queued)).toStrictEqual([
      { ...enqueued, payload: { attempts: 3 } },
      { event: 'worker.queued', run_id: 'r', task_id: 'a', timestamp, worker_id: 'fleet', worker_seq: 4, payload: {} },
    ])
    const released = attempt({ set: { status: 'enqueued' }, events: [{ state: 'interrupted', signal: 'drained' }] })
    expect(eventsOf(released)).toStrictEqual([
      { event: 'worker.interrupted', ...ofAttempt, worker_id: 'w1', worker_seq: 7, payload: { signal: 'drained' } },
      { ...enqueued, payload: { attempts: 0 } },
    ])
  })

  test('EV6 escalated is what the channel heard: a delivered alert, or one that was given up with its reason and tries', () => {
    const about = { class: 'stale', channel: 'slack', action: 'trigger', alert_id: 'al' }
    expect(eventsOf(attempt({ kind: 'alert.sent', delivery }))).toStrictEqual([
      { event: 'alert.sent', ...ofAttempt, payload: { ...about, attempt: 2 } },
    ])
    const { attempt: _, ...ofTask } = ofAttempt
    expect(eventsOf(entry({ kind: 'alert.sent', task: 'a', delivery }))).toStrictEqual([
      { event: 'alert.sent', ...ofTask, payload: about },
    ])
    const givenUp = { ...delivery, sent: false, reason: 'It said 404.', tries: 5 }
    expect(eventsOf(attempt({ kind: 'alert.given_up', delivery: givenUp }))).toStrictEqual([
      { event: 'alert.given_up', ...ofAttempt, payload: { ...about, reason: 'It said 404.', tries: 5 } },
    ])
    expect(eventsOf(attempt({ kind: 'alert.given_up', delivery: { ...delivery, sent: false } }))).toStrictEqual([
      { event: 'alert.given_up', ...ofAttempt, payload: { ...about, reason: '', tries: 0 } },
    ])
  })

  test.each<FleetWorkerEventPayload>([
    { state: 'queued' },
    { state: 'leased', lease_expires_at: timestamp },
    { state: 'starting' },
    { state: 'running' },
    { state: 'model_wait', model: 'm' },
    { state: 'running_tool', tool: 'sh', call_id: 'c' },
    { state: 'workflow_event', workflow_run_id: 'w', event: { n: 1 } },
    { state: 'heartbeat', cpu_percent: 1, memory_mb: 2 },
    { state: 'artifact', kind: 'log', path: 'p' },
    { state: 'completed', exit_code: 0 },
    { state: 'failed', reason: 'no', recoverable: true },
    { state: 'cancelled', cancelled_by: 'ada' },
    { state: 'interrupted', signal: 'TERM' },
    { state: 'stale', last_heartbeat_at: timestamp },
    { state: 'restarted', restart_count: 1 },
    { state: 'escalated', channel: 'slack', alert_id: 'al' },
  ])('EV6 $state has an event of its name, which carries its fields and no other', (reported) => {
    const { state, ...payload } = reported
    expect(eventsOf(attempt({ events: [reported] }))).toStrictEqual([
      { event: `worker.${state}`, ...ofAttempt, worker_id: 'w1', worker_seq: 7, payload },
    ])
  })
})

test('EV7 what nobody wants is not made, and the others keep their places; places are counted without making any', () => {
  const entries = [
    entry({ kind: 'run.created', created: header, run: { status: 'queued' }, tasks: [added('a', 'enqueued')] }),
    entry({ kind: 'run.sealed', run: { sealed: true, status: 'completed' } }),
    attempt({ set: { status: 'running', leasedAt: at }, events: [{ state: 'leased' }, { state: 'starting' }] }),
    attempt({ set: { status: 'failed' }, events: [{ state: 'stale' }], receipt, raised: ['stale', 'stale'] }),
    attempt({ set: { status: 'enqueued' }, events: [{ state: 'interrupted' }] }),
    attempt({ delivery, events: [{ state: 'escalated', channel: 'slack' }] }),
    attempt({ delivery: { ...delivery, sent: false } }),
  ]
  for (const one of entries) {
    const all = project(run, one)
    expect(all.length).toBeGreaterThan(0)
    expect(placesOf(one)).toBe(all.length)
    expect(all.map(({ cursor }) => cursor)).toEqual(all.map((_, index) => `fev1_s_14_${index}`))
    for (const { event } of all) {
      const asked: string[] = []
      const some = project(run, one, (name) => asked.push(name) > 0 && name === event)
      expect(some).toEqual(all.filter((other) => other.event === event))
      expect(asked).toEqual(all.map((other) => other.event))
    }
    expect(project(run, one, () => false)).toEqual([])
  }
})
