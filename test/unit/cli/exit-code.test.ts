import { describe, expect, it } from 'vitest'
import { exitCodeOf, worst } from '../../../src/cli/exit-code.ts'
import { outcomesOf } from '../../../src/cli/outcome.ts'
import type { RunOutcome } from '../../../src/cli/outcome.ts'
import type { FleetReceipt, TaskView } from '../../../src/index.ts'
import { FleetRunSpec } from '../../../src/protocol/index.ts'

const done: TaskView = { id: 't', name: 't', status: 'completed', attempt: 1, depends_on: [] }
const receipt: FleetReceipt = {
  run_id: 'r',
  task_id: 't',
  worker_id: 'w',
  attempt: 1,
  completed_at: '2026-01-01T00:00:00.000Z',
  result: 'partial',
  artifacts: [],
}

describe('exit codes', () => {
  it('RU3 a run that completed with passes ends with 0, one that failed or was cancelled with 1', () => {
    expect(codeOf({ receipt: { result: 'pass' } })).toBe(0)
    expect(codeOf({ view: { status: 'failed' }, receipt: { result: 'fail' }, status: 'failed' })).toBe(1)
    expect(codeOf({ view: { status: 'cancelled' }, receipt: { result: 'skip' }, status: 'cancelled' })).toBe(1)
    expect(codeOf({ view: { status: 'failed' }, receipt: { result: 'fail' }, status: 'running' })).toBe(1)
  })

  it('VE5 an awaited verdict ends with 3, until it is given', () => {
    const task = { scorer: { kind: 'manual' } }
    const view = { awaits_verdict: true } as const
    expect(codeOf({ task, view })).toBe(3)
    expect(codeOf({ task, view: {}, receipt: { result: 'pass', settled: { by: 'ada' } } })).toBe(0)
  })

  it('AR5 a missing artifact ends with 3; each artifact meets one expectation', () => {
    const task = { expected_artifacts: ['report', 'report'] }
    const report = { kind: 'report', path: 'r.md' }
    expect(codeOf({ task, receipt: { artifacts: [report] } })).toBe(3)
    expect(codeOf({ task, receipt: { artifacts: [report, report] } })).toBe(0)
  })

  it('BU2 a result that was handed back early ends with 3', () => {
    const task = { budget: { max_tokens: 10 } }
    expect(codeOf({ task, receipt: { spent: { tokens: 12, tool_calls: 0, seconds: 1 } } })).toBe(3)
    expect(codeOf({ task, receipt: { spent: { tokens: 9, tool_calls: 0, seconds: 1 } } })).toBe(0)
  })

  it('VE5 a success that nothing checked ends with 3 only when strict', () => {
    expect(codeOf({})).toBe(0)
    expect(codeOf({ strict: true })).toBe(3)
    expect(codeOf({ receipt: { result: 'pass' }, strict: true })).toBe(0)
  })

  it('RU3 the worst of several counts: 2, then 1, then 3', () => {
    expect(worst([])).toBe(0)
    expect(worst([0, 3, 0])).toBe(3)
    expect(worst([3, 1])).toBe(1)
    expect(worst([1, 2, 3])).toBe(2)
  })
})

function codeOf(given: {
  readonly task?: object
  readonly view?: Partial<TaskView>
  readonly receipt?: Partial<FleetReceipt>
  readonly status?: 'completed' | 'failed' | 'cancelled' | 'running'
  readonly strict?: boolean
}): number {
  const { tasks } = FleetRunSpec.parse({ name: 'r', tasks: [{ id: 't', name: 't', instructions: 'x', ...given.task }] })
  const outcomes = outcomesOf({ task_specs: tasks }, [{ ...done, ...given.view }], [{ ...receipt, ...given.receipt }])
  const summary = { status: given.status ?? 'completed' } as RunOutcome['summary']
  return exitCodeOf({ summary, tasks: outcomes }, { strict: given.strict ?? false })
}
