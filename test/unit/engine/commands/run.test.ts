import { expect, test } from 'vitest'
import * as commands from '../../../../src/engine/commands/run.ts'
import type { DecideContext } from '../../../../src/engine/decide.ts'
import type { Changes, Decision, Entry, RunFields } from '../../../../src/engine/entry.ts'
import { specRecord } from '../../../../src/engine/spec-record.ts'
import type { RunHeader } from '../../../../src/engine/run-header.ts'
import type { RunState } from '../../../../src/engine/state.ts'
import type { CommandOutcome } from '../../../../src/protocol/command.ts'
import { FleetTaskSpec } from '../../../../src/protocol/task.ts'
import { task } from '../../../support/bench-fleet.ts'
import { decidedRun } from '../../../support/decided-run.ts'
import type { DecidedRun } from '../../../support/decided-run.ts'
import { said } from '../../../support/drafts.ts'

type Command = (context: DecideContext, run: RunState) => Decision<CommandOutcome>

const specs = (...ids: string[]) => ids.map((id) => FleetTaskSpec.parse(task(id)))
const over = { limit: 'max_tokens', reason: 'It is spent.' } as const
const header: RunHeader = {
  ...{ id: 'n', name: 'n', short: 's', labels: {}, worker_specs: [], open: false, workspace: '/w', createdAt: 5 },
}

/** What a command decides, and what it answers. */
function done(bench: DecidedRun, command: Command) {
  let outcome: CommandOutcome | undefined
  const entries = bench.decide(function* (context, run) {
    outcome = yield* command(context, run)
  })
  return { entries: said(entries), changed: outcome?.changed, message: outcome?.message ?? '' }
}
/** Whoever asked is told, in some words. */
const message = expect.stringMatching(/./) as string
const changed = (entries: unknown[]) => ({ entries, changed: true, message })
const unchanged = { entries: [], changed: false, message }
const steps = ({ entries }: { entries: Partial<Entry>[] }) =>
  entries.map(({ kind, task: id, set, run }) => [id ?? kind, set?.status ?? run?.status])

function be(bench: DecidedRun, run: Partial<RunFields>): DecidedRun {
  bench.decide(function* () {
    yield { on: 'r', kind: 'run.stepped', run }
  })
  return bench
}
const inStatus = (status: RunFields['status']) => be(decidedRun({ a: {} }), { status })
const ends = ['completed', 'failed', 'cancelled'] as const
const stepped = (bench: DecidedRun, run: Partial<RunFields>) => ({
  kind: 'run.stepped',
  run: { pausedFrom: null, updatedAt: bench.clock.now(), completedAt: null, ...run },
})

/** A bench with a run beside its own, as it was created. */
function created(start: boolean, more: Partial<RunHeader> = {}, slice = 1_000) {
  const bench = decidedRun({ a: {} }, { defaults: { taskSlice: slice } })
  const create = (context: DecideContext) => commands.createRun(context, { ...header, ...more }, specs('x', 'y', 'z'), start)
  return { bench, create, entries: said(bench.decide(create)) }
}

test('RU1 a run is created with its tasks, and its last entry opens it; one that is started takes part in leasing', () => {
  const { bench, entries } = created(true)
  const updatedAt = bench.clock.now()
  const tasks = specs('x', 'y', 'z').map((spec) => ({ id: spec.id, spec: specRecord(spec), set: { status: 'enqueued' } }))
  expect(entries).toStrictEqual([
    { kind: 'run.created', created: header, taskCount: 3, run: { updatedAt } },
    { kind: 'tasks.added', run: { updatedAt }, tasks },
    { kind: 'run.opened', run: { opened: true } },
    stepped(bench, { status: 'queued' }),
  ])
  expect(created(false).entries.map(({ kind }) => kind)).toEqual(['run.created', 'tasks.added', 'run.opened'])
})

test('RU2 a second run of one id is refused, and nothing of it is written', () => {
  const { bench, create } = created(false)
  expect(() => bench.decide(create)).toThrow(expect.objectContaining({ code: 'run_exists', message }))
  expect(bench.state.runs.get('n')?.seq).toBe(3)
})

test('RU1 tasks are written in slices, each with the tasks after those of the one before', () => {
  const slices = (slice: number) =>
    created(false, {}, slice).entries.flatMap(({ tasks }) => (tasks === undefined ? [] : [tasks.map(({ id }) => id)]))
  expect(slices(2)).toEqual([['x', 'y'], ['z']])
  expect(slices(3)).toEqual([['x', 'y', 'z']])
})

const openRun = (run: Partial<RunHeader> = {}) => decidedRun({ a: {} }, { header: { open: true, ...run } })
const add =
  (...given: Record<string, unknown>[]): Command =>
  (context, run) =>
    commands.addTasks(context, run, given as FleetTaskSpec[])

test('RU8 an open run takes tasks; one that is sealed, or was never open, refuses them', () => {
  const bench = openRun()
  expect(done(bench, add(...specs('x', 'y')))).toMatchObject(changed([{ kind: 'tasks.added', tasks: [{}, {}] }]))
  expect(done(bench, add())).toEqual(unchanged)
  for (const closed of [decidedRun({ a: {} }), be(openRun(), { sealed: true })])
    expect(() => done(closed, add(...specs('x')))).toThrow(expect.objectContaining({ code: 'run_sealed', message }))
})

test('BU3 a run whose budget is spent takes no more tasks', () => {
  const bench = be(openRun(), { overBudget: over })
  expect(() => done(bench, add(...specs('x')))).toThrow(expect.objectContaining({ code: 'budget_exceeded' }))
  expect(bench.run.tasks.size).toBe(1)
})

