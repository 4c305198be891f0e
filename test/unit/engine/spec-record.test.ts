import fc from 'fast-check'
import { expect, test } from 'vitest'
import { specRecord, wholeSpec } from '../../../src/engine/spec-record.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const parse = (spec: object): FleetTaskSpec => FleetTaskSpec.schema.parse({ id: 'a', name: 'a', instructions: 'Do it.', ...spec })

test('CO9 a record of a spec leaves out its id, a name that is the same, and what is empty', () => {
  expect(specRecord(parse({}))).toEqual({ instructions: 'Do it.' })
  expect(specRecord(parse({ name: 'b', tags: ['x'], metadata: { a: 1 }, handler: 'h' }))).toEqual({
    ...{ name: 'b', instructions: 'Do it.', tags: ['x'], metadata: { a: 1 }, handler: 'h' },
  })
})

test('CO9 what may be empty and is not what most have stays: an input, a worker', () => {
  for (const spec of [{ input: {} }, { input: [] }, { input: '' }, { input: false }, { worker: {} }])
    expect(specRecord(parse(spec))).toMatchObject(spec)
})

test('CO9 a record that holds a whole spec, as the first ones did, is taken as it is', () => {
  const spec = parse({ name: 'b', tags: ['x'] })
  expect(wholeSpec('a', JSON.parse(JSON.stringify(spec)) as FleetTaskSpec)).toEqual(spec)
})

const some = <T>(value: T) => fc.option(fc.constant(value), { nil: undefined })

test('CO9 what a record leaves out, reading it gives back', () => {
  const specs = fc.record({
    ...{ name: fc.constantFrom('a', 'b'), input: fc.option(fc.jsonValue(), { nil: undefined }), handler: some('h') },
    ...{ tags: fc.constantFrom([], ['x']), context: fc.constantFrom([], ['c', 'd']), depends_on: fc.constantFrom([], ['b']) },
    ...{ input_files: fc.constantFrom([], ['f']), expected_artifacts: fc.constantFrom([], ['log']) },
    ...{ metadata: fc.constantFrom({}, { priority: 2 }), worker: some({}), timeout_seconds: some(3), description: some('') },
  })
  fc.assert(
    fc.property(specs, (fields) => {
      const spec = parse(fields)
      const record = JSON.parse(JSON.stringify(specRecord(spec))) as Partial<FleetTaskSpec>
      expect(wholeSpec('a', record)).toEqual(JSON.parse(JSON.stringify(spec)))
    }),
  )
})
