import { expect, test } from 'vitest'
import { createInSlices, takeBack } from '../../../src/engine/creation.ts'
import { engineDefaults } from '../../../src/engine/defaults.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import type { RunHeader } from '../../../src/engine/run-header.ts'
import type { Decide } from '../../../src/engine/turns.ts'
import { FleetError } from '../../../src/protocol/errors.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { task } from '../../support/bench-fleet.ts'
import { decidedRun } from '../../support/decided-run.ts'

const header: RunHeader = {
  ...{ id: 'n', name: 'n', short: 's', labels: {}, worker_specs: [], open: false, workspace: '/w', createdAt: 5 },
}
const many = (count: number, characters = 9) =>
  Array.from({ length: count }, (_, at) =>
    FleetTaskSpec.parse(task(`t${at}`, { instructions: 'x'.repeat(characters), ...(at > 0 && { depends_on: [`t${at - 1}`] }) })),
  )

/** Creates a run, and tells what each decision wrote, and what was asked for in between. */
async function create(
  tasks: readonly FleetTaskSpec[],
  { start = false, taskSlice = 1_000, fails = '' }: { start?: boolean; taskSlice?: number; fails?: string } = {},
) {
  const bench = decidedRun({ other: {} }, { defaults: { taskSlice } })
  const told: string[] = []
  const failed = new Error('The store is full.')
  const entries: Entry[] = []
  const engine = {
    core: { defaults: { ...engineDefaults, taskSlice } },
    command: async (decide: Decide<unknown>) => {
      const made = bench.decide((context) => decide(context))
      entries.push(...made)
      const kinds = made.map(({ kind, tasks: added }) => (added === undefined ? kind : `${added.length}`))
      told.push(kinds.join(' '))
      if (told.length.toString() === fails) throw failed
    },
  } as unknown as Engine
  const hooks = {
    turn: async () => {
      told.push('turn')
      if (told.length.toString() === fails) throw failed
    },
    takeBack: (id: string) => told.push(`take back ${id}`),
  }
  const error = await createInSlices(engine, { header, tasks, start }, hooks).catch((thrown: unknown) => thrown)
  return { told, error, entries, failed, run: bench.state.runs.get('n') }
}
const slices = async (...given: Parameters<typeof create>) => (await create(...given)).told.filter((step) => step !== 'turn')

test('RU1 a run that fits into one slice is one decision, without a turn', async () => {
  expect((await create(many(3), { start: true })).told).toEqual(['run.created 3 run.opened run.stepped'])
  expect((await create(many(1_000))).told).toEqual(['run.created 1000 run.opened'])
})

test('RU1 a longer one is begun with its first slice, a slice a decision, each after a turn, and opened last', async () => {
  const { told, error, run, entries } = await create(many(600), { taskSlice: 599 })
  const turned = ['run.created 250', '250', '100', 'run.opened'].flatMap((step) => ['turn', step])
  expect(told).toEqual(turned)
  expect(error).toBe(undefined)
  expect(entries[0]).toMatchObject({ created: header, taskCount: 600 })
  expect(run?.tasks.size).toBe(600)
  // Behind the first, each waits for the one before: nothing was freed.
  expect(run?.counts).toMatchObject({ enqueued: 1, blocked: 599 })
  const started = await create(many(3), { taskSlice: 2, start: true })
  expect(started.told).toEqual(['turn', 'run.created 2', 'turn', '1', 'turn', 'run.opened run.stepped'])
})

test('RU1 no slice has more tasks than the option allows, or than many that are written together', async () => {
  expect(await slices(many(5), { taskSlice: 2 })).toEqual(['run.created 2', '2', '1', 'run.opened'])
  expect(await slices(many(4), { taskSlice: 2 })).toEqual(['run.created 2', '2', 'run.opened'])
  expect(await slices(many(1_001))).toEqual(['run.created 250', '250', '250', '250', '1', 'run.opened'])
})

test('RU1 tasks with much in them make short slices, and one that is too heavy is a slice of its own', async () => {
  // Over a million characters together.
  expect(await slices(many(6, 200_000))).toEqual(['run.created 1', '1', '1', '1', '1', '1', 'run.opened'])
  expect(await slices(many(12, 100_000))).toEqual(['run.created 2', '2', '2', '2', '2', '2', 'run.opened'])
  expect(await slices(many(2, 600_000))).toEqual(['run.created 1', '1', 'run.opened'])
  // Control: less than that is one.
  expect(await slices(many(5, 200_000))).toEqual(['run.created 5 run.opened'])
  expect(await slices(many(1, 2_000_000))).toEqual(['run.created 1 run.opened'])
})

test.each(['1', '2'])('RU1 what fails at its beginning (step %s) has begun nothing that is to be taken back', async (fails) => {
  const { told, error, failed } = await create(many(5), { taskSlice: 2, fails })
  expect(error).toBe(failed)
  expect(told).toHaveLength(Number(fails))
})

test.each(['3', '4', '5', '6', '7', '8'])(
  'RU1 what fails later (step %s) is taken back, and the caller is told',
  async (fails) => {
    const { told, error, failed } = await create(many(5), { taskSlice: 2, fails })
    expect(error).toBe(failed)
    expect(told.slice(Number(fails))).toEqual(['take back n'])
  },
)

/** An engine that refuses some looks and removals before it does as it is told. */
function takingBack({ opened = false, missing = false, refusals = [] as unknown[] } = {}) {
  const clock = createVirtualClock()
  const closed = new AbortController()
  const discarded: string[] = []
  const begun = clock.now()
  const tries: number[] = []
  const engine = {
    core: { clock },
    async look(_: string, view: (run: unknown) => unknown) {
      tries.push(clock.now() - begun)
      return view(missing ? undefined : { opened })
    },
    async discard(run: string) {
      if (refusals.length > 0) throw refusals.shift()
      discarded.push(run)
    },
  } as unknown as Engine
  let isDone = false
  const done = takeBack(engine, 'n', closed.signal).then(() => (isDone = true))
  return { clock, closed, discarded, tries, done, isDone: () => isDone }
}

test('RU1 what is there of a creation is taken back; what is not, or was opened after all, is left', async () => {
  const bench = takingBack()
  await bench.done
  expect(bench.discarded).toEqual(['n'])
  for (const left of [takingBack({ opened: true }), takingBack({ missing: true })]) {
    await left.done
    expect(left.discarded).toEqual([])
  }
})

test('RU1 a store that refuses is asked again, after longer and longer waits, but never longer than five seconds', async () => {
  const refusals = Array.from({ length: 10 }, () => new FleetError('not_stored', 'It is full.'))
  const bench = takingBack({ refusals })
  await bench.clock.advance('60s')
  const waits = bench.tries.slice(1).map((at, index) => at - (bench.tries[index] ?? 0))
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
  expect(bench.discarded).toEqual(['n'])
  expect(bench.isDone()).toBe(true)
})

test('RU1 LE10 a store that belongs to somebody else by now is left to them', async () => {
  const bench = takingBack({ refusals: [new FleetError('store_conflict', 'It is theirs.'), new Error('again')] })
  await bench.done
  expect([bench.tries.length, bench.discarded]).toEqual([1, []])
})

test('CO8 RU1 a closed fleet takes back once more, without a wait, and waits for no store', async () => {
  const bench = takingBack({ refusals: [new Error('full'), new Error('full')] })
  await bench.clock.settle()
  expect(bench.isDone()).toBe(false)
  bench.closed.abort()
  await bench.clock.settle()
  expect([bench.isDone(), bench.tries, bench.discarded]).toEqual([true, [0, 0], []])
})
