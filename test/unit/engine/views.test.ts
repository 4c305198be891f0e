import { describe, expect, test } from 'vitest'
import { cancelTask } from '../../../src/engine/cancel.ts'
import type { AlertRecord } from '../../../src/engine/alert-record.ts'
import { just } from '../../../src/engine/entry.ts'
import type { RunHeader } from '../../../src/engine/run-header.ts'
import { addCounters, countersOf, noTasks, specOf, taskView, writingSpec } from '../../../src/engine/views.ts'
import { FleetSecurityPolicy } from '../../../src/protocol/security.ts'
import { allAtOnce } from '../../../src/protocol/steps.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { FleetWorkerSpec } from '../../../src/protocol/worker.ts'
import { task } from '../../support/bench-fleet.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun } from '../../support/decided-run.ts'

const at = '2030-01-01T00:00:00.000Z'
const later = '2030-01-01T00:00:05.000Z'

describe('RU7', () => {
  test('RU7 counters that nothing counts for are all there, and nought', () => {
    expect(Object.keys(noTasks)).toHaveLength(13)
    expect(new Set(Object.values(noTasks))).toEqual(new Set([0]))
  })

  test('RU7 what waits is queued, what is leased is running, what has ended counts as it ended', () => {
    const statuses = [
      ...(['blocked', 'backoff', 'backoff', 'enqueued', 'enqueued', 'enqueued'] as const),
      ...(['starting', 'running', 'running', 'verifying', 'completed', 'completed'] as const),
      ...(['failed', 'failed', 'failed', 'cancelled'] as const),
    ]
    const { run, set } = decidedRun(Object.fromEntries(statuses.map((_, index) => [`t${index}`, {}])))
    for (const [index, status] of statuses.entries()) set(`t${index}`, { status })
    set('t0', { stale: true, restarts: 4 })
    set('t1', { escalated: true })
    expect(countersOf(run)).toEqual({
      ...noTasks,
      ...{ runs: 1, queued: 6, running: 4, completed: 2, failed: 3, cancelled: 1, stale: 1, restarted: 4, escalated: 1 },
    })
    // Each status alone, so that none can stand for another.
    const one = decidedRun({ a: {} })
    for (const status of new Set(statuses)) {
      one.set('a', { status })
      const { runs, queued, running, completed, failed, cancelled } = countersOf(one.run)
      const column = ['blocked', 'backoff', 'enqueued'].includes(status)
        ? { queued: 1 }
        : ['starting', 'running', 'verifying'].includes(status)
          ? { running: 1 }
          : { [status]: 1 }
      const none = { runs: 1, queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }
      expect({ runs, queued, running, completed, failed, cancelled }, status).toEqual({ ...none, ...column })
    }
  })

  test('RU7 the counters of two runs are added one by one', () => {
    const some = Object.fromEntries(Object.keys(noTasks).map((key, index) => [key, index + 1])) as unknown as typeof noTasks
    const sum = Object.fromEntries(Object.keys(noTasks).map((key, index) => [key, 2 * index + 2]))
    expect(addCounters(some, some)).toEqual(sum)
    expect(addCounters(noTasks, some)).toEqual(some)
  })
})

describe('RU6', () => {
  const whole: Partial<RunHeader> = {
    ...{ name: 'A run', labels: { team: 'x' }, target: 'this_computer', workflow: { id: 'w', kind: 'parallel' } },
    ...{ roles: ['builder'], max_workers: 3, worker_defaults: { model: 'm', tools: [], capabilities: [] } },
    ...{ budget: { max_tokens: 9 }, worker_specs: [FleetWorkerSpec.parse({ id: 'w1', name: 'w1', host: { kind: 'local' } })] },
    security_policy: FleetSecurityPolicy.parse({ default_trust_level: 'local', allow_parallel_reads: true }),
  }

  test('RU6 WI2 a run is shown with all that it was created with, unknown fields of a newer version too, and its true instants', async () => {
    const { run, clock, decide } = decidedRun({ a: {} }, { header: { ...whole, open: true, extra: { novel: [1] } } })
    expect(specOf(run).run).toStrictEqual({
      ...{ id: 'r', status: 'queued', task_specs: [], open: true, novel: [1], ...whole },
      ...{ created_at: at, updated_at: at },
    })
    await clock.advance(5_000)
    decide(() =>
      just({ on: 'r', kind: 'run.stepped', run: { status: 'completed', updatedAt: clock.now(), completedAt: clock.now() } }),
    )
    expect(specOf(run).run).toMatchObject({ status: 'completed', created_at: at, updated_at: later, completed_at: later })
  })

  test('RU6 a run that asks for nothing is shown without what it does not ask for', () => {
    expect(specOf(decidedRun({ a: {} }).run).run).toStrictEqual({
      ...{ id: 'r', name: 'r', status: 'queued', task_specs: [], worker_specs: [], labels: {} },
      ...{ created_at: at, updated_at: at },
    })
  })

  test('CO9 tasks whose specs were shortened are named with the entry that holds them whole, the others not', () => {
    const bench = decidedRun({ a: { tags: ['x'] }, b: {} })
    cancel(bench, 'a')
    const seen = specOf(bench.run)
    expect(seen.short).toEqual([{ id: 'a', isShort: true, addedBy: bench.task('a').addedBy }])
    expect(seen.tasks).toEqual([bench.task('a').spec, bench.task('b').spec])
  })

  test('CO9 the specs that were read stand in the places of the short ones, and nothing is shared with what was seen', () => {
    const bench = decidedRun({ a: {}, b: { metadata: { deep: { list: [1] } } } })
    cancel(bench, 'a')
    const seen = specOf(bench.run)
    const read = FleetTaskSpec.parse(task('a', { instructions: 'All of it.' }))
    const written = allAtOnce(writingSpec(seen, new Map([['a', read]])))
    expect(written).toEqual({ ...seen.run, task_specs: [read, bench.task('b').spec] })
    expect(written.task_specs[1]?.metadata['deep']).not.toBe(bench.task('b').spec.metadata['deep'])
  })
})

