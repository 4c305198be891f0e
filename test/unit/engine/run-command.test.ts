import { expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import type { Changes, Entry } from '../../../src/engine/entry.ts'
import { performCommand } from '../../../src/engine/run-command.ts'
import type { Decide } from '../../../src/engine/turns.ts'
import type { RunCommand } from '../../../src/protocol/command.ts'
import type { FleetReceipt } from '../../../src/protocol/receipt.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { task } from '../../support/bench-fleet.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun, Specs } from '../../support/decided-run.ts'
import { said } from '../../support/drafts.ts'

interface Commanded extends DecidedRun {
  readonly entries: Entry[]
  /** What the store gives for each sequence. */
  readonly stored: Map<number, Partial<Entry>>
  /** What was done around the decisions, in order. */
  readonly done: string[]
  /** Called when the store is read. */
  whileRead: (() => void) | undefined
  perform(command: Record<string, unknown> & { kind: RunCommand['kind'] }, posted?: string): ReturnType<typeof performCommand>
}

/** A decided run behind an engine that decides at once, with a store that holds what the test says. */
function commanded(specs: Specs = { a: {} }): Commanded {
  const bench = decidedRun(specs, { header: { open: true } })
  const done: string[] = []
  const entries: Entry[] = []
  const stored = new Map<number, Partial<Entry>>()
  const read = async (run: string, { from, limit }: { from: number; limit: number }) => {
    done.push(`read ${run} ${from} ${limit}`)
    if (run !== 'r') return []
    await bench.clock.turn()
    commanded.whileRead?.()
    return [...stored].flatMap(([seq, entry]) => (seq >= from ? [entry] : [])).slice(0, limit)
  }
  const engine = {
    core: { state: bench.state, clock: bench.clock, store: { read }, turns: { nudge: () => done.push('nudge') } },
    use: (id: string, act: (run: unknown) => unknown) => act(bench.state.runs.get(id)),
    settled: async () => void done.push('settled'),
    async command(decide: Decide<unknown>) {
      let answer: unknown
      const made = bench.decide(function* (context) {
        answer = yield* decide(context)
      })
      entries.push(...made)
      done.push('decided')
      return answer
    },
  } as unknown as Engine
  const commanded: Commanded = {
    ...{ ...bench, entries, stored, done, whileRead: undefined },
    perform: async (command, posted) => performCommand(engine, { run_id: 'r', ...command } as unknown as RunCommand, posted),
  }
  return commanded
}

const states = ({ run }: DecidedRun) => [run.status, ...[...run.tasks.values()].map(({ status }) => status)]
const be = (bench: DecidedRun, run: Entry['run']) =>
  bench.decide(function* () {
    yield { on: 'r', kind: 'run.stepped', run }
  })

test.each<[RunCommand['kind'], object, Entry['run'], Changes, string[]]>([
  ['run.start', {}, { status: 'pending' }, {}, ['queued', 'enqueued']],
  ['run.pause', {}, {}, {}, ['paused', 'enqueued']],
  ['run.resume', {}, { status: 'paused', pausedFrom: 'running' }, {}, ['running', 'enqueued']],
  ['run.cancel', { by: 'me' }, {}, {}, ['cancelled', 'cancelled']],
  ['run.seal', {}, {}, { status: 'completed' }, ['completed', 'completed']],
  ['tasks.cancel', { by: 'me', tags: ['x'] }, {}, {}, ['queued', 'cancelled']],
  ['task.cancel', { by: 'me', task_id: 'a' }, {}, {}, ['queued', 'cancelled']],
  ['task.restart', { task_id: 'a' }, {}, { status: 'backoff' }, ['queued', 'enqueued']],
])('ST10 %s does what it says, and tells that something changed', async (kind, more, run, set, after) => {
  const bench = commanded({ a: { tags: ['x'] } })
  bench.set('a', set)
  be(bench, run)
  expect(await bench.perform({ kind, ...more })).toMatchObject({ changed: true })
  expect(states(bench)).toEqual(after)
})

