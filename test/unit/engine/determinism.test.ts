import { expect, test } from 'vitest'
import { fold } from '../../../src/engine/fold.ts'
import { loadRun } from '../../../src/engine/run-loader.ts'
import { recordsOf } from '../../../src/engine/snapshot.ts'
import { createFleetState } from '../../../src/engine/state.ts'
import { openControl } from '../../../src/fleet/control.ts'
import type { Run } from '../../../src/fleet/run-handle.ts'
import type { MemoryStore } from '../../../src/store/memory.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { BenchFleet } from '../../support/bench-fleet.ts'
import { journalOf } from '../../support/journal.ts'

/** Everything that the rules know: retries, restarts, cancels, dependencies, pauses, waits, a lost host, late words, a settled verdict. */
async function rich(options: Parameters<typeof openBench>[0] = {}): Promise<BenchFleet & { readonly runs: readonly Run[] }> {
  const bench = await openBench({
    slots: 2,
    limits: { jitter: true },
    files: memoryFiles({ '/w/out.txt': 'ok' }),
    workspace: '/w',
    ...options,
  })
  const { fleet, clock, transport } = bench
  const first = await fleet.start(
    {
      name: 'first',
      labels: { team: 'x' },
      tasks: [
        task('plan', { scorer: { kind: 'manual' } }),
        task('build', { depends_on: ['plan'], retry_policy: { max_attempts: 3, initial_backoff_seconds: 2 } }),
        task('check', { depends_on: ['build'], scorer: { kind: 'file_exists', path: 'out.txt' } }),
        task('later', { not_before: new Date(clock.now() + 3_600_000).toISOString(), metadata: { priority: -1 } }),
        task('dead'),
        task('after-dead', { depends_on: ['dead'] }),
      ],
    },
    { idempotencyKey: 'k1' },
  )
  const second = await fleet.create({ id: 'second', name: 'second', open: true, max_workers: 1, tasks: [task('x'), task('y')] })
  await second.start()
  await clock.settle()
  transport.attempt('plan').accept()
  transport.attempt('plan').send({ type: 'log', text: 'thinking' } as never)
  transport.attempt('plan').send({ type: 'usage', input_tokens: 5, output_tokens: 6 } as never)
  transport.attempt('plan').complete({ output: { steps: [1, 2] }, summary: 'planned' })
  await clock.settle()
  await first.settle('plan', { result: 'pass', by: 'ada', why: 'good' })
  await clock.settle()
  for (const held of transport.attempts.filter((one) => one.assign.task_id === 'dead')) held.fail('never', { recoverable: false })
  await clock.settle()
  await second.add([task('z')])
  await second.pause()
  await clock.settle()
  const build = transport.attempts.find((one) => one.assign.task_id === 'build')
  build?.accept()
  build?.send({ type: 'progress', event: { state: 'running_tool', tool: 'make', call_id: 'c1' } } as never)
  build?.fail('no compiler')
  await clock.advance(5_000)
  transport.drop('w1', 'power cut')
  await clock.advance(10_000)
  await first.restart('build')
  await clock.settle()
  for (const held of transport.attempts.filter((one) => one.stopped !== undefined)) held.confirm()
  await clock.settle()
  transport.attempt('build').complete({ exit_code: 0 })
  await clock.settle()
  await second.resume()
  await second.cancelTask('x', { by: 'ada', reason: 'not needed' })
  await clock.settle()
  for (const held of transport.attempts.filter((one) => one.stopped !== undefined)) held.confirm()
  await clock.advance(100_000)
  for (let round = 0; round < 3; round += 1) {
    for (const held of transport.attempts.filter((one) => one.stopped !== undefined)) held.confirm()
    for (const held of transport.attempts.filter((one) => one.stopped === undefined)) held.complete({ exit_code: 0 })
    await clock.advance(10_000)
  }
  return { ...bench, runs: [first, second] }
}

async function everything(store: MemoryStore): Promise<string> {
  const rows = [...(await store.runs())].sort((a, b) => (a.id < b.id ? -1 : 1))
  const journals = await Promise.all(['fleet', ...rows.map((row) => row.id)].map((id) => journalOf(store, id)))
  return JSON.stringify({ rows, journals }, null, 1)
}

