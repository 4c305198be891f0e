import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FleetError, FleetRunSpec, parseTasks, type Json } from '../../../src/protocol/index.ts'
import { parsingRunSpec } from '../../../src/protocol/run-spec.ts'
import { allAtOnce, inSlices, type Resting, type Steps } from '../../../src/protocol/steps.ts'
import { parsingTasks } from '../../../src/protocol/task-list.ts'
import { fullTask, minimalTask, samples } from './samples.ts'
import { spoilings } from './spoilings.ts'

/** A clock that counts the turns that were taken; time goes on only when the work says so. */
function countingClock(): Resting & { now: number; turns: number } {
  return {
    now: 0,
    turns: 0,
    monotonic() {
      return this.now
    },
    async turn() {
      this.turns += 1
    },
  }
}

const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...minimalTask, id: `t${index}` }))

/** The value as text, so that the order of its members counts; or everything that the error says. */
function outcomeOf(read: () => unknown): unknown {
  try {
    return JSON.stringify(read())
  } catch (error) {
    if (FleetError.is(error)) return [error.code, error.message, error.details]
    throw error
  }
}

describe('slices', () => {
  test('RU1 work of a single slice is done before the call returns, without a turn', () => {
    const clock = countingClock()
    let left = 249
    function* work(): Steps {
      for (; left > 0; left -= 1) yield
    }
    void inSlices(work(), clock)
    expect([left, clock.turns]).toEqual([0, 0])
  })

  test('RU1 long work rests after 250 steps, and after 8 ms where the steps are long', async () => {
    const clock = countingClock()
    function* work(ms: number): Steps<string> {
      for (let step = 0; step < 1_000; step += 1) {
        clock.now += ms
        yield
      }
      return 'done'
    }
    expect([await inSlices(work(0), clock), clock.turns]).toEqual(['done', 4])
    clock.turns = 0
    expect([await inSlices(work(4), clock), clock.turns]).toEqual(['done', 500])
  })

  test('RU1 what the work throws, and what a turn rejects with, is passed on, and the work goes no further', async () => {
    const failing = (function* (): Steps {
      yield
      throw new Error('broken')
    })()
    await expect(inSlices(failing, countingClock())).rejects.toThrow('broken')
    let taken = 0
    const endless = (function* (): Steps {
      for (;;) {
        taken += 1
        yield
      }
    })()
    const closed = { monotonic: () => 0, turn: () => Promise.reject(new Error('closed')) }
    await expect(inSlices(endless, closed)).rejects.toThrow('closed')
    expect(taken).toBe(250)
  })
})

