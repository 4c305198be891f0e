import { expect, test } from 'vitest'
import { createRunSpend } from '../../../src/engine/run-spend.ts'
import { createRunState, createTaskState } from '../../../src/engine/state.ts'
import type { TaskState } from '../../../src/engine/state.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const header = { id: 'r', name: 'r', short: 's', labels: {}, worker_specs: [], open: false, createdAt: 0, workspace: '/' }
const spec = FleetTaskSpec.parse({ id: 't', name: 't', instructions: 'i' })

function spent(more: Partial<TaskState>): TaskState {
  return { ...createTaskState(createRunState(header), spec, { by: 1, at: 0 }), ...more }
}

test('BU3 a run has spent what its tasks have: tokens in and out, tool calls, and the time of leases that ended', () => {
  const spend = createRunSpend({ max_tokens: 9 })
  spend.count(spent({ inputTokens: 3, outputTokens: 4, toolCalls: 2, spentMs: 500 }), 1)
  spend.count(spent({ inputTokens: 10, outputTokens: 20, toolCalls: 5, spentMs: 1_000 }), 1)
  expect(spend.by(9_999)).toEqual({ tokens: 37, toolCalls: 7, ms: 1_500 })
  expect(spend.leases).toBe(0)
  expect(spend.budget).toEqual({ max_tokens: 9 })
  spend.count(spent({ inputTokens: 10, outputTokens: 20, toolCalls: 5, spentMs: 1_000 }), -1)
  expect(spend.by(9_999)).toEqual({ tokens: 7, toolCalls: 2, ms: 500 })
})

test('BU1 BU3 leases that are held cost until the moment that is asked for, and no more once they are given back', () => {
  const spend = createRunSpend({})
  const held = (['starting', 'running', 'verifying'] as const).map((status, index) =>
    spent({ status, leasedAt: 1_000 + index, spentMs: 10 }),
  )
  for (const task of held) spend.count(task, 1)
  expect(spend.leases).toBe(3)
  expect(spend.by(2_000)).toMatchObject({ ms: 30 + 1_000 + 999 + 998 })
  for (const task of held.slice(1)) spend.count(task, -1)
  expect(spend.leases).toBe(1)
  expect(spend.by(3_000)).toMatchObject({ ms: 10 + 2_000 })
})

test('BU3 a lease that ended long ago costs nothing more, and no moment costs less than nothing', () => {
  const spend = createRunSpend({})
  for (const status of ['enqueued', 'backoff', 'completed', 'failed', 'cancelled'] as const)
    spend.count(spent({ status, leasedAt: 1_000, spentMs: 5 }), 1)
  expect(spend.leases).toBe(0)
  expect(spend.by(60_000)).toMatchObject({ ms: 25 })
  spend.count(spent({ status: 'running', leasedAt: 50_000 }), 1)
  expect(spend.by(40_000)).toMatchObject({ ms: 25 })
})
