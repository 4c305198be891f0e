import { expect, test } from 'vitest'
import { nextAlerts, thresholdsOf } from '../../../src/engine/alert-rules.ts'
import type { AlertMoment } from '../../../src/engine/alert-rules.ts'
import { changedAlerts, unsettledAlerts } from '../../../src/engine/alert-record.ts'
import { createRunState, createTaskState } from '../../../src/engine/state.ts'
import type { RunState, TaskState } from '../../../src/engine/state.ts'
import { alertEventClasses } from '../../../src/protocol/alert.ts'
import type { FleetAlertEventClass } from '../../../src/protocol/alert.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const pager = { kind: 'pager_duty', routing_key: '<secret:K>', severity: 'error' }

function stateOf(policy: object = {}): { run: RunState; task: TaskState } {
  const header = { id: 'r', name: 'r', short: 'abc', labels: {}, worker_specs: [], open: false, createdAt: 0, workspace: '/' }
  const run = createRunState(header)
  const spec = FleetTaskSpec.parse({
    id: 'a',
    name: 'a',
    instructions: 'x',
    alert_policy: { channels: [pager], ...policy },
  } as never)
  return { run, task: createTaskState(run, spec, { by: 1, at: 0 }) }
}

const at: AlertMoment = { now: 1_000, resolves: () => true, newId: (n) => `id${n}` }

function step({ run, task }: { run: RunState; task: TaskState }, ...raised: FleetAlertEventClass[]): string[] {
  const changes = nextAlerts(
    run,
    task,
    raised.map((name) => ({ class: name, attempt: task.attempt, worker: null, reason: null })),
    at,
  )
  task.alerts = changedAlerts(task.alerts, changes)
  return changes.map(({ set }) => (set === null ? 'dropped' : `${set.action ?? ''} ${set.status}`.trim()))
}

/** How a class's cause stands, and how it ends. */
const lives: {
  readonly [Class in FleetAlertEventClass]: readonly [Partial<TaskState & { run: string }>, Partial<TaskState & { run: string }>]
} = {
  stale: [
    { stale: true, status: 'backoff' },
    { stale: false, status: 'running' },
  ],
  restart_exhausted: [{ status: 'failed' }, { status: 'enqueued' }],
  needs_human: [{ status: 'completed', result: 'partial' }, { settled: true }],
  budget_exceeded: [{ status: 'failed' }, { status: 'enqueued' }],
  verifier_failed: [{ status: 'backoff', failures: 1 }, { status: 'completed' }],
  run_completed: [{ status: 'completed', run: 'completed' }, { run: 'running' }],
}

function put(
  { run, task }: { run: RunState; task: TaskState },
  { run: status, ...fields }: Partial<TaskState & { run: string }>,
): void {
  Object.assign(task, { attempt: 1 }, fields)
  if (status !== undefined) Object.assign(run, { status })
}

test.each(alertEventClasses)(
  'AL1 AL3 %s is owed when it is raised, lasts while its cause does, and is resolved at its end',
  (name) => {
    const state = stateOf()
    const [begins, ends] = lives[name]
    put(state, begins)
    expect(step(state, name)).toEqual(['trigger owed'])
    state.task.alerts = state.task.alerts.map((alert) => ({ ...alert, status: 'sent' }))
    expect(step(state)).toEqual([])
    expect(step(state, name)).toEqual([])
    put(state, ends)
    expect(step(state)).toEqual(['resolve owed'])
  },
)

test.each(alertEventClasses)(
  'AL1 alert_policy.after_attempts and alert_policy.after_minutes_stale hold %s back or not, by one table',
  (name) => {
    const [begins, ends] = lives[name]
    const { afterAttempts, afterMinutesStale } = thresholdsOf(name)
    const byAttempts = stateOf({ after_attempts: 3 })
    put(byAttempts, begins)
    expect(step(byAttempts, name)).toEqual([afterAttempts ? 'trigger held' : 'trigger owed'])
    // Nothing is waited for: another failure may come or not.
    expect(unsettledAlerts(byAttempts.task.alerts)).toBe(afterAttempts ? 0 : 1)
    put(byAttempts, { failures: 3 })
    expect(step(byAttempts)).toEqual(afterAttempts ? ['owed'] : [])

    const byMinutes = stateOf({ after_minutes_stale: 2 })
    put(byMinutes, begins)
    expect(step(byMinutes, name)).toEqual([afterMinutesStale ? 'trigger held' : 'trigger owed'])
    expect(unsettledAlerts(byMinutes.task.alerts)).toBe(1)
    expect(byMinutes.task.alerts[0]).toMatchObject(
      afterMinutesStale ? { notBefore: 121_000, notBeforeMs: 120_000 } : { notBefore: null },
    )
    put(byMinutes, ends)
    // What was held back is dropped with its cause; what is owed is delivered all the same.
    expect(step(byMinutes)).toEqual(afterMinutesStale ? ['dropped'] : [])
  },
)

test('AL1 a threshold of ever so many minutes is a moment that can be written', () => {
  const state = stateOf({ after_minutes_stale: Number.MAX_SAFE_INTEGER })
  put(state, lives.stale[0])
  step(state, 'stale')
  expect(() => new Date(state.task.alerts[0]?.notBefore ?? 0).toISOString()).not.toThrow()
})

test('CO9 tasks with equal policies share one, and ended ones keep it', () => {
  const run = createRunState({
    id: 'r',
    name: 'r',
    short: 'abc',
    labels: {},
    worker_specs: [],
    open: false,
    createdAt: 0,
    workspace: '/',
  })
  const spec = (id: string) =>
    FleetTaskSpec.parse({ id, name: id, instructions: 'x', alert_policy: { channels: [pager] } } as never)
  const [a, b] = ['a', 'b'].map((id) => createTaskState(run, spec(id), { by: 1, at: 0 }))
  expect(a?.policy).not.toBeNull()
  expect(a?.policy).toBe(b?.policy)
})