describe('reading in steps', () => {
  const full = samples.find(({ contract }) => contract.typeName === 'FleetRunSpec')!.canonical.at(-1)!
  const odd = fc.constantFrom<unknown>(undefined, null, 1, 'x', [], {}, [null], () => 1, 1n, Number.NaN, new Date(0))
  const ids = fc.constantFrom('a', 'b', 'c', 'd', '.', '')
  const member = fc.record(
    {
      depends_on: fc.oneof({ weight: 4, arbitrary: fc.array(ids, { maxLength: 3 }) }, odd),
      worker: fc.oneof(fc.record({ role: fc.oneof(ids, odd), profile: ids, agent_profile: ids }, { requiredKeys: [] }), odd),
      workspace: fc.oneof(
        fc.record({ root: fc.constantFrom('..', 'a', null), required_files: fc.array(fc.constantFrom('../x', 'x', '/x')) }),
        odd,
      ),
      input_files: fc.oneof(fc.array(fc.constantFrom('../x', 'x', '')), odd),
      scorer: fc.oneof(fc.constantFrom<unknown>({ kind: 'file_exists', path: '../x' }, { kind: 'none' }, {}), odd),
      retry_policy: fc.oneof(fc.constantFrom<unknown>({ max_attempts: -1 }, {}), odd),
      input: odd,
      unknown: odd,
    },
    { requiredKeys: [] },
  )
  const oneTask = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(ids, member).map(([id, more]): unknown => ({ ...minimalTask, id, ...more })) },
    { weight: 1, arbitrary: odd },
  )
  const tasks = fc.array(oneTask, { maxLength: 6 })
  const document = fc.record(
    {
      name: fc.oneof({ weight: 6, arbitrary: fc.constant<unknown>('R') }, odd),
      tasks: fc.oneof({ weight: 8, arbitrary: tasks as fc.Arbitrary<unknown> }, odd),
      roles: fc.oneof(fc.constantFrom<unknown>(['a'], [], null, ['a', 1]), odd),
      workers: odd,
      worker_specs: fc.oneof(fc.constantFrom<unknown>([], [{ id: 'w' }, { id: 'w' }]), odd),
      open: fc.constantFrom<unknown>(true, false, 'yes'),
      unknown: odd,
    },
    { requiredKeys: ['tasks'] },
  )

  test('WI6 a run is read in steps as at once: the same value, or the same problems in the same order', () => {
    let valid = 0
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: document as fc.Arbitrary<unknown> }, odd), (input) => {
        const whole = outcomeOf(() => FleetRunSpec.parse(input))
        expect(outcomeOf(() => allAtOnce(parsingRunSpec(input)))).toEqual(whole)
      }),
      { numRuns: 1_000 },
    )
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }), fc.boolean(), (names, open) => {
        const input = { name: 'R', open, tasks: names.map((id) => ({ ...fullTask, id, depends_on: [] })) }
        const whole = outcomeOf(() => FleetRunSpec.parse(input))
        if (typeof whole === 'string') valid += 1
        expect(outcomeOf(() => allAtOnce(parsingRunSpec(input)))).toEqual(whole)
      }),
    )
    expect(valid).toBe(100)
  })

  test('WI6 a run that is spoilt in any one place is read in steps as at once', () => {
    let refused = 0
    for (const spoil of [{ spoilt: [] }, null, '', -1, [], [{}]] satisfies Json[]) {
      for (const [, spoilt] of spoilings(full, spoil)) {
        const whole = outcomeOf(() => FleetRunSpec.parse(spoilt))
        if (typeof whole !== 'string') refused += 1
        expect(outcomeOf(() => allAtOnce(parsingRunSpec(spoilt)))).toEqual(whole)
      }
    }
    expect(refused).toBeGreaterThan(500)
  })

  test('WI7 a key __proto__, a cycle and too deep nesting are told in steps as at once', () => {
    const cyclic: Record<string, unknown> = { name: 'R' }
    cyclic['tasks'] = [{ ...minimalTask, input: cyclic }, cyclic['tasks'], cyclic]
    const deep: unknown = JSON.parse('['.repeat(999) + ']'.repeat(999))
    for (const input of [
      cyclic,
      JSON.parse('{"name":"R","__proto__":{},"tasks":[{"__proto__":1},[{"__proto__":1}]],"labels":{"__proto__":"x"}}'),
      { name: 'R', tasks: [{ ...minimalTask, input: deep }] },
      // oxlint-disable-next-line no-sparse-arrays
      { name: 'R', tasks: [, minimalTask] },
      [minimalTask],
    ]) {
      const whole = outcomeOf(() => FleetRunSpec.parse(input))
      expect(whole).toEqual(['invalid_document', expect.any(String), expect.anything()])
      expect(outcomeOf(() => allAtOnce(parsingRunSpec(input)))).toEqual(whole)
    }
  })

  test('RU1 WI7 a run of many tasks is read with turns between, and shares nothing with what it was read from', async () => {
    const clock = countingClock()
    const input = { name: 'R', tasks: many(2_000) }
    const before = FleetRunSpec.parse(input)
    const read = await inSlices(parsingRunSpec(input), clock)
    expect(clock.turns).toBeGreaterThan(20)
    expect(JSON.stringify(read)).toBe(JSON.stringify(before))
    input.tasks[0]!.name = 'changed'
    expect(read.tasks[0]?.name).toBe(minimalTask.name)
  })

  test('WI6 very many problems are told with turns between, each with its path', async () => {
    const bad = many(3_000).map((task) => ({ ...task, name: 7 }))
    const turnsOf = async (reading: Steps<unknown>) => {
      const clock = countingClock()
      const error = await inSlices(reading, clock).then(
        () => undefined,
        (cause: unknown) => cause,
      )
      return { turns: clock.turns, error }
    }
    for (const read of [
      (tasks: unknown[]) => parsingRunSpec({ name: 'R', tasks }),
      (tasks: unknown[]) => parsingTasks(tasks, {}),
    ]) {
      const [sound, refused] = [await turnsOf(read(many(3_000))), await turnsOf(read(bad))]
      expect(sound.error).toBeUndefined()
      expect(refused.error).toMatchObject({ code: 'invalid_document', details: { problems: { length: 3_000 } } })
      expect((refused.error as Error).message).toContain('tasks[2999].name: expected')
      expect(refused.turns - sound.turns).toBeGreaterThan(20)
    }
  })

  test('RU8 added tasks are read in slices as at once', async () => {
    await fc.assert(
      fc.asyncProperty(tasks, async (input) => {
        const run = { knownIds: new Set(['a']), roles: ['a'] }
        const whole = outcomeOf(() => parseTasks(input, run))
        const sliced = await inSlices(parsingTasks(input, run), countingClock()).then(
          (read) => () => read,
          (error: unknown) => () => {
            throw error
          },
        )
        expect(outcomeOf(sliced)).toEqual(whole)
      }),
    )
  })

  test('SC5 a ring and a chain of many tasks are looked through with turns between', async () => {
    const chain = many(3_000).map((task, index, all) => ({ ...task, depends_on: index === 0 ? [] : [all[index - 1]!.id] }))
    const clock = countingClock()
    expect((await inSlices(parsingRunSpec({ name: 'R', tasks: chain }), clock)).tasks).toHaveLength(3_000)
    const ring = chain.map((task, index) => (index === 0 ? { ...task, depends_on: ['t2999'] } : task))
    await expect(inSlices(parsingRunSpec({ name: 'R', tasks: ring }), clock)).rejects.toMatchObject({
      message: expect.stringContaining('expected no cycle'),
    })
    expect(clock.turns).toBeGreaterThan(100)
  })
})
