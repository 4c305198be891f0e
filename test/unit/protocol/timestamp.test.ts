import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FleetTaskSpec } from '../../../src/protocol/index.ts'
import { canonicalTimestamp } from '../../../src/protocol/timestamp.ts'
import { minimalTask } from './samples.ts'

test.each([
  ['2026-02-03T04:05:06Z', '2026-02-03T04:05:06.000Z'],
  ['2026-02-03t04:05:06z', '2026-02-03T04:05:06.000Z'],
  ['2026-02-03 04:05:06.7Z', '2026-02-03T04:05:06.700Z'],
  ['2026-02-03T04:05:06.789999999Z', '2026-02-03T04:05:06.789Z'],
  ['2026-02-03T04:05:06+05:30', '2026-02-02T22:35:06.000Z'],
  ['2026-02-03T04:05:06-00:00', '2026-02-03T04:05:06.000Z'],
  ['2026-12-31T23:30:00-01:00', '2027-01-01T00:30:00.000Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
])('WI3 %s is written as %s', (written, canonical) => {
  expect(canonicalTimestamp(written)).toBe(canonical)
  expect(canonicalTimestamp(canonical)).toBe(canonical)
})

test.each([
  '',
  '2026-02-03',
  '2026-02-03T04:05Z',
  '2026-02-03T04:05:06',
  '2026-02-30T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:61Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+0100',
  '2026-01-01T00:00:00.Z',
  '0000-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  '+002026-01-01T00:00:00Z',
  ' 2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z\n',
  'Thu, 01 Jan 2026 00:00:00 GMT',
])('WI6 %j is no RFC 3339 timestamp', (text) => {
  expect(canonicalTimestamp(text)).toBeUndefined()
})

test('WI3 a moment with any offset is the same moment in UTC', () => {
  const moments = fc.date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true })
  fc.assert(
    fc.property(moments, fc.integer({ min: -1_439, max: 1_439 }), (moment, offset) => {
      const shifted = new Date(moment.getTime() + offset * 60_000).toISOString().slice(0, -1)
      const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60].map((part) =>
        String(part).padStart(2, '0'),
      )
      expect(canonicalTimestamp(`${shifted}${offset < 0 ? '-' : '+'}${hours}:${minutes}`)).toBe(moment.toISOString())
    }),
    { numRuns: 300 },
  )
})

test('WI3 a timestamp of a document is written canonically, and refused with its path', () => {
  expect(FleetTaskSpec.parse({ ...minimalTask, not_before: '2026-01-01T01:00:00+01:00' }).not_before).toBe(
    '2026-01-01T00:00:00.000Z',
  )
  expect(() => FleetTaskSpec.parse({ ...minimalTask, not_before: 'tomorrow' })).toThrow(
    'not_before: expected an RFC 3339 timestamp, got "tomorrow"',
  )
  expect(() => FleetTaskSpec.parse({ ...minimalTask, not_before: 1_767_225_600 })).toThrow(
    'not_before: expected an RFC 3339 timestamp, got 1767225600',
  )
})
