import { expect, test } from 'vitest'
import { afterWait, lasts, nextAlerts, resolution, thresholdsOf } from '../../../src/engine/alert-rules.ts'
import type { AlertMoment, Raised } from '../../../src/engine/alert-rules.ts'
import { changedAlerts, unsettledAlerts } from '../../../src/engine/alert-record.ts'
import type { AlertRecord } from '../../../src/engine/alert-record.ts'
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

const over = { limit: 'max_tokens', reason: 'It is spent.' } as const

/** What keeps a cause from lasting, one thing at a time, and what keeps it going. */
const causes: {
  readonly [Class in FleetAlertEventClass]: {
    readonly lasting: readonly Parameters<typeof put>[1][]
    readonly ended: readonly Parameters<typeof put>[1][]
    /** The same where the budget of the whole run is spent. */
    readonly ofRun?: {
      readonly lasting: readonly Parameters<typeof put>[1][]
      readonly ended: readonly Parameters<typeof put>[1][]
    }
  }
} = {
  stale: {
    lasting: ['backoff', 'enqueued', 'starting', 'failed'].map((status) => ({ stale: true, status: status as never })),
    ended: [
      { stale: false, status: 'backoff' },
      { stale: true, status: 'completed' },
      { stale: true, status: 'cancelled' },
    ],
  },
  restart_exhausted: { lasting: [{ status: 'failed' }], ended: [{ status: 'enqueued' }, { status: 'completed' }] },
  needs_human: {
    lasting: [{ status: 'completed', result: 'partial', settled: false }],
    ended: [
      { status: 'enqueued', result: 'partial', settled: false },
      { status: 'completed', result: 'pass', settled: false },
      { status: 'completed', result: 'partial', settled: true },
    ],
  },
  budget_exceeded: {
    lasting: [
      { status: 'running', attempt: 1 },
      { status: 'verifying', attempt: 1 },
      { status: 'failed', attempt: 1 },
    ],
    ended: [
      { status: 'completed', attempt: 1 },
      { status: 'running', attempt: 2 },
      { status: 'failed', attempt: 2 },
    ],
    ofRun: {
      lasting: [
        { run: 'running', status: 'completed', attempt: 1 },
        { run: 'failed', status: 'cancelled', attempt: 2 },
      ],
      ended: [{ run: 'completed', status: 'failed', attempt: 1 }],
    },
  },
  verifier_failed: {
    lasting: [
      { failures: 1, status: 'backoff' },
      { failures: 2, status: 'failed' },
    ],
    ended: [
      { failures: 0, status: 'enqueued' },
      { failures: 1, status: 'completed' },
      { failures: 1, status: 'cancelled' },
    ],
  },
  run_completed: { lasting: [{ run: 'completed' }], ended: [{ run: 'running' }, { run: 'failed' }] },
}

test.each(alertEventClasses)('AL3 the cause of %s stands as long as its table says', (name) => {
  const stands = (fields: Parameters<typeof put>[1], overBudget: typeof over | null = null) => {
    const state = stateOf()
    Object.assign(state.run, { overBudget })
    put(state, fields)
    return lasts(alertOf({ class: name }), state.task, state.run)
  }
  const { lasting, ended, ofRun } = causes[name]
  expect(lasting.map((fields) => stands(fields))).toEqual(lasting.map(() => true))
  expect(ended.map((fields) => stands(fields))).toEqual(ended.map(() => false))
  expect(ofRun?.lasting.map((fields) => stands(fields, over))).toEqual(ofRun?.lasting.map(() => true))
  expect(ofRun?.ended.map((fields) => stands(fields, over))).toEqual(ofRun?.ended.map(() => false))
})

function alertOf(more: Partial<AlertRecord> = {}): AlertRecord {
  return {
    ...{ id: 'old', class: 'budget_exceeded', attempt: 1, channel: 0, status: 'sent', action: 'trigger', worker: null },
    ...{ reason: null, raisedAt: 0, tries: 0, error: null, notBefore: null, notBeforeMs: null },
    ...more,
  }
}

/** A task at its second attempt, which spends too much as its first one did. */
function spending(alerts: readonly AlertRecord[], channels: readonly object[] = [pager]) {
  const state = stateOf({ channels, events: ['budget_exceeded', 'stale'] })
  put(state, { status: 'running', attempt: 2 })
  state.task.alerts = alerts
  const raise = (more: Partial<Raised> = {}, moment: Partial<AlertMoment> = {}) => {
    const raised = { class: 'budget_exceeded', attempt: 2, worker: 'w1', reason: 'so', ...more } as const
    return nextAlerts(state.run, state.task, [raised], { ...at, ...moment })
  }
  return { ...state, raise }
}