describe('a task as it is looked at', () => {
  const alert: AlertRecord = {
    ...{ id: 'al', class: 'stale', attempt: 2, channel: 1, status: 'owed', action: 'trigger', worker: 'w1', reason: 'no' },
    ...{ raisedAt: 0, tries: 3, error: 'It said 404.', notBefore: Date.UTC(2030, 0, 1), notBeforeMs: 5 },
  }

  test('EV4 a task that waits is shown with nothing that it has not', () => {
    const { task: of } = decidedRun({ a: { depends_on: ['b'] }, b: {} })
    const nothing = { status: 'enqueued', attempt: 0, depends_on: [] }
    expect(taskView(of('b'))).toStrictEqual({ id: 'b', name: 'b', ...nothing })
    expect(taskView(of('a'))).toStrictEqual({ id: 'a', name: 'a', ...nothing, status: 'blocked', depends_on: ['b'] })
  })

  test('EV4 a task that was at work and ended is shown with its worker, its moments, its result and why', () => {
    const { task: of, set, decide } = decidedRun({ a: { name: 'A task' } })
    const moment = Date.UTC(2030, 0, 1)
    decide(() =>
      just({
        ...{ on: 'r', kind: 'task.stepped', task: 'a', attempt: 2 },
        set: { status: 'failed', attempt: 2, worker: 'w1', notBefore: moment, leasedAt: moment, endedAt: moment, cause: 'no' },
        receipt: { result: 'fail' } as never,
      }),
    )
    const shown = {
      ...{ id: 'a', name: 'A task', status: 'failed', attempt: 2, worker: 'w1', result: 'fail', depends_on: [] },
      ...{ not_before: at, leased_at: at, ended_at: at, cause: 'no' },
    }
    expect(taskView(of('a'))).toStrictEqual(shown)
    // The first moment that there is is one too.
    set('a', { notBefore: 0, leasedAt: 0, endedAt: 0 })
    const first = '1970-01-01T00:00:00.000Z'
    expect(taskView(of('a'))).toMatchObject({ not_before: first, leased_at: first, ended_at: first })
  })

  test('VE5 a partial verdict of a person’s scorer says that it is awaited, until it is settled', () => {
    const { task: of, decide, set } = decidedRun({ a: { scorer: { kind: 'manual' } }, b: {} })
    for (const id of ['a', 'b'])
      decide(() =>
        just({
          ...{ on: 'r', kind: 'task.stepped', task: id, attempt: 1, set: { status: 'completed' } },
          receipt: { result: 'partial' } as never,
        }),
      )
    expect(taskView(of('a'))).toMatchObject({ awaits_verdict: true, result: 'partial' })
    expect(taskView(of('b'))).not.toHaveProperty('awaits_verdict')
    set('a', { settled: true })
    expect(taskView(of('a'))).not.toHaveProperty('awaits_verdict')
  })

  test('AL2 the alerts of a task are shown with where each stands, and why its last delivery failed', () => {
    const channels = [
      { kind: 'webhook', url: 'https://a.example/' },
      { kind: 'slack', url: 'https://b.example/' },
    ]
    const { task: of, decide } = decidedRun({ a: { alert_policy: { channels } } })
    const quiet: AlertRecord = { ...alert, id: 'quiet', channel: 0, status: 'sent', error: null, notBefore: null, tries: 0 }
    const alerts = [alert, quiet].map((set) => ({ id: set.id, set }))
    decide(() => just({ on: 'r', kind: 'alert.ordered', task: 'a', alerts }))
    const about = { class: 'stale', attempt: 2, action: 'trigger' }
    expect(taskView(of('a')).alerts).toStrictEqual([
      { alert_id: 'al', ...about, channel: 'slack', status: 'owed', tries: 3, error: 'It said 404.', not_before: at },
      { alert_id: 'quiet', ...about, channel: 'webhook', status: 'sent', tries: 0 },
    ])
  })
})

function cancel(bench: DecidedRun, id: string): void {
  bench.decide((context, run) => cancelTask(context, run, bench.task(id), { by: 'me', reason: 'no need', cause: null }))
}