test('SC5 a task that is added behind what has ended follows at once: it is queued, or cancelled', () => {
  const behind = (status: Changes['status']) => {
    const bench = openRun()
    bench.set('a', { status, result: 'pass' } as Changes)
    return steps(done(bench, add({ ...specs('x')[0], depends_on: ['a'] })))
  }
  expect(behind('completed')).toEqual([
    ['tasks.added', undefined],
    ['x', 'enqueued'],
  ])
  expect(behind('failed')).toEqual([
    ['tasks.added', undefined],
    ['x', 'cancelled'],
  ])
  expect(behind('enqueued')).toEqual([['tasks.added', undefined]])
})

test('SC5 a dependency may stand behind its dependant, slices later', () => {
  const bench = decidedRun({ a: {} }, { header: { open: true }, defaults: { taskSlice: 1 } })
  done(bench, add({ ...specs('x')[0], depends_on: ['y'] }, ...specs('y')))
  expect([bench.task('x').status, bench.task('y').status]).toEqual(['blocked', 'enqueued'])
})

test('RU3 starting a run of no task that is open ends it; starting it twice changes nothing', () => {
  const bench = inStatus('pending')
  expect(done(bench, commands.startRun)).toEqual(changed([stepped(bench, { status: 'queued' })]))
  expect(done(bench, commands.startRun)).toEqual(unchanged)
  const empty = inStatus('pending')
  empty.set('a', { status: 'cancelled' })
  expect(steps(done(empty, commands.startRun))).toEqual([
    ['run.stepped', 'queued'],
    ['run.stepped', 'cancelled'],
  ])
  for (const status of ends) expect(done(inStatus(status), commands.startRun)).toEqual(unchanged)
})

test.each(['pending', 'queued', 'running'] as const)('RU4 a run that is %s is paused, and goes on from there', (status) => {
  const bench = inStatus(status)
  expect(done(bench, commands.pauseRun)).toEqual(changed([stepped(bench, { status: 'paused', pausedFrom: status })]))
  expect(done(bench, commands.pauseRun)).toEqual(unchanged)
  expect(done(bench, commands.resumeRun)).toEqual(changed([stepped(bench, { status })]))
  expect(done(bench, commands.resumeRun)).toEqual(unchanged)
})

test.each(ends)('RU4 RU5 a run that has ended %s is neither paused, nor resumed, nor cancelled', (status) => {
  const bench = inStatus(status)
  const cancel: Command = (context, run) => commands.cancelRun(context, run, 'me', 'so')
  for (const command of [commands.pauseRun, commands.resumeRun, cancel]) expect(done(bench, command)).toEqual(unchanged)
  expect(bench.task('a').status).toBe('enqueued')
})

test('RU5 cancelling a run ends it first, then each of its open tasks, once, for the reason that was given', () => {
  const bench = be(decidedRun({ a: {}, ended: {}, after: { depends_on: ['a'] } }, { header: { open: true } }), {})
  bench.set('ended', { status: 'completed' })
  const answer = done(bench, (context, run) => commands.cancelRun(context, run, 'me', 'no need'))
  const { entries } = answer
  // Two were open.
  expect(answer).toMatchObject({ changed: true, message: expect.stringMatching(/\s2\s/) as string })
  const cancelled = { set: { status: 'cancelled', cause: 'no need' }, events: [{ state: 'cancelled', cancelled_by: 'me' }] }
  expect(entries).toMatchObject([
    stepped(bench, { status: 'cancelled', completedAt: bench.clock.now(), sealed: true }),
    { task: 'a', ...cancelled },
    { task: 'after', ...cancelled },
  ])
})

test('RU3 RU8 a sealed run takes no more tasks, and ends when none is open', () => {
  const bench = openRun()
  const sealed = { kind: 'run.sealed', run: { sealed: true, updatedAt: bench.clock.now() } }
  expect(done(bench, commands.sealRun)).toEqual(changed([sealed]))
  expect(done(bench, commands.sealRun)).toEqual(unchanged)
  const over = openRun()
  over.set('a', { status: 'completed' })
  expect(steps(done(over, commands.sealRun))).toEqual([
    ['run.sealed', undefined],
    ['run.stepped', 'completed'],
  ])
})

const retry = (bench: DecidedRun) =>
  done(bench, (context, run) => commands.retryFailed(context, run, commands.failedTasks(run, undefined)))

test('LE9 what failed is tried again, all of it or that with a tag; nothing else is', () => {
  const bench = decidedRun({ a: { tags: ['x'] }, b: { tags: ['y'] }, c: { tags: ['x'] }, d: {} })
  expect(retry(bench)).toEqual(unchanged)
  for (const id of ['a', 'b']) bench.set(id, { status: 'failed' })
  bench.set('c', { status: 'cancelled' })
  const failed = (tags?: string[]) => commands.failedTasks(bench.run, tags).map(({ id }) => id)
  expect([failed(), failed(['x']), failed(['z'])]).toEqual([['a', 'b'], ['a'], []])
  const retried = retry(bench)
  expect(retried).toMatchObject({ changed: true, message: expect.not.stringContaining('spent') as string })
  expect(steps(retried)).toEqual([
    ['a', 'enqueued'],
    ['b', 'enqueued'],
  ])
})

test('BU2 LE9 what has nothing left to spend stays failed', () => {
  const bench = decidedRun({ a: { budget: { max_tokens: 5 } }, b: {} })
  for (const id of ['a', 'b']) bench.set(id, { status: 'failed', overBudget: id === 'a' ? over : null })
  const one = retry(bench)
  expect(steps(one)).toEqual([['b', 'enqueued']])
  expect(one.message).toMatch(/1 .* 1 .*spent/)
  expect(retry(bench)).toEqual({ ...unchanged, message: expect.stringMatching(/1 .*spent/) as string })
  expect(bench.task('a').status).toBe('failed')
})
