import { expect, test } from 'vitest'
import type { Entry } from '../../../src/engine/entry.ts'
import { lastReported, reporterOf, wholeReceipt } from '../../../src/engine/receipt-record.ts'
import type { ReceiptRecord } from '../../../src/engine/receipt-record.ts'
import { FleetReceipt } from '../../../src/protocol/receipt.ts'
import { permissionsCalled, usualPermissions, usualTerms } from '../../../src/security/trust.ts'

const at = Date.parse('2030-01-01T00:00:00.000Z')
const events = [{ state: 'running' }, { state: 'completed' }] as const
const entry = (receipt: ReceiptRecord | undefined, more: Partial<Entry> = {}): Entry => ({
  ...{ seq: 7, at, kind: 'task.stepped', task: 'a', attempt: 2, worker: 'w1', workerSeq: 3, events, set: { spentMs: 1_500 } },
  ...(receipt !== undefined && { receipt }),
  ...more,
})

test('VE6 CO4 what the entry says of its receipt is read from there: whose it is, who signed it, when, and what it spent', () => {
  const receipt = wholeReceipt('r', entry({ result: 'pass' }))
  expect(receipt).toStrictEqual({
    ...{ run_id: 'r', task_id: 'a', worker_id: 'w1', attempt: 2, terminal_seq: 4 },
    ...{ completed_at: '2030-01-01T00:00:00.000Z', result: 'pass', artifacts: [] },
    spent: { tokens: 0, tool_calls: 0, seconds: 1.5 },
  })
  expect(FleetReceipt.schema.parse(receipt)).toEqual(receipt)
  expect(wholeReceipt('r', entry(undefined))).toBe(undefined)
})

test('VE6 what a record says counts, whatever the entry says', () => {
  const said = {
    ...{ worker_id: 'w2', terminal_seq: 9, score: { value: 0, max: 1 } },
    ...({ result: 'fail', failure_kind: 'verifier' } as const),
    ...{ artifacts: [{ kind: 'log', path: 'a' }], resolved_route: { source: 's' } as never, profile: { sources: {} } },
    ...{ usage: { input_tokens: 1, output_tokens: 2 }, spent: { tokens: 3, tool_calls: 4, seconds: 5 } },
    ...{ output: false, evidence: 'So.', effective_permissions: { ...permissionsCalled('local'), network: false } },
  } satisfies ReceiptRecord
  expect(wholeReceipt('r', entry(said))).toStrictEqual({
    ...{ run_id: 'r', task_id: 'a', attempt: 2, completed_at: '2030-01-01T00:00:00.000Z' },
    ...said,
  })
})

test('RU5 VE6 an entry of no attempt, without events of a worker, has a receipt of no attempt that the fleet signs', () => {
  const none = { attempt: undefined, worker: undefined, workerSeq: undefined, events: undefined, set: undefined }
  const receipt = wholeReceipt('r', entry({ result: 'skip' }, none))
  expect(receipt).toMatchObject({ worker_id: 'fleet', spent: { seconds: 0 } })
  for (const field of ['attempt', 'terminal_seq']) expect(receipt).not.toHaveProperty(field)
  expect([reporterOf(none), lastReported(none), lastReported({ workerSeq: 2, events })]).toEqual(['fleet', undefined, 3])
})

test('VE5 a record that names its run is whole, and nothing is added to it', () => {
  const whole = { run_id: 'r', task_id: 'a', worker_id: 'w2', completed_at: 'then', result: 'pass', artifacts: [] } as const
  expect(wholeReceipt('r', entry(whole))).toBe(whole)
})

test('SE1 ST8 permissions that records call by a name are what they were when the name was given', () => {
  const receipt = wholeReceipt('r', entry({ result: 'pass', effective_permissions: 'local' }))
  expect(receipt?.effective_permissions).toEqual({
    ...{ write: true, network: true, shell: 'full', tool_scope: 'inherit', tools: [], background: true, max_spawn_depth: 0 },
    source: 'trust level local',
  })
  expect(permissionsCalled(usualPermissions)).toEqual(usualTerms.permissions)
  // A copy: whoever gets a receipt may change it.
  expect(permissionsCalled('local')).not.toBe(permissionsCalled('local'))
  expect(permissionsCalled('local').tools).not.toBe(usualTerms.permissions.tools)
})
