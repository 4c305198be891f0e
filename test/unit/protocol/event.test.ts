import { describe, expect, test } from 'vitest'
import {
  FleetArtifactKind,
  FleetArtifactRef,
  FleetEventReplay,
  FleetHostSpec,
  FleetReceipt,
  FleetResolvedRoute,
  FleetRun,
  FleetRunStatus,
  FleetWorkerEvent,
  FleetWorkerEventPayload,
  FleetWorkerStatus,
  isActiveRunStatus,
  isActiveWorkerStatus,
  isTerminalRunStatus,
  isTerminalWorkerStatus,
  knownArtifactKinds,
} from '../../../src/protocol/index.ts'
import { envelope, payloads } from './samples.ts'

const receipt = { run_id: 'r', task_id: 't', worker_id: 'w', completed_at: '2026-01-01T00:00:00Z', result: 'partial' }

describe('events', () => {
  test('EV6 there are sixteen states', () => {
    expect(new Set(payloads.map(({ state }) => state)).size).toBe(16)
    expect(FleetWorkerEventPayload.safeParse({ state: 'thinking' }).success).toBe(false)
  })

  test('WI1 an event is one flat object: its envelope, its payload, what is more (P3)', () => {
    const event = { extra: { note: 1 }, exit_code: 0, state: 'completed', ...envelope, future: true }
    expect(JSON.stringify(FleetWorkerEvent.parse(event))).toBe(
      JSON.stringify({ ...envelope, state: 'completed', exit_code: 0, extra: { note: 1 }, future: true }),
    )
  })

  test('WI1 a workflow event has the ids of both runs (P4, L22)', () => {
    const event = FleetWorkerEvent.parse({
      ...envelope,
      state: 'workflow_event',
      workflow_run_id: 'inner',
      event: { type: 'step' },
    })
    expect(event).toMatchObject({ run_id: 'r1', workflow_run_id: 'inner' })
    expect(JSON.stringify(event).match(/run_id"/g)).toHaveLength(2)
    expect(FleetWorkerEventPayload.safeParse({ state: 'workflow_event', workflow_run_id: 'inner' }).success).toBe(false)
  })

  test('WI1 a heartbeat and a completion without facts are just their state (P10)', () => {
    expect(JSON.stringify(FleetWorkerEventPayload.parse({ state: 'heartbeat', cpu_percent: null }))).toBe('{"state":"heartbeat"}')
    expect(JSON.stringify(FleetWorkerEventPayload.parse({ state: 'completed', summary: null }))).toBe('{"state":"completed"}')
  })

  test('WI3 the defaults of payloads are written', () => {
    expect(FleetWorkerEventPayload.parse({ state: 'failed', reason: 'x' })).toHaveProperty('recoverable', false)
    expect(FleetWorkerEventPayload.parse({ state: 'restarted' })).toHaveProperty('restart_count', 0)
    expect(FleetEventReplay.parse({ run_id: 'r', events: [] })).toStrictEqual({
      run_id: 'r',
      events: [],
      has_more: false,
      history_truncated: false,
    })
    expect(FleetEventReplay.safeParse({ run_id: 'r' }).success).toBe(false)
  })
})

describe('artifacts', () => {
  test('WI1 P8 a kind is flat text, known or not (P6)', () => {
    for (const kind of [...knownArtifactKinds, 'test_result', 'My own kind!', '']) {
      expect(FleetArtifactKind.parse(kind)).toBe(kind)
      expect(FleetArtifactRef.parse({ kind, path: 'a' })).toStrictEqual({ kind, path: 'a' })
    }
    expect(FleetArtifactKind.safeParse({ other: 'x' }).success).toBe(false)
  })
})

describe('hosts', () => {
  test('WI1 an ssh host needs its name only (P7)', () => {
    expect(FleetHostSpec.parse({ kind: 'ssh', host: 'box' })).toStrictEqual({ kind: 'ssh', host: 'box', env_allowlist: [] })
  })

  test('WI1 what pins the key of a host is kept (P13)', () => {
    const pinned = { kind: 'ssh', host: 'box', known_hosts: '/h', host_key_fingerprint: 'SHA256:abc', env_allowlist: [] }
    expect(FleetHostSpec.parse(pinned)).toStrictEqual(pinned)
  })
})

describe('receipts', () => {
  test('WI1 P12 a receipt keeps its attempt and sequence, and a partial one may say whose fault it is (P11)', () => {
    const full = { ...receipt, attempt: 2, terminal_seq: 7, failure_kind: 'verifier' }
    expect(FleetReceipt.parse(full)).toMatchObject({ attempt: 2, terminal_seq: 7, result: 'partial', failure_kind: 'verifier' })
  })

  test('WI1 P23 receipts and routes without later fields are read, and nothing is made up (P22)', () => {
    const route = { provider_id: 'm', provider_kind: 'k', wire_model_id: 'w', protocol: 'p', source: 's' }
    expect(FleetReceipt.parse({ ...receipt, resolved_route: route })).toStrictEqual({
      run_id: 'r',
      task_id: 't',
      worker_id: 'w',
      completed_at: '2026-01-01T00:00:00.000Z',
      result: 'partial',
      artifacts: [],
      resolved_route: route,
    })
    expect(FleetResolvedRoute.parse({ ...route, role: null, model_route: null })).toStrictEqual(route)
  })

  test.each([
    'https://user:pass@host/v1',
    'https://token@host',
    'api_key=abc',
    'token: abc',
    'Bearer abc',
    'sk-abcdefghijkl',
    'ghp_abcdefghijklmn',
    'xoxb-1-2',
    'AKIAABCDEFGHIJKL',
  ])('WI1 a route that holds a credential is refused: %s (P24)', (credential) => {
    const route = { provider_id: 'm', provider_kind: 'k', wire_model_id: 'w', protocol: 'p', source: 's' }
    for (const field of Object.keys(route)) {
      const refused = FleetResolvedRoute.safeParse({ ...route, [field]: credential })
      expect(refused.success || refused.error.message).toBe(
        `${field}: expected text that holds no credential, got a text of ${credential.length} characters`,
      )
    }
  })

  test('WI1 ordinary names of providers and models are no credentials (P21)', () => {
    for (const name of [
      'gpt-4o',
      'claude-sonnet-4',
      'task-sk-1',
      'https://host/v1',
      'team@maker',
      'tokens-per-second',
      'secretary',
    ]) {
      const route = { provider_id: name, provider_kind: name, wire_model_id: name, protocol: name, source: name }
      expect(FleetResolvedRoute.parse(route)).toStrictEqual(route)
    }
  })
})

describe('runs', () => {
  test('WI1 a run keeps its target, workflow and roles (P1)', () => {
    const run = { id: 'r', name: 'R', status: 'queued', created_at: '2026-01-01T00:00:00Z' }
    const value = FleetRun.parse({ ...run, target: 'cloud', workflow: { id: 'w' }, roles: ['a', 'b'], max_workers: 4 })
    expect(value).toMatchObject({ target: 'cloud', workflow: { id: 'w', kind: 'parallel' }, roles: ['a', 'b'], max_workers: 4 })
    expect(FleetRun.parse({ ...run, target: null, workflow: null, roles: null, max_workers: null })).toStrictEqual({
      id: 'r',
      name: 'R',
      status: 'queued',
      task_specs: [],
      worker_specs: [],
      labels: {},
      created_at: '2026-01-01T00:00:00.000Z',
    })
    expect(FleetRun.safeParse({ ...run, workflow: { id: 'w', kind: 'serial' } }).success).toBe(false)
  })

  test('RU the statuses of runs are pending to cancelled, three of them active and three terminal', () => {
    const all = ['pending', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelled'].map((status) =>
      FleetRunStatus.parse(status),
    )
    expect(all.filter(isActiveRunStatus)).toEqual(['pending', 'queued', 'running'])
    expect(all.filter(isTerminalRunStatus)).toEqual(['completed', 'failed', 'cancelled'])
  })

  test('WO the statuses of workers are unknown to retired, two of them active and one terminal', () => {
    const words = ['unknown', 'online', 'busy', 'offline', 'unhealthy', 'draining', 'retired']
    const all = words.map((status) => FleetWorkerStatus.parse(status))
    expect(all.filter(isActiveWorkerStatus)).toEqual(['online', 'busy'])
    expect(all.filter(isTerminalWorkerStatus)).toEqual(['retired'])
  })
})