test.each<[RunCommand['kind'], object]>([
  ['run.cancel', {}],
  ['tasks.cancel', { tags: ['x'] }],
  ['task.cancel', { task_id: 'a' }],
])('RU5 %s gives the reason that was given, and a word where none was, with who asked', async (kind, more) => {
  const told = async (reason: object) => {
    const bench = commanded({ a: { tags: ['x'] } })
    await bench.perform({ kind, by: 'Ada', ...more, ...reason })
    const entry = bench.entries.find(({ task: id }) => id === 'a')
    return [entry?.receipt?.evidence, entry?.events?.[0]]
  }
  const event = { state: 'cancelled', cancelled_by: 'Ada' }
  expect(await told({ reason: 'no need' })).toEqual(['no need', event])
  expect(await told({})).toEqual(['cancelled', event])
})

test('LE2 a cancel of one attempt reaches no other', async () => {
  const bench = commanded()
  bench.lease('a')
  await expect(bench.perform({ kind: 'task.cancel', task_id: 'a', by: 'me', attempt: 2 })).rejects.toMatchObject({
    code: 'refused',
  })
  expect(await bench.perform({ kind: 'task.cancel', task_id: 'a', by: 'me', attempt: 1 })).toMatchObject({ changed: true })
})

test('RU1 a command to a run that is not there, or was never opened, is told so', async () => {
  const bench = commanded()
  const unknown = { code: 'unknown_run', message: expect.stringMatching(/./) as string, details: { run_id: 'x' } }
  await expect(bench.perform({ kind: 'run.pause', run_id: 'x' })).rejects.toMatchObject(unknown)
  be(bench, { opened: false })
  await expect(bench.perform({ kind: 'run.pause' })).rejects.toMatchObject({ code: 'unknown_run', details: { run_id: 'r' } })
  expect(bench.run.status).toBe('queued')
})

test('RU1 a run that vanishes before its command is decided is not there either', async () => {
  const bench = commanded()
  bench.task('a').isShort = true
  bench.whileRead = () => bench.state.runs.delete('r')
  await expect(bench.perform({ kind: 'task.restart', task_id: 'a' })).rejects.toMatchObject({
    ...{ code: 'unknown_run', details: { run_id: 'r' } },
  })
})

test.each([
  ['task.cancel', { by: 'me' }],
  ['task.restart', {}],
  ['task.settle', { verdict: { result: 'pass', by: 'me' } }],
] as const)('ST10 %s of a task that is not there is told so', async (kind, more) => {
  const bench = commanded()
  const details = { run_id: 'r', task_id: 'b' }
  await expect(bench.perform({ kind, task_id: 'b', ...more })).rejects.toMatchObject({ code: 'unknown_task', details })
  expect(bench.entries).toEqual([])
})

test('ST10 a posted command counts once: its first entry carries its id, and it is known by that', async () => {
  const bench = commanded({ a: {}, b: {} })
  const cancel = { kind: 'run.cancel', by: 'me' } as const
  await bench.perform(cancel, 'p1')
  expect(bench.entries.map(({ posted }) => posted)).toEqual(['p1', undefined, undefined])
  be(bench, { status: 'running', completedAt: null })
  const { seq } = bench.run
  expect(await bench.perform(cancel, 'p1')).toEqual({ changed: false, message: expect.stringMatching(/./) as string })
  expect(bench.run.seq).toBe(seq)
  expect(await bench.perform(cancel, 'p2')).toMatchObject({ changed: true })
  // What a caller of this process asks has no id.
  const own = commanded()
  await own.perform(cancel)
  expect(said(own.entries).some((entry) => 'posted' in entry)).toBe(false)
})

test.each(['run.start', 'run.resume'] as const)(
  'ST11 a run that is asked by %s to go on is carried on here, and scheduling looks again',
  async (kind) => {
    const bench = commanded()
    be(bench, kind === 'run.start' ? { status: 'pending' } : { status: 'paused', pausedFrom: 'queued' })
    bench.run.carried = false
    await bench.perform({ kind })
    expect(bench.run.carried).toBe(true)
    expect([...bench.state.turns]).toEqual(['r'])
    expect(bench.done).toEqual(['decided', 'nudge'])
  },
)

test('ST11 any other command leaves the run to whoever carries it on', async () => {
  const bench = commanded()
  bench.run.carried = false
  await bench.perform({ kind: 'task.restart', task_id: 'a' })
  expect(bench.run.carried).toBe(false)
  expect(bench.done).toEqual(['decided'])
})

const whole = (id: string, more: object = {}) => FleetTaskSpec.parse(task(id, { instructions: `All of ${id}.`, ...more }))
const after = { depends_on: ['a'] }

