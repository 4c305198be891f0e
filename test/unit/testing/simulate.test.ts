import { expect, test } from 'vitest'
import { createTestFleet, faults, script, simulate, worker } from '../../../src/testing/index.ts'
import type { Invariant, Scenario } from '../../../src/testing/index.ts'
import { createFaultSource, faultPoints } from '../../../src/testing/faults.ts'
import { explore } from '../../../src/testing/simulate.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'
import { task } from '../../support/bench-fleet.ts'

const small: Scenario = {
  name: 'small',
  fleet: { workers: [worker('w1', { slots: 2 }).otherwise(script().after('5s').complete())] },
  async play(stage) {
    const tasks = Array.from({ length: stage.upTo(8) }, (_, index) => task(`t${index}`))
    await stage.start({ id: 'run-0', name: 'small', tasks })
    await stage.wait('1m')
  },
}

/** Nobody promises this, so that something breaks: no task is ever given back. */
const neverGivenBack: Readonly<Record<string, Invariant>> = {
  'X1 nothing is given back': {
    entry: ({ entry }) => (entry.events?.some((event) => event.state === 'interrupted') === true ? 'given back' : undefined),
  },
}

test('DE3 a rule that breaks is told with its seed, and made small: one task and one fault are left', async () => {
  const plan = faults({ crash: { probability: 0.05, at: 'both' }, store: { unknown: 0.05 }, messages: { repeat: 0.1 } })
  const { failure } = await explore(small, { seeds: 200, faults: plan, invariants: neverGivenBack })
  expect(failure?.violation.invariant).toBe('X1 nothing is given back')
  expect(failure?.size).toBe(1)
  expect(failure?.faults).toHaveLength(1)
  expect(failure?.faults[0]?.kind).toMatch(/^crash\./)
  const again = await explore(small, {
    seeds: [failure?.seed ?? ''],
    size: failure?.size ?? 0,
    faults: faults({ exactly: failure?.faults ?? [] }),
    invariants: neverGivenBack,
  })
  expect(again.failure?.violation).toEqual(failure?.violation)
})

test('DE3 simulate rejects with the story of what broke, for any test runner', async () => {
  const plan = faults({ exactly: [{ kind: 'crash.after-append', at: 3 }] })
  await expect(simulate(small, { seeds: ['s'], faults: plan, invariants: neverGivenBack })).rejects.toThrow(
    /“small” broke a rule with seed s[^]*X1 nothing is given back[^]*"crash.after-append","at":\d+[^]*seeds: \['s'\][^]*t0#1/,
  )
})

test('DE3 the same seeds see the same faults and the same situations', async () => {
  const plan = faults({ crash: { probability: 0.02 }, messages: { drop: 0.05, delay: 0.1 }, workers: { crash: 0.1, stall: 0.1 } })
  const [first, second] = [await simulate(small, { seeds: 20, faults: plan }), await simulate(small, { seeds: 20, faults: plan })]
  expect(first.faults['worker.stall']).toBeGreaterThan(0)
  expect(second).toEqual(first)
})

test('DE3 every fault strikes where it was told to, and nowhere else', () => {
  for (const [kind, point] of Object.entries(faultPoints)) {
    const source = createFaultSource(faults({ exactly: [{ kind: kind as keyof typeof faultPoints, at: 3 }] }), seededIds('x'))
    const struck = Object.values(faultPoints).map(() => point)
    expect(struck.slice(0, 5).map(() => source.strike(point)?.kind)).toEqual([undefined, undefined, kind, undefined, undefined])
  }
  expect(() => faults({ messages: { drop: 1.5 } })).toThrow(/told.drop is 1.5. Write a number from 0 to 1/)
})

test('DE3 a scenario that fails by itself is a failure with its seed', async () => {
  const broken: Scenario = { ...small, play: () => Promise.reject(new Error('the scenario is wrong')) }
  await expect(simulate(broken, { seeds: ['s'] })).rejects.toThrow(/seed s[^]*the scenario is wrong/)
})

test('DE4 a run that never ends, and of which nobody said that it stalls, breaks a rule', async () => {
  const endless: Scenario = {
    ...small,
    fleet: { workers: [worker('w1')], limits: { attemptTimeoutMs: 1e12 } },
    async play(stage) {
      await stage.start({ id: 'run-0', name: 'r', tasks: [task('a', { not_before: '2999-01-01T00:00:00.000Z' })] })
      await stage.act('nothing comes after it', async () => undefined)
    },
  }
  // It waits for its time, which comes: so it ends.
  expect((await simulate(endless, { seeds: 1 })).situations['a run completed']).toBe(1)
})

test.each([
  ['store.failing', 2],
  ['store.unknown', 2],
  ['store.lost', 2],
  ['store.torn', 2],
  ['crash.before-append', 2],
  ['crash.after-append', 2],
  ['crash.before-effect', 1],
  ['crash.after-effect', 1],
  ['told.drop', 1],
  ['told.repeat', 1],
  ['told.delay', 1],
  ['heard.drop', 1],
  ['heard.repeat', 2],
  ['heard.reorder', 1],
  ['worker.crash', 1],
  ['worker.stall', 1],
  ['clock.jump', 2],
] as const)('DE3 after %s a run ends as if nothing had happened', async (kind, at) => {
  await using fleet = await createTestFleet({
    workers: [worker('w1').otherwise(script().after('2s').complete(1))],
    faults: faults({ exactly: [{ kind, at, ms: 3_600_000 }] }),
  })
  const spec = { id: 'run-0', name: 'r', tasks: [task('a'), task('b', { depends_on: ['a'] })] }
  // The process may die over it, or the store refuse it.
  void fleet.fleet.start(spec, { idempotencyKey: 'k' }).catch(() => undefined)
  await fleet.advance('1m')
  const run = await fleet.start(spec, { idempotencyKey: 'k' })
  await fleet.advanceUntilIdle()
  expect((await (await fleet.run(run.id)).summary()).status).toBe('completed')
  expect(fleet.struck.map((fault) => fault.kind)).toEqual([kind])
})
