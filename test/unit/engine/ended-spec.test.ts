import { expect, test } from 'vitest'
import { lengthen, readSpecs, shortenSpec } from '../../../src/engine/ended-spec.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'
import { decidedRun } from '../../support/decided-run.ts'

const given = {
  ...{ id: 'a', name: 'A', instructions: 'Do it at length.', description: 'long', objective: 'long' },
  ...{ input_files: ['in.txt'], context: ['long'], expected_artifacts: ['log'], input: { long: true } },
}
const shortened = (more: object, policy: Parameters<typeof shortenSpec>[1] = null) =>
  shortenSpec(FleetTaskSpec.parse({ ...given, ...more }), policy)

test('CO9 what is not asked of a task that has ended is not kept in memory', () => {
  const spec = shortened({ metadata: { priority: 3, note: 'long' }, scorer: { kind: 'exit_code' } })
  expect(JSON.parse(JSON.stringify(spec))).toEqual({
    ...{ id: 'a', name: 'A', instructions: '', tags: [], depends_on: [], metadata: {} },
    ...{ input_files: [], context: [], expected_artifacts: [] },
  })
})

test('CO9 LE9 SC3 what is asked of it later is: tags, dependencies, what it asks of a worker, and whom to alert', () => {
  const policy = { channels: [] } as never
  const kept = {
    ...{ tags: ['x'], depends_on: ['b'], metadata: { command: ['ls', '-l'] }, handler: 'work' },
    worker: { role: 'tester', capabilities: ['gpu'] },
  }
  expect(shortened(kept)).toMatchObject(kept)
  expect(shortened({ alert_policy: undefined }, policy).alert_policy).toBe(policy)
})

test('CO9 VE5 SC3 of its scorer stays that a person settles it, or that its worker must run a command', () => {
  const manual = { kind: 'manual', prompt: 'Look.' }
  const scored = (scorer: object) => shortened({ scorer }).scorer
  expect(scored({ kind: 'manual' })).toMatchObject({ kind: 'manual' })
  expect(scored(manual)?.kind).toBe('manual')
  expect(scored({ kind: 'command', command: 'check', args: ['--long'] })).toMatchObject({
    ...{ kind: 'command', command: 'check', args: [] },
  })
  expect(scored({ kind: 'file_exists', path: 'a.txt' })).toBe(undefined)
})

test('CO9 whole specs are read from the entries that added their tasks, of those that were asked for and are short', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock, ids: seededIds('specs') })
  await store.open({ instance: 'writer' })
  const bench = decidedRun({})
  const specs = ['a', 'b', 'c', 'd'].map((id) => FleetTaskSpec.parse({ ...given, id }))
  await store.append([
    {
      ...{ run: 'r', after: 0 },
      entries: [
        { seq: 1, at: 0, kind: 'run.created', created: bench.run.header },
        { seq: 2, at: 0, kind: 'tasks.added', tasks: specs.slice(0, 3).map((spec) => ({ id: spec.id, spec, set: {} })) },
        { seq: 3, at: 0, kind: 'tasks.added', tasks: specs.slice(3).map((spec) => ({ id: spec.id, spec, set: {} })) },
        { seq: 4, at: 0, kind: 'run.opened' },
      ] as never,
    },
  ])
  const short = (id: string, addedBy: number, isShort = true) => ({ id, addedBy, isShort })
  const read = async (...tasks: ReturnType<typeof short>[]) => [...(await readSpecs({ store, clock }, 'r', tasks))]
  expect(await read(short('a', 2), short('b', 2), short('c', 2, false), short('d', 3))).toEqual([
    ['a', specs[0]],
    ['b', specs[1]],
    ['d', specs[3]],
  ])
  // An entry that adds none, or that is not there, tells of none.
  expect(await read(short('a', 4), short('b', 99))).toEqual([])
})

test('CO9 a task that is short gets its spec back, and one that is not keeps what it has', () => {
  const bench = decidedRun({ a: {}, b: {} })
  bench.lease('a')
  bench.set('a', { status: 'failed' })
  expect(bench.task('a')).toMatchObject({ isShort: true, spec: { instructions: '' } })
  const whole = FleetTaskSpec.parse(given)
  const { spec } = bench.task('b')
  lengthen(bench.run, new Map(['a', 'b', 'none'].map((id) => [id, whole])))
  expect(bench.task('a')).toMatchObject({ isShort: false, spec: whole })
  expect(bench.task('b').spec).toBe(spec)
})
