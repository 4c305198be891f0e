import { describe, expect, test } from 'vitest'
import {
  FleetHostSpec,
  FleetInboxEntry,
  FleetReceipt,
  FleetRetryPolicy,
  FleetRun,
  FleetRunId,
  FleetRunSpec,
  FleetRuntimeEvent,
  FleetScore,
  FleetTaskBudget,
  FleetTaskSpec,
  FleetWorkerEvent,
  FleetWorkerSpec,
  isToken,
} from '../../../src/protocol/index.ts'
import { envelope, minimalTask } from './samples.ts'

const inbox = { run_id: 'r', task_id: 't', priority: 0, enqueued_at: '2026-01-01T00:00:00Z' }
const tasked = (fields: object) => FleetTaskSpec.safeParse({ ...minimalTask, ...fields })

function complaint(result: { success: boolean; error?: Error }): string | undefined {
  return result.success ? undefined : result.error?.message
}

describe('WI5', () => {
  test.each([
    ['u16', 0, 65_535, (port: number) => FleetHostSpec.safeParse({ kind: 'ssh', host: 'h', port })],
    ['u32', 0, 4_294_967_295, (max_tool_calls: number) => FleetTaskBudget.safeParse({ max_tool_calls })],
    ['i32', -2_147_483_648, 2_147_483_647, (priority: number) => FleetInboxEntry.safeParse({ ...inbox, priority })],
    ['u64', 0, Number.MAX_SAFE_INTEGER, (max_tokens: number) => FleetTaskBudget.safeParse({ max_tokens })],
  ])('WI5 %s is an integer from %d to %d', (_, low, high, parse) => {
    for (const inside of [low, high, Math.trunc((low + high) / 2)]) expect(parse(inside).success).toBe(true)
    for (const outside of [low - 1, high + 1, low + 0.5, 1e300, -1e300]) {
      expect(complaint(parse(outside))).toContain(`: expected an integer from ${low} to ${high}, got ${outside}`)
    }
  })

  test('WI5 a u64 that JSON rounds is refused, not kept rounded', () => {
    const document: unknown = JSON.parse('{"max_seconds": 9007199254740993}')
    expect(complaint(FleetTaskBudget.safeParse(document))).toBe(
      'max_seconds: expected an integer from 0 to 9007199254740991, got 9007199254740992',
    )
  })

  test('WI5 floats are finite, and text is not a number', () => {
    expect(FleetScore.parse({ value: -1.5, max: 1e300 })).toEqual({ value: -1.5, max: 1e300 })
    expect(complaint(FleetScore.safeParse({ value: NaN }))).toBe('value: expected a finite number, got NaN')
    expect(complaint(FleetScore.safeParse({ value: 1, max: Infinity }))).toBe('max: expected a finite number, got Infinity')
    expect(complaint(FleetScore.safeParse({ value: '1' }))).toBe('value: expected a finite number, got "1"')
    expect(complaint(FleetScore.safeParse(JSON.parse('{"value": 1e999}')))).toBe('value: expected a finite number, got Infinity')
  })

  test('WI5 minus zero is zero', () => {
    expect(Object.is(FleetScore.parse({ value: -0 }).value, 0)).toBe(true)
  })

  test('WI5 a limit of workers or leases is at least one', () => {
    const worker = { id: 'w', name: 'W', host: { kind: 'local' } }
    expect(FleetWorkerSpec.safeParse({ ...worker, max_concurrent_tasks: 1 }).success).toBe(true)
    expect(complaint(FleetWorkerSpec.safeParse({ ...worker, max_concurrent_tasks: 0 }))).toContain(
      'expected an integer from 1 to',
    )
    expect(complaint(FleetRunSpec.safeParse({ name: 'R', tasks: [minimalTask], max_workers: 0 }))).toContain(
      'max_workers: expected',
    )
  })

  test('WI1 each number of a retry policy has a default of its own (P9)', () => {
    const defaults = { max_attempts: 3, initial_backoff_seconds: 5, max_backoff_seconds: 300, backoff_multiplier: 2 }
    expect(FleetRetryPolicy.parse({})).toStrictEqual(defaults)
    expect(FleetRetryPolicy.parse({ max_attempts: 7 })).toStrictEqual({ ...defaults, max_attempts: 7 })
    expect(complaint(FleetRetryPolicy.safeParse({ max_attempts: null }))).toContain('max_attempts: expected an integer')
    expect(FleetRetryPolicy.parse({ retry_on: [] })).toStrictEqual({ ...defaults, retry_on: [] })
    expect(complaint(FleetRetryPolicy.safeParse({ retry_on: ['cosmic'] }))).toBe(
      'retry_on[0]: expected one of transport, task, verifier, timeout, stale, got "cosmic"',
    )
  })
})

