import { expect, test } from 'vitest'
import { readCursor, writeCursor } from '../../../src/engine/cursor.ts'

const refusal = expect.objectContaining({ code: 'cursor_unavailable' })

test('EV7 a cursor names the run, the sequence and the place in it', () => {
  const place = { short: 'abc', seq: 1_000, index: 40 }
  expect(writeCursor(place)).toBe('fev1_abc_rs_14')
  expect(readCursor('fev1_abc_rs_14', 'abc')).toEqual(place)
})

test('EV7 whatever stands before, behind or in a cursor makes it none of this run', () => {
  expect(readCursor('fev1_abc_1_0', 'abc')).toMatchObject({ seq: 1 })
  const none = ['fev1_abd_1_0', ' fev1_abc_1_0', 'fev1_abc_1_0 ', 'fev1_abc_1_0\n', 'fev1_abc_1', 'fev1_abc__0', 'fev1_abc_1_']
  for (const cursor of [...none, 'fev1_abc_A_0', 'fev1_abc_1_A', 'fev2_abc_1_0', 'fev1_ABC_1_0', ''])
    expect(() => readCursor(cursor, 'abc'), cursor).toThrow(refusal)
  expect(() => readCursor('fev1_ABC_1_0', 'ABC')).toThrow(refusal)
  expect(() => readCursor('fev1__1_0', '')).toThrow(refusal)
})

test('EV7 each part of a cursor has its longest, and a longer one is refused', () => {
  const digits = (count: number) => '1'.repeat(count)
  const short = 'a'.repeat(40)
  expect(readCursor(`fev1_${short}_${digits(12)}_${digits(12)}`, short)).toMatchObject({ short })
  expect(() => readCursor(`fev1_${short}a_1_0`, `${short}a`)).toThrow(refusal)
  expect(() => readCursor(`fev1_${short}_${digits(13)}_0`, short)).toThrow(refusal)
  expect(() => readCursor(`fev1_${short}_0_${digits(13)}`, short)).toThrow(refusal)
})

test('EV7 a refused cursor is told back, up to the longest that a cursor is', () => {
  const told = (cursor: string): unknown => {
    try {
      return readCursor(cursor, 'abc')
    } catch (error) {
      return (error as { details: unknown }).details
    }
  }
  expect(told('fev1_other_1_0')).toEqual({ cursor: 'fev1_other_1_0' })
  expect(told('f'.repeat(10_000))).toEqual({ cursor: 'f'.repeat(96) })
})
