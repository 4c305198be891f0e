import fc from 'fast-check'
import { expect, test } from 'vitest'
import { specRecord, wholeSpec } from '../../../src/engine/spec-record.ts'
import type { SpecRecord } from '../../../src/engine/spec-record.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const parse = (spec: object): FleetTaskSpec => FleetTaskSpec.parse({ id: 'a', name: 'a', instructions: 'Do it.', ...spec })
const stored = (record: SpecRecord) => JSON.parse(JSON.stringify(record)) as SpecRecord

test('CO9 a record of a spec leaves out its id, a name that is the same, and what is empty', () => {
  expect(specRecord(parse({}))).toEqual({ instructions: 'Do it.' })
  expect(specRecord(parse({ name: 'b', tags: ['x'], metadata: { a: 1 }, handler: 'h' }))).toEqual({
    ...{ name: 'b', instructions: 'Do it.', tags: ['x'], metadata: { a: 1 }, handler: 'h' },
  })
  // Those of tasks that have ended say no more what to do.
  const short = { ...parse({}), instructions: '' }
  expect(specRecord(short)).toEqual({})
  expect(wholeSpec('a', {})).toEqual(short)
})

test('CO9 what may be empty and is not what most have stays: an input', () => {
  for (const input of [{}, [], '', false, 0]) expect(specRecord(parse({ input }))).toEqual({ instructions: 'Do it.', input })
})

test('WI2 CO9 a spec that says more than most, or what the contract does not know, is recorded whole', () => {
  const more = [{ worker: {} }, { description: '' }, { timeout_seconds: 3 }, { budget: {} }, { x_note: {} }]
  for (const spec of [...more, { constructor: {} }, { toString: '' }]) {
    const whole = parse(spec)
    expect(specRecord(whole)).toBe(whole)
  }
})

test('CO9 a record that holds a whole spec, as the first ones did, is taken as it is', () => {
  const spec = stored(parse({ name: 'b', tags: ['x'] }))
  expect(wholeSpec('a', spec)).toBe(spec)
})

test('CO9 what is empty is shared by all specs that are read', () => {
  const [one, other] = ['a', 'b'].map((id) => wholeSpec(id, specRecord(parse({ metadata: { a: 1 } }))))
  expect([one?.tags, one?.depends_on]).toEqual([[], []])
  expect(one?.tags).toBe(other?.tags)
  expect(one?.metadata).not.toBe(other?.metadata)
})

const some = <T>(value: T) => fc.option(fc.constant(value), { nil: undefined })

test('WI1 CO9 what a record leaves out, reading it gives back, in the order of the contract', () => {
  const specs = fc.record({
    ...{ name: fc.constantFrom('a', 'b'), input: fc.option(fc.jsonValue(), { nil: undefined }), handler: some('h') },
    ...{ tags: fc.constantFrom([], ['x']), context: fc.constantFrom([], ['c', 'd']), depends_on: fc.constantFrom([], ['b']) },
    ...{ input_files: fc.constantFrom([], ['f']), expected_artifacts: fc.constantFrom([], ['log']) },
    ...{ metadata: fc.constantFrom({}, { priority: 2 }), worker: some({}), timeout_seconds: some(3), description: some('') },
    ...{ concurrency_key: some('k'), not_before: some('2030-01-01T00:00:00.000Z'), x_note: some({}), hasOwnProperty: some('') },
  })
  fc.assert(
    fc.property(specs, (fields) => {
      const spec = parse(fields)
      expect(JSON.stringify(wholeSpec('a', stored(specRecord(spec))))).toBe(JSON.stringify(spec))
    }),
  )
})