/** `a` has failed and `b` was cancelled with it: of both only a short spec is kept. */
function ended(): Commanded {
  const bench = commanded({ a: { tags: ['x'] }, b: after, c: {} })
  bench.set('a', { status: 'failed' })
  bench.set('b', { status: 'cancelled', cause: 'a' })
  const tasks = [whole('a', { tags: ['x'] }), whole('b', after), whole('c')].map((spec) => ({ id: spec.id, spec, set: {} }))
  bench.stored.set(bench.task('a').addedBy, { tasks })
  return bench
}

test.each([
  ['task.restart', { task_id: 'a' }],
  ['run.retry_failed', {}],
  ['run.retry_failed', { tags: ['x'] }],
] as const)('CO9 LE9 %s gives ended tasks their whole specs back, once those are durable: %o', async (kind, more) => {
  const bench = ended()
  expect(await bench.perform({ kind, ...more })).toMatchObject({ changed: true })
  const { addedBy } = bench.task('a')
  expect(bench.done).toEqual(['settled', `read r ${addedBy} 1`, 'decided'])
  expect(['a', 'b'].map((id) => bench.task(id).spec.instructions)).toEqual(['All of a.', 'All of b.'])
  expect(states(bench).slice(1)).toEqual(['enqueued', 'blocked', 'enqueued'])
  // What never ended is not read.
  expect(bench.task('c').spec.instructions).toBe('Do c.')
})

test('LE9 run.retry_failed restarts what failed with one of the tags alone', async () => {
  const bench = ended()
  expect(await bench.perform({ kind: 'run.retry_failed', tags: ['y'] })).toMatchObject({ changed: false })
  expect(bench.done).toEqual(['decided'])
})

test('CO9 LE9 what ends while the specs are read is read in another round', async () => {
  const bench = ended()
  bench.whileRead = () => {
    bench.whileRead = undefined
    bench.set('c', { status: 'failed' })
  }
  await bench.perform({ kind: 'run.retry_failed' })
  expect(bench.done.filter((step) => step.startsWith('read'))).toHaveLength(2)
  expect(bench.done.at(-1)).toBe('decided')
  expect(states(bench).slice(1)).toEqual(['enqueued', 'blocked', 'enqueued'])
  expect(bench.task('c').spec.instructions).toBe('All of c.')
})

test('LE9 ST4 a task whose spec cannot be read is not restarted, and whoever asked is told which', async () => {
  const bench = ended()
  bench.stored.set(bench.task('a').addedBy, { tasks: [{ id: 'a', spec: whole('a'), set: {} }] })
  const lost = { code: 'store_damaged', details: { run_id: 'r', task_id: 'b' } }
  await expect(bench.perform({ kind: 'task.restart', task_id: 'a' })).rejects.toMatchObject(lost)
  expect(bench.entries).toEqual([])
  expect(bench.task('a').status).toBe('failed')
})

const receipt: FleetReceipt = {
  ...{ run_id: 'r', task_id: 'a', worker_id: 'w1', completed_at: '2020-01-01T00:00:00.000Z' },
  ...{ result: 'partial', artifacts: [], evidence: 'Look at it.' },
}

test('VE5 task.settle settles the newest receipt, as the store has it', async () => {
  const bench = commanded({ a: { scorer: { kind: 'manual' } } })
  for (const evidence of ['first', 'last']) {
    bench.decide(function* () {
      yield { on: 'r', kind: 'task.stepped', task: 'a', set: { status: 'completed' }, receipt: { ...receipt, evidence } }
    })
    bench.stored.set(bench.run.seq, { receipt: { ...receipt, evidence } })
  }
  const command = { kind: 'task.settle', task_id: 'a', verdict: { result: 'pass', by: 'Ada' } } as const
  expect(await bench.perform(command, 'p1')).toMatchObject({ changed: true })
  expect(bench.done).toEqual(['settled', `read r ${bench.task('a').receipts[1]} 1`, 'decided'])
  expect(bench.entries[0]).toMatchObject({
    ...{ kind: 'task.settled', posted: 'p1' },
    receipt: { result: 'pass', evidence: 'last', settled: { by: 'Ada' } },
  })
})

test('VE5 task.settle of what has no receipt is refused, and reads none', async () => {
  const bench = commanded()
  const command = { kind: 'task.settle', task_id: 'a', verdict: { result: 'pass', by: 'Ada' } } as const
  await expect(bench.perform(command)).rejects.toMatchObject({ code: 'not_settleable' })
  expect(bench.done).toEqual(['settled'])
})
