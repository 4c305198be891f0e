import { expect, test } from 'vitest'
import { createRunState, createTaskState } from '../../../src/engine/state.ts'
import type { TaskState } from '../../../src/engine/state.ts'
import { count, createTally } from '../../../src/engine/tally.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const header = { id: 'r', name: 'r', short: 's', labels: {}, worker_specs: [], open: false, createdAt: 0, workspace: '/' }
const spec = FleetTaskSpec.parse({ id: 't', name: 't', instructions: 'i' })

/** The counters that a task in this state is counted in, and that taking it away leaves none of. */
function counted(more: Partial<TaskState>): Record<string, number> {
  const task: TaskState = { ...createTaskState(createRunState(header), spec, { by: 1, at: 0 }), ...more }
  const tally = createTally()
  count(tally, task, 1)
  const some = Object.fromEntries(Object.entries(tally).filter(([, many]) => many !== 0))
  count(tally, task, -1)
  expect(tally).toEqual(createTally())
  return some
}

test('RU7 a task counts for what it is: partial, failed by kind, stale, escalated, and once for each restart', () => {
  expect(counted({})).toEqual({})
  expect(counted({ status: 'completed', result: 'partial' })).toEqual({ partial: 1 })
  expect(counted({ status: 'completed', result: 'pass' })).toEqual({})
  for (const failureKind of ['transport', 'task', 'verifier'] as const)
    expect(counted({ status: 'failed', result: 'fail', failureKind })).toEqual({ [`${failureKind}_failed`]: 1 })
  expect(counted({ status: 'backoff', stale: true })).toEqual({ stale: 1 })
  expect(counted({ status: 'failed', escalated: true })).toEqual({ escalated: 1 })
  expect(counted({ status: 'running', restarts: 3 })).toEqual({ restarted: 3 })
})

test('RU7 what earlier attempts came to does not count while the task is tried again, or was cancelled', () => {
  for (const status of ['enqueued', 'running', 'cancelled'] as const)
    expect(counted({ status, result: 'partial', failureKind: 'task' })).toEqual({})
})