/** All that a reader can learn of a run, but for what concerns this process's workers alone. */
async function told(run: Pick<Run, 'spec' | 'summary' | 'tasks' | 'receipts' | 'artifacts' | 'explain'>): Promise<unknown> {
  const { workers: _, ...summary } = await run.summary()
  const tasks = await run.tasks()
  const explained = await Promise.all(tasks.map(({ id }) => run.explain(id)))
  return {
    spec: await run.spec(),
    summary,
    tasks,
    receipts: await run.receipts(),
    artifacts: await run.artifacts(),
    // Which workers could take it, only the fleet itself can tell.
    explained: explained.map(({ task_id, status, waits }) => ({
      task_id,
      status,
      waits: waits.filter((wait) => wait.for !== 'not_carried' && wait.for !== 'slot'),
    })),
  }
}

test('CO2 DE1 two fleets of one seed and one script write byte-identical journals', async () => {
  const [one, two] = [await rich(), await rich()]
  const text = await everything(one.store)
  expect(await everything(two.store)).toBe(text)
  // The script is worth it.
  expect(text.length).toBeGreaterThan(10_000)
  expect((await one.runs[0]?.tasks())?.map((view) => view.status)).toEqual([
    'completed',
    'completed',
    'completed',
    'backoff',
    'failed',
    'cancelled',
  ])
  for (const status of ['backoff', 'cancelled', 'completed', 'failed', 'verifying', 'paused'])
    expect(text).toContain(`"${status}"`)
})

test('CO2 another seed gives other ids and other draws', async () => {
  const [one, two] = [await rich({ seed: 'one' }), await rich({ seed: 'two' })]
  expect(two.runs[0]?.id).not.toBe(one.runs[0]?.id)
  const waits = async ({ store, runs }: typeof one) =>
    (await journalOf(store, runs[0]?.id ?? '')).flatMap((entry) => entry.set?.notBeforeMs ?? [])
  expect(await waits(two)).not.toEqual(await waits(one))
})

test('CO2 ids of one seed never collide after a crash (W25)', async () => {
  const seed = 'the same'
  const ids = new Set<string>()
  let bench = await openBench({ seed })
  const incarnations: string[] = []
  for (let life = 0; life < 4; life += 1) {
    for (let n = 0; n < 3; n += 1) ids.add((await bench.fleet.create({ name: 'r', tasks: [task('a')] })).id)
    const store = bench.store.peer()
    bench.store.crash()
    incarnations.push(...(await journalOf(store, 'fleet')).slice(-1).map((entry) => entry.record?.incarnation ?? ''))
    bench = await openBench({ store, clock: bench.clock, seed })
  }
  expect(ids.size).toBe(12)
  expect(new Set(incarnations).size).toBe(4)
})

test('CO4 folding the journal from scratch gives the state that the fleet had live (L1, L25, L26)', async () => {
  const { store, runs } = await rich()
  for (const run of runs) {
    const control = openControl(store.peer())
    expect(await told(control.run(run.id))).toEqual(await told(run))
  }
})

test('CO4 a snapshot and the entries after it give the same state, wherever the snapshot was taken (L24, L25, W12)', async () => {
  const { store, runs } = await rich()
  for (const { id } of runs) {
    const journal = await journalOf(store, id)
    const whole = createFleetState()
    for (const entry of journal) fold(whole, id, entry)
    const wanted = comparable(recordsOf(whole.runs.get(id)!))
    const partial = createFleetState()
    for (const [index, entry] of journal.entries()) {
      fold(partial, id, entry)
      const run = partial.runs.get(id)
      if (run === undefined || index % 3 !== 0) continue
      const reader = store.peer()
      const records = JSON.parse(JSON.stringify(recordsOf(run))) as ReturnType<typeof recordsOf>
      const snapshot = { seq: run.seq, records }
      const state = createFleetState()
      const loaded = await loadRun(
        state,
        { store: { ...reader, loadSnapshot: async () => snapshot, read: reader.read.bind(reader) }, clock: createVirtualClock() },
        id,
        true,
      )
      if (loaded === undefined) throw new Error(`The run ${id} cannot be loaded from a snapshot.`)
      expect(comparable(recordsOf(loaded))).toEqual(wanted)
      // What is derived is derived the same.
      const live = whole.runs.get(id)!
      expect({ counts: loaded.counts, working: loaded.working, open: openDependencies(loaded) }).toEqual({
        counts: live.counts,
        working: live.working,
        open: openDependencies(live),
      })
      expect([...state.holdings]).toEqual([...whole.holdings])
    }
  }

  function openDependencies(run: NonNullable<ReturnType<typeof whole>>): unknown {
    return [...run.tasks.values()].map((one) => one.openDependencies)
  }

  function whole() {
    return createFleetState().runs.get('')
  }

  function comparable(snapshot: ReturnType<typeof recordsOf>): unknown {
    return JSON.parse(JSON.stringify(snapshot))
  }
})

