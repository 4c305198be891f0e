import { expect, test } from 'vitest'
import { instant, moment } from '../../../src/engine/instant.ts'

test('RU6 an instant is written in UTC with its milliseconds, the same however many others were', () => {
  const text = (at: number) => new Date(at).toISOString()
  expect(instant(0)).toBe('1970-01-01T00:00:00.000Z')
  for (let at = 0; at < 300; at += 1) expect([instant(at), instant(at)]).toEqual([text(at), text(at)])
  expect(instant(7)).toBe(text(7))
})

test('LE5 RE2 a moment has its length with it; no wait is no moment', () => {
  expect(moment(1_000, 500)).toEqual({ notBefore: 1_500, notBeforeMs: 500 })
  expect(moment(1_000, 0)).toEqual({ notBefore: null, notBeforeMs: null })
})