describe('WI9', () => {
  const bad = ['', '.', '..', 'a/b', 'a b', 'ä', 'a\n', 'x'.repeat(129), '../secrets', 'a\0', '${x}']

  test('WI9 an id is 1 to 128 characters of A-Za-z0-9._-', () => {
    for (const id of ['a', 'A.b_c-9', '...', '.a', '-', 'x'.repeat(128), 'constructor']) {
      expect(FleetRunId.parse(id)).toBe(id)
      expect(isToken(id)).toBe(true)
    }
    for (const id of bad) {
      expect({ id, accepted: FleetRunId.safeParse(id).success }).toEqual({ id, accepted: false })
      expect(isToken(id)).toBe(false)
    }
  })

  test('WI9 T5 tasks, workers, roles and profiles have such ids', () => {
    for (const id of bad) {
      expect(complaint(tasked({ id }))).toMatch(/^id: expected 1 to 128 characters/)
      expect(complaint(tasked({ worker: { role: id } }))).toMatch(/^worker\.role: expected 1 to 128 characters/)
      expect(complaint(tasked({ worker: { agent_profile: id } }))).toMatch(/^worker\.agent_profile: expected 1 to 128/)
      expect(complaint(FleetWorkerSpec.safeParse({ id, name: 'W', host: { kind: 'local' } }))).toMatch(/^id: expected 1 to 128/)
      expect(complaint(tasked({ depends_on: [id] }))).toMatch(/^depends_on\[0\]: expected 1 to 128/)
    }
  })

  test('WI9 M4 T5 a worker whose id or name has more than one line is refused', () => {
    const worker = { id: 'w', name: 'W', host: { kind: 'local' } }
    const run = (fields: object) =>
      FleetRunSpec.safeParse({ name: 'R', tasks: [minimalTask], workers: [{ ...worker, ...fields }] })
    expect(run({}).success).toBe(true)
    expect(complaint(run({ id: 'a\r\nb' }))).toMatch(/^worker_specs\[0\]\.id: expected .* got "a\\r\\nb"$/)
    expect(complaint(run({ name: 'a\r\nb' }))).toMatch(/^worker_specs\[0\]\.name: expected .* got "a\\r\\nb"$/)
  })

  test('WI9 fleet is reserved for the runs and workers of the fleet itself', () => {
    const reserved = 'id: expected an id other than "fleet", which is reserved, got "fleet"'
    expect(complaint(FleetRunSpec.safeParse({ id: 'fleet', name: 'R', tasks: [minimalTask] }))).toBe(reserved)
    expect(complaint(FleetWorkerSpec.safeParse({ id: 'fleet', name: 'W', host: { kind: 'local' } }))).toBe(reserved)
    const run = { id: 'fleet', name: 'R', status: 'pending', created_at: '2026-01-01T00:00:00Z' }
    expect(complaint(FleetRun.safeParse(run))).toBe(reserved)
    expect(FleetWorkerEvent.parse({ ...envelope, state: 'queued' }).worker_id).toBe('fleet')
    expect(tasked({ id: 'fleet' }).success).toBe(true)
  })

  test('WI9 a name is 1 to 256 bytes on one printable line', () => {
    const names = ['A', 'Größe 大', 'x'.repeat(256), 'ä'.repeat(128), '👩‍🚀'.repeat(23), '大'.repeat(85)]
    for (const name of names) expect(tasked({ name }).success).toBe(true)
    const refused = [
      '',
      ' ',
      '\t',
      'a\nb',
      'a\u0000',
      'a\u009b',
      'a\u2028b',
      'x'.repeat(257),
      'ä'.repeat(129),
      '大'.repeat(86),
      '\ud800',
    ]
    for (const name of refused) expect(complaint(tasked({ name }))).toMatch(/^name: expected a name of 1 to 256 bytes/)
  })

  test('WI9 instructions are not blank, nor is an objective', () => {
    for (const blank of ['', ' \n\t', '\u00a0']) {
      expect(complaint(tasked({ instructions: blank }))).toMatch(/^instructions: expected a non-blank string/)
      expect(complaint(tasked({ objective: blank }))).toMatch(/^objective: expected a non-blank string/)
    }
    expect(tasked({ description: '' }).success).toBe(true)
  })

  test('WI1 T4 a profile is no path, a model is no secret, and its text is not repeated (T3)', () => {
    const worker = { profile: '../secrets', model: 'gpt api_key=sk-12345' }
    expect(complaint(tasked({ worker }))?.split('\n')).toEqual([
      'worker.agent_profile: expected 1 to 128 characters of A-Z a-z 0-9 . _ -, not "." or "..", got "../secrets"',
      'worker.model: expected a model id without spaces, quotes or "=", got a text of 20 characters',
    ])
    for (const model of ['', ' m', 'a b', 'a=b', "a'b", 'a"b', 'ä']) expect(tasked({ worker: { model } }).success).toBe(false)
    for (const model of ['m', 'maker/m-4.5:latest@eu']) expect(tasked({ worker: { model } }).success).toBe(true)
  })

  test('WI9 reserved metadata has its types, other metadata has any', () => {
    const metadata = { priority: -1, class: 'c', coordination_contracts: ['a b'], command: ['ls', ''], other: { priority: 'x' } }
    expect(complaint(tasked({ metadata }))).toBe('metadata.command[1]: expected a non-empty string without NUL, got ""')
    expect(tasked({ metadata: { ...metadata, command: ['ls'] } }).success).toBe(true)
    const bad = { priority: '1', class: 3, coordination_contracts: ['a\nb', 'x'.repeat(129), ''], command: [] }
    expect(complaint(tasked({ metadata: bad }))?.split('\n')).toEqual([
      'metadata.priority: expected an integer from -2147483648 to 2147483647, got "1"',
      'metadata.class: expected a non-blank string, got 3',
      'metadata.coordination_contracts[0]: expected one line of 1 to 128 characters, got "a\\nb"',
      `metadata.coordination_contracts[1]: expected one line of 1 to 128 characters, got "${'x'.repeat(80)}…"`,
      'metadata.coordination_contracts[2]: expected one line of 1 to 128 characters, got ""',
      'metadata.command: expected a list of at least 1, got a list of 0',
    ])
    const many = (count: number) => ({ metadata: { coordination_contracts: Array.from({ length: count }, (_, n) => `c${n}`) } })
    expect(tasked(many(16)).success).toBe(true)
    expect(complaint(tasked(many(17)))).toBe('metadata.coordination_contracts: expected a list of at most 16, got a list of 17')
  })

  test('WI9 tags and dependencies stand once in their lists', () => {
    expect(complaint(tasked({ tags: ['a', 'b', 'a'], depends_on: ['x', 'x'] }))?.split('\n')).toEqual([
      'tags[2]: expected each item once, got "a" again',
      'depends_on[1]: expected each item once, got "x" again',
    ])
  })

  test('SE6 an address that a program could take for an option is refused', () => {
    for (const host of ['-oProxyCommand=x', 'a b', 'a\nb', '']) {
      expect(complaint(FleetHostSpec.safeParse({ kind: 'ssh', host }))).toMatch(/^host: expected one word that does not begin/)
    }
    expect(complaint(FleetHostSpec.safeParse({ kind: 'docker', image: '--privileged' }))).toMatch(/^image: expected one word/)
    expect(FleetHostSpec.safeParse({ kind: 'ssh', host: '::1', user: 'u' }).success).toBe(true)
  })

  test('EV7 a cursor is short and plain', () => {
    const event = (cursor: string) => FleetRuntimeEvent.safeParse({ cursor, event: 'e', run_id: 'r', payload: {} })
    expect(event('fev1_abc_9').success).toBe(true)
    for (const cursor of ['', 'a-b', 'a.b', 'x'.repeat(97)])
      expect(complaint(event(cursor))).toMatch(/^cursor: expected a cursor/)
  })

  test('AR2 a checksum is a sha256 in hex', () => {
    const receipt = { run_id: 'r', task_id: 't', worker_id: 'w', completed_at: '2026-01-01T00:00:00Z', result: 'pass' }
    const withChecksum = (checksum: string) =>
      FleetReceipt.safeParse({ ...receipt, artifacts: [{ kind: 'log', path: 'a', checksum }] })
    expect(withChecksum(`sha256:${'a'.repeat(64)}`).success).toBe(true)
    for (const checksum of ['sha256:abc', 'a'.repeat(64), `md5:${'a'.repeat(32)}`]) {
      expect(complaint(withChecksum(checksum))).toMatch(/^artifacts\[0\]\.checksum: expected a checksum/)
    }
  })
})