test('CO4 a fleet that opens the store, with its snapshots or without, tells the same and goes on to the same end', async () => {
  const ends: unknown[] = []
  for (const how of ['crash', 'close'] as const) {
    const bench = await rich({ seed: 'one' })
    const { clock } = bench
    const before = await Promise.all(bench.runs.map((run) => told(run)))
    const store = bench.store.peer()
    if (how === 'crash') bench.store.crash()
    else {
      const closing = bench.fleet.close({ graceMs: 0 })
      await clock.advance(20_000)
      await closing
    }
    const second = await openBench({
      store,
      clock,
      seed: 'two',
      leasing: false,
      files: memoryFiles({ '/w/out.txt': 'ok' }),
      workspace: '/w',
    })
    const runs = await Promise.all(bench.runs.map((run) => second.fleet.run(run.id)))
    const after = await Promise.all(runs.map((run) => told(run)))
    const comparable = (of: unknown) =>
      (of as { spec: { task_specs: unknown; created_at: string }; receipts: unknown }[]).map(({ spec, receipts }) => [
        spec.task_specs,
        spec.created_at,
        receipts,
      ])
    expect(comparable(after)).toEqual(comparable(before))
    ends.push(comparable(after))
  }
  expect(ends[1]).toEqual(ends[0])
})

test('CO4 an entry carries the changed fields of the records that it names; the one that ends an attempt holds its receipt', async () => {
  const { store, runs } = await rich()
  for (const run of runs) {
    for (const entry of await journalOf(store, run.id)) {
      // Only creation and add carry tasks, and only new ones.
      if (entry.tasks !== undefined) expect(entry.kind).toBe('tasks.added')
      expect(JSON.stringify(entry.set ?? {})).not.toMatch(/"(spec|receipts|artifacts|workerSeqs|tasks)"/)
      const ended = entry.set?.status
      if (ended === 'completed' || ended === 'failed' || ended === 'cancelled')
        expect(entry.receipt, `${entry.seq}`).toBeDefined()
    }
    // Records hold only the sequence of a receipt.
    const state = createFleetState()
    const loaded = await loadRun(state, { store, clock: createVirtualClock() }, run.id, false)
    const snapshot = JSON.stringify(recordsOf(loaded!))
    for (const receipt of await run.receipts())
      if (receipt.evidence !== undefined) expect(snapshot).not.toContain(`"evidence":${JSON.stringify(receipt.evidence)}`)
    expect(loaded!.tasks.get(run.id === 'second' ? 'x' : 'build')?.receipts.every(Number.isInteger)).toBe(true)
  }
})

test('CO4 folding runs no machine: an entry of an older version that no machine would accept today still folds', async () => {
  const { store, runs } = await rich()
  const id = runs[0]?.id ?? ''
  const [created, ...rest] = await journalOf(store, id)
  const state = createFleetState()
  fold(state, id, created!)
  for (const entry of rest.filter((one) => one.kind === 'tasks.added')) fold(state, id, entry)
  // From blocked to completed at once.
  fold(state, id, { seq: 99, at: 0, kind: 'task.stepped', task: 'check', attempt: 1, set: { status: 'completed', attempt: 1 } })
  expect(state.runs.get(id)?.tasks.get('check')?.status).toBe('completed')
  // What is not newer than a record changes nothing of it (ST2).
  fold(state, id, { seq: 98, at: 0, kind: 'task.stepped', task: 'check', attempt: 1, set: { status: 'failed' } })
  expect(state.runs.get(id)?.tasks.get('check')?.status).toBe('completed')
})

test('CO4 a task of any id is kept and told like any other', async () => {
  const { fleet, clock, transport, store } = await openBench()
  for (const id of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const run = await fleet.start({ id, name: id, tasks: [task(id, { scorer: { kind: 'exit_code' } })] })
    await clock.settle()
    transport.attempt(id).complete({ exit_code: 0 })
    await clock.settle()
    expect(Object.entries((await run.result()).receipts)).toMatchObject([[id, { result: 'pass' }]])
    expect(await run.summary()).toMatchObject({ status: 'completed', completed: 1 })
    expect(await openControl(store.peer()).run(id).tasks()).toEqual(await run.tasks())
  }
})
