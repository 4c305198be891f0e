import { expect, test } from 'vitest'
import { publicEvent } from '../../../src/engine/public-event.ts'
import type { FleetEvent, FleetEventName, FleetEventPayloads } from '../../../src/protocol/fleet-event.ts'
import { FleetReceipt } from '../../../src/protocol/receipt.ts'

const timestamp = '2030-01-01T00:00:00.000Z'
const receipt = FleetReceipt.parse({
  ...{ run_id: 'r', task_id: 'a', worker_id: 'w1', attempt: 2, completed_at: timestamp, result: 'fail', failure_kind: 'task' },
  ...{
    score: { value: 0.5, max: 2, notes: 'private' },
    evidence: 'private',
    output: 'private',
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  artifacts: [
    { kind: 'log', path: 'private' },
    { kind: 'patch', path: 'private' },
  ],
})
const passed = FleetReceipt.parse({ run_id: 'r', task_id: 'a', worker_id: 'w1', completed_at: timestamp, result: 'pass' })
const alert = { class: 'stale', channel: 'slack', alert_id: 'private', action: 'trigger' } as const

function eventOf<Name extends FleetEventName>(event: Name, payload: FleetEventPayloads[Name]): FleetEvent {
  return { cursor: 'fev1_s_1_0', event, run_id: 'r', timestamp, payload } as FleetEvent
}

type Row = { readonly [Name in FleetEventName]: readonly [Name, FleetEventPayloads[Name], object] }[FleetEventName]

const rows: readonly Row[] = [
  [
    'run.created',
    { name: 'private', tasks: 3, workflow: { id: 'w', kind: 'parallel', more: 'private' } as never },
    { task_count: 3, workflow: { id: 'w', kind: 'parallel' } },
  ],
  ['run.created', { name: 'private', tasks: 0 }, { task_count: 0 }],
  ['run.status_changed', { status: 'failed' }, { status: 'failed' }],
  ['run.sealed', {}, {}],
  ['run.stalled', { waiting: ['a', 'b'] }, { waiting: ['a', 'b'] }],
  ['task.enqueued', { attempts: 2 }, { attempts: 2 }],
  ['task.leased', { lease_expires_at: timestamp }, { lease_expires_at: timestamp }],
  ['task.leased', {}, {}],
  ['task.terminal', { status: 'cancelled', cause: 'private' }, { status: 'cancelled' }],
  [
    'task.receipt_recorded',
    { result: 'fail', failure_kind: 'task', receipt },
    { attempt: 2, result: 'fail', failure_kind: 'task', score: { value: 0.5, max: 2 }, artifact_kinds: ['log', 'patch'] },
  ],
  ['task.receipt_recorded', { result: 'pass', receipt: passed }, { result: 'pass', artifact_kinds: [] }],
  ['alert.raised', { class: 'needs_human' }, { class: 'needs_human' }],
  ['alert.sent', { ...alert, attempt: 2 }, { attempt: 2, class: 'stale', action: 'trigger' }],
  ['alert.given_up', { ...alert, reason: 'private', tries: 5 }, { class: 'stale', action: 'trigger' }],
  ['worker.abandoned', { reason: 'private' }, {}],
  ['worker.queued', {}, {}],
  ['worker.leased', { lease_expires_at: timestamp }, { lease_expires_at: timestamp }],
  ['worker.starting', {}, {}],
  ['worker.running', {}, {}],
  ['worker.model_wait', { model: 'm' }, { model: 'm' }],
  ['worker.running_tool', { tool: 'sh', call_id: 'private' }, { tool: 'sh' }],
  [
    'worker.workflow_event',
    { workflow_run_id: 'w', event: { type: 'step', inner: 'private' } },
    { workflow_run_id: 'w', type: 'step' },
  ],
  ['worker.heartbeat', { cpu_percent: 1, memory_mb: 2 }, { cpu_percent: 1, memory_mb: 2 }],
  [
    'worker.artifact',
    { kind: 'patch', path: 'private', checksum: 'private', mime_type: 'text/x', size_bytes: 4 },
    { kind: 'patch', mime_type: 'text/x', size_bytes: 4 },
  ],
  ['worker.completed', { exit_code: 0, summary: 'private' }, { exit_code: 0 }],
  ['worker.failed', { reason: 'no', recoverable: false }, { reason: 'no', recoverable: false }],
  ['worker.cancelled', { cancelled_by: 'private' }, {}],
  ['worker.interrupted', { signal: 'private' }, {}],
  ['worker.stale', { last_heartbeat_at: timestamp }, { last_heartbeat_at: timestamp }],
  ['worker.restarted', { restart_count: 2 }, { restart_count: 2 }],
  ['worker.escalated', { channel: 'slack', alert_id: 'private' }, { channel: 'slack' }],
]

test.each(rows)('EV4 of %s everybody hears what is fit for everybody, and nothing else', (name, payload, told) => {
  const published = publicEvent(eventOf(name, payload as never))
  expect(published).toStrictEqual({ cursor: 'fev1_s_1_0', event: `fleet.${name}`, run_id: 'r', timestamp, payload: told })
})

test.each([['a text'], [null], [7], [{ type: 7 }], [{}], [['type']]])(
  'EV4 an event of a workflow that has no name, like %j, is told without one',
  (event) => {
    const published = publicEvent(eventOf('worker.workflow_event', { workflow_run_id: 'w', event } as never))
    expect(published?.payload).toStrictEqual({ workflow_run_id: 'w' })
  },
)

test('EV4 a reason is told up to a thousand characters', () => {
  const told = (reason: string) => {
    const payload = publicEvent(eventOf('worker.failed', { reason, recoverable: true }))?.payload
    return (payload as { readonly reason?: string }).reason
  }
  expect(told('x'.repeat(1_000))).toBe('x'.repeat(1_000))
  expect(told('x'.repeat(1_001))).toBe(`${'x'.repeat(1_000)}...`)
  expect(told('first\nsecond')).toBe('first')
  expect(told('')).toBe('')
})

test('EV4 whom and what an event is about is told where it is about somebody', () => {
  const about = { task_id: 'a', worker_id: 'w1', worker_seq: 3 }
  const published = publicEvent({ ...eventOf('worker.running', {}), ...about, attempt: 2 } as FleetEvent)
  expect(published).toStrictEqual({ ...publicEvent(eventOf('worker.running', {})), ...about })
})

test('EV4 what concerns no run is told to nobody', () => {
  for (const event of [eventOf('store.failing', { reason: 'disk' }), eventOf('store.recovered', {})])
    expect(publicEvent({ ...event, run_id: '' })).toBeUndefined()
})
