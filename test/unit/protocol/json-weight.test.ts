import fc from 'fast-check'
import { expect, test } from 'vitest'
import { weigh } from '../../../src/protocol/json-weight.ts'

test('RU1 the weight of a value is about the length of its JSON', () => {
  expect(weigh({ text: 'x'.repeat(100_000) })).toBeGreaterThan(100_000)
  expect(weigh({ text: 'x'.repeat(100_000) })).toBeLessThan(100_100)
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const members = JSON.stringify(value).split(/[,:[\]{}]/).length
      expect(weigh(value)).toBeLessThanOrEqual(JSON.stringify(value).length + 16 * members)
    }),
  )
  // Numbers, and characters that JSON escapes, are underestimated; no more than sixfold.
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      expect(weigh(value) * 6).toBeGreaterThanOrEqual(JSON.stringify(value).length)
    }),
  )
})
