import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instant, moment } from '../../../src/engine/instant.ts'

test('RU6 an instant is written in UTC with its milliseconds, the same however many others were', () => {
  const text = (at: number) => new Date(at).toISOString()
  expect(instant(0)).toBe('1970-01-01T00:00:00.000Z')
  for (let at = 0; at < 300; at += 1) expect([instant(at), instant(at)]).toEqual([text(at), text(at)])
  expect(instant(7)).toBe(text(7))
})

test('RU6 an instant of any day is written as Date writes it, and what is none is refused', () => {
  const furthest = 8.64e15
  const anywhere = fc.double({ min: -furthest, max: furthest, noNaN: true })
  const nearby = fc.nat(3 * 86_400_000).map((ms) => Date.UTC(2028, 1, 28) + ms)
  fc.assert(
    fc.property(fc.array(fc.oneof(anywhere, nearby, fc.maxSafeInteger()), { maxLength: 10 }), (all) => {
      for (const at of all.filter((one) => Math.abs(one) <= furthest)) expect(instant(at)).toBe(new Date(at).toISOString())
    }),
    { numRuns: 2_000 },
  )
  for (const at of [furthest, -furthest, -0.5, -1, 0.5, 86_399_999, 86_400_000, -62_198_755_200_001])
    expect(instant(at)).toBe(new Date(at).toISOString())
  for (const none of [NaN, Infinity, furthest + 86_400_000, -furthest - 1])
    expect(() => instant(none), String(none)).toThrow(RangeError)
})

test('LE5 RE2 a moment has its length with it; no wait is no moment', () => {
  expect(moment(1_000, 500)).toEqual({ notBefore: 1_500, notBeforeMs: 500 })
  expect(moment(1_000, 0)).toEqual({ notBefore: null, notBeforeMs: null })
})
