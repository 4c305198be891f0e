import { describe, expect, test } from 'vitest'
import type { Core } from '../../../src/engine/core.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import { createRunMemory } from '../../../src/engine/run-memory.ts'
import type { RunState } from '../../../src/engine/state.ts'
import type { Store } from '../../../src/ports/store.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { task } from '../../support/bench-fleet.ts'
import { workerBench } from '../../support/worker-bench.ts'

const header = {
  ...{ name: 's', short: 's', labels: {}, worker_specs: [], open: false, workspace: '/w', createdAt: 1 },
} as const
const added = (id: string, set: object) => ({ id, spec: FleetTaskSpec.parse(task(id)), set })

/** The entries of a run that stands so, with tasks of such statuses. */
function entriesOf(id: string, status: RunState['status'], ...statuses: readonly string[]): readonly Entry[] {
  return [
    { seq: 1, at: 1, kind: 'run.created', created: { ...header, id }, taskCount: 1 },
    { seq: 2, at: 1, kind: 'tasks.added', tasks: statuses.map((one, index) => added(`t${index}`, { status: one, worker: 'w' })) },
    { seq: 3, at: 1, kind: 'run.opened', run: { opened: true, status } },
  ] as readonly Entry[]
}

/** Runs in a store, and a memory of them. What it did is told: what it read, armed and recovered. */
function remembering(inStore: Readonly<Record<string, readonly Entry[]>> = { s: entriesOf('s', 'completed', 'completed') }) {
  const bench = workerBench([], { a: {} })
  const done: string[] = []
  const storeOf = (name: string): Store =>
    ({
      loadSnapshot: (run: string) => (done.push(`${name} ${run}`), Promise.resolve(undefined)),
      read: (run: string, { from }: { from: number }) => Promise.resolve((inStore[run] ?? []).filter(({ seq }) => seq >= from)),
    }) as unknown as Store
  const taking = new Set<string>()
  const core: Core = { ...bench.core, store: storeOf('read'), shown: storeOf('looked at') }
  const memory = createRunMemory(core, {
    workers: bench.workers,
    effects: {} as never,
    watch: { arm: (_: unknown, { id }: { id: string }) => void done.push(`arm ${id}`) } as never,
    alerts: { recover: ({ header: of }: RunState) => void done.push(`alerts of ${of.id}`) } as never,
    snapshots: { isTaking: (run: string) => taking.has(run) } as never,
  })
  /** A use that goes on until it is ended. */
  const using = (id: string) => {
    const use: { run?: RunState; end: () => Promise<void>; fail: (error: Error) => void } = {
      end: () => Promise.resolve(),
      fail: () => undefined,
    }
    const over = memory.use(id, (run) => {
      if (run !== undefined) use.run = run
      return new Promise<string>((resolve, reject) => {
        use.end = async () => {
          resolve('the answer')
          expect(await over).toBe('the answer')
        }
        use.fail = reject
      })
    })
    return Object.assign(use, { over })
  }
  return { ...bench, core, memory, done, taking, using, has: (id: string) => bench.state.runs.has(id) }
}

describe('a use', () => {
  test('CO9 of a run in memory it reads nothing, and the run is the one that is there', async () => {
    const { using, run, done, clock, has } = remembering()
    const use = using('r')
    await clock.settle()
    expect([use.run, done]).toEqual([run, []])
    await use.end()
    // It has not ended.
    expect(has('r')).toBe(true)
  })

  test('CO9 a run that has ended is read and put back to work once for all who ask, and goes with the last of them', async () => {
    const { using, done, clock, has } = remembering()
    const [first, second] = [using('s'), using('s')]
    await clock.settle()
    expect(done).toEqual(['read s', 'alerts of s', 'arm t0'])
    expect(first.run).toBe(second.run)
    // Something may be restarted in it: then it is this fleet's.
    expect([first.run?.carried, has('s')]).toEqual([true, true])
    await first.end()
    expect(has('s')).toBe(true)
    const third = using('s')
    await second.end()
    expect(has('s')).toBe(true)
    await third.end()
    expect([has('s'), done.length]).toEqual([false, 3])
    using('s')
    await clock.settle()
    expect(done.filter((one) => one === 'read s')).toHaveLength(2)
  })

  test('ST11 a run that somebody asks something of, and that has not ended, is not carried on for that', async () => {
    const { using, clock, has } = remembering({ s: entriesOf('s', 'running', 'enqueued') })
    const use = using('s')
    await clock.settle()
    expect(use.run?.carried).toBe(false)
    await use.end()
    expect(has('s')).toBe(true)
  })

  test('CO9 whoever comes while a run is put back to work waits until it is', async () => {
    const many = Array.from({ length: 300 }, () => 'completed')
    const { using, clock, core, has } = remembering({ s: entriesOf('s', 'completed', ...many) })
    const turns: (() => void)[] = []
    core.clock.turn = () => new Promise((resolve) => turns.push(resolve))
    const first = using('s')
    await clock.settle()
    // It is in the state already, though not all of it is put back to work.
    expect([has('s'), turns.length, first.run]).toEqual([true, 1, undefined])
    const second = using('s')
    await clock.settle()
    expect(second.run).toBeUndefined()
    turns[0]?.()
    await clock.settle()
    expect([first.run?.header.id, second.run?.header.id]).toEqual(['s', 's'])
  })

  test('CO9 a run that is not there is none, and a use that fails rejects and lets go all the same', async () => {
    const { using, clock, memory, has } = remembering()
    const heard: unknown[] = []
    await memory.use('unknown', (run) => Promise.resolve(heard.push(run)))
    expect(heard).toEqual([undefined])
    const use = using('s')
    await clock.settle()
    use.fail(new Error('It broke.'))
    await expect(use.over).rejects.toThrow('It broke.')
    expect(has('s')).toBe(false)
  })
})