const second = {
  ...{ class: 'budget_exceeded', attempt: 2, channel: 0, status: 'owed', action: 'trigger', worker: 'w1', reason: 'so' },
  ...{ raisedAt: 1_000, tries: 0, error: null, notBefore: null, notBeforeMs: null },
}

test('AL2 an alert of a later attempt takes the place of an earlier one of its class and channel', () => {
  const added = { id: 'id0', set: { id: 'id0', ...second } }
  expect(spending([]).raise()).toEqual([added])
  // It would be resolved now; told after the new one, that would end what has just begun.
  expect(spending([alertOf()]).raise()).toEqual([{ id: 'old', set: resolution }, { id: 'old', set: null }, added])
  // What is dropped with its cause is not dropped once more.
  expect(spending([alertOf()]).raise({}, { resolves: () => false })).toEqual([{ id: 'old', set: null }, added])
  expect(spending([alertOf({ status: 'held' })]).raise()).toEqual([{ id: 'old', set: null }, added])
})

test('AL2 what is owed of an earlier attempt is delivered all the same', () => {
  expect(spending([alertOf({ status: 'owed' })]).raise()).toEqual([{ id: 'id0', set: { id: 'id0', ...second } }])
})

test('AL2 alerts of another class, or through another channel, stay as they are; one of the same attempt is made once', () => {
  const two = [pager, { kind: 'slack', url_ref: { key: 'S' } }]
  const stale = alertOf({ id: 'stale', class: 'stale' })
  const other = alertOf({ id: 'other', attempt: 2, channel: 1 })
  const bench = spending([stale, other], two)
  put(bench, { stale: true, status: 'running', attempt: 2 })
  expect(bench.raise()).toEqual([{ id: 'id0', set: { id: 'id0', ...second } }])
  expect(bench.raise({ channels: [1] })).toEqual([])
  expect(bench.raise({ class: 'verifier_failed' })).toEqual([])
  // Without any, each channel has one, by the order of the policy.
  expect(spending([], two).raise()).toMatchObject([
    { id: 'id0', set: { channel: 0 } },
    { id: 'id1', set: { channel: 1 } },
  ])
})

test('AL2 nobody is alerted of a task without a policy', () => {
  const { run, task } = stateOf()
  const raised = [{ class: 'stale', attempt: 1, worker: null, reason: null }] as const
  expect(nextAlerts(run, { ...task, policy: null }, raised, at)).toEqual([])
  expect(nextAlerts(run, task, raised, at)).toHaveLength(1)
})

test('AL3 the end of a cause is told once, of what was delivered or given up, and of no resolve', () => {
  const ends = (alert: AlertRecord, resolves = true) => {
    const state = stateOf()
    put(state, { status: 'completed' })
    state.task.alerts = [alert]
    return nextAlerts(state.run, state.task, [], { ...at, resolves: () => resolves })
  }
  expect(ends(alertOf())).toEqual([{ id: 'old', set: resolution }])
  expect(ends(alertOf({ status: 'given_up' }))).toEqual([{ id: 'old', set: resolution }])
  expect(ends(alertOf({ status: 'given_up', action: 'resolve' }))).toEqual([{ id: 'old', set: null }])
  expect(ends(alertOf(), false)).toEqual([{ id: 'old', set: null }])
  expect(ends(alertOf({ status: 'owed' }))).toEqual([])
})

test('AL1 when its moment has come an alert is owed, unless attempts hold it back too: it waits for those alone', () => {
  const stale = alertOf({ class: 'stale', status: 'held', notBefore: 60_000, notBeforeMs: 60_000 })
  const { task } = stateOf({ after_attempts: 2 })
  expect(afterWait(stale, { ...task, failures: 2 })).toEqual({ status: 'owed', notBefore: null, notBeforeMs: null })
  expect(afterWait(stale, { ...task, failures: 1 })).toEqual({ notBefore: null, notBeforeMs: null })
})

test('AL1 failures let go what no moment holds back any more, and nothing else', () => {
  const step = (alert: Partial<AlertRecord>, failures: number) => {
    const state = stateOf({ after_attempts: 2 })
    put(state, { stale: true, status: 'backoff', failures })
    state.task.alerts = [alertOf({ class: 'stale', ...alert })]
    return nextAlerts(state.run, state.task, [], at)
  }
  const until = { notBefore: 60_000, notBeforeMs: 60_000 }
  expect(step({ status: 'held' }, 2)).toEqual([{ id: 'old', set: { status: 'owed', notBefore: null, notBeforeMs: null } }])
  expect(step({ status: 'held' }, 1)).toEqual([])
  expect(step({ status: 'held', ...until }, 2)).toEqual([])
  for (const status of ['sent', 'given_up'] as const) expect(step({ status }, 2)).toEqual([])
})