describe('letting go', () => {
  /** Whether a run that has ended leaves, if this is so of it. */
  async function leaves(so: (bench: ReturnType<typeof remembering>, run: RunState) => void): Promise<boolean> {
    const bench = remembering()
    const { run, set, state, memory } = bench
    set('a', { status: 'completed' })
    Object.assign(run, { status: 'completed', durableSeq: run.seq, unsettled: 0 })
    so(bench, run)
    memory.letGo('r')
    return !state.runs.has('r')
  }

  test('CO9 a run that has ended leaves, and one that is not there is no matter', async () => {
    expect(await leaves(() => undefined)).toBe(true)
    expect(await leaves(({ memory }) => memory.letGo('unknown'))).toBe(true)
  })

  test('CO9 it stays while it has not ended, owes something, is not durable, or anything of it is under way', async () => {
    expect(await leaves((_, run) => (run.status = 'running'))).toBe(false)
    expect(await leaves(({ set }, run) => (set('a', { status: 'enqueued' }), (run.durableSeq = run.seq)))).toBe(false)
    expect(await leaves((_, run) => (run.unsettled = 1))).toBe(false)
    expect(await leaves((_, run) => (run.durableSeq = run.seq - 1))).toBe(false)
    expect(await leaves(({ using }) => void using('r'))).toBe(false)
    expect(await leaves(({ begin }) => void begin('a'))).toBe(false)
    expect(await leaves(({ taking }) => void taking.add('r'))).toBe(false)
    // Those of another run are no matter.
    expect(await leaves(({ taking, using }) => (taking.add('s'), using('s')))).toBe(true)
  })
})

describe('reading', () => {
  test('ST11 a run that was granted is read once, to be carried on, and is put back to work by whoever asked', async () => {
    const { memory, done } = remembering({ s: entriesOf('s', 'running', 'enqueued') })
    const [first, second] = await Promise.all([memory.read('s'), memory.read('s')])
    expect(first?.carried).toBe(true)
    expect(second).toBe(first)
    expect(await memory.read('s')).toBe(first)
    expect(done).toEqual(['read s'])
    expect(await memory.read('unknown')).toBeUndefined()
  })

  test('CO1 a run that is read again has its waits armed and its alerts delivered again; its last sequence is given', async () => {
    const { memory, done, state } = remembering({ s: entriesOf('s', 'running', 'enqueued', 'blocked') })
    expect(await memory.reload('s', false)).toBe(3)
    expect(state.runs.get('s')?.carried).toBe(false)
    expect(done).toEqual(['read s', 'arm t0', 'arm t1', 'alerts of s'])
    expect(await memory.reload('s', true)).toBe(3)
    expect(state.runs.get('s')?.carried).toBe(true)
    expect(await memory.reload('unknown', true)).toBe(0)
  })

  test('WO1 the stream of the fleet is read again too, as what it is', async () => {
    const record = { id: 'w1', incarnation: 'i', draining: false, retired: false }
    const { memory, state } = remembering({ fleet: [{ seq: 7, at: 1, kind: 'worker.registered', record }] })
    expect(await memory.reload('fleet', true)).toBe(7)
    expect([[...state.workers.values()], state.runs.size]).toEqual([[record], 1])
  })

  test('CO9 whoever only looks reads what is shown, and nothing enters the memory', async () => {
    const { memory, done, has } = remembering()
    const seen = await memory.look('s')
    expect([seen?.header.id, seen?.carried, seen?.counts.completed]).toEqual(['s', false, 1])
    expect([done, has('s')]).toEqual([['looked at s'], false])
    expect(await memory.look('unknown')).toBeUndefined()
  })
})
