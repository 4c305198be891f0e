import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkSize, FleetError, parseTaskDocument, sizeLimits, type SizeLimits } from '../../../src/protocol/index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const limits: SizeLimits = { maxBytes: 100, maxDepth: 3 }

function refusal(text: string, chosen = limits): FleetError | undefined {
  try {
    checkSize(bytes(text), chosen)
    return undefined
  } catch (error) {
    if (FleetError.is(error, 'too_large')) return error
    throw error
  }
}

describe('WI7', () => {
  test('WI7 HO8 a text at the limits passes and one over them does not', () => {
    expect(refusal('x'.repeat(100))).toBeUndefined()
    expect(refusal('x'.repeat(101))?.message).toBe('The document has 101 bytes; the limit is 100 bytes. Split it.')
    expect(refusal('[{"a":[]}]')).toBeUndefined()
    expect(refusal('[{"a":[[]]}]')?.message).toBe('The document has more than 3 levels; the limit is 3 levels. Split it.')
    expect(refusal('[{"a":[[]]}]')?.details).toEqual(limits)
  })

  test('WI7 levels side by side do not add up', () => {
    expect(refusal('[[[]],[[]],[[]],{"a":{}}]')).toBeUndefined()
  })

  test('WI7 brackets in strings do not count, behind escapes either', () => {
    for (const text of ['"[[[[[["', '["[[[\\"[[["]', '["\\\\",[]]', '{"[[[[":"{{{{"}']) expect(refusal(text)).toBeUndefined()
    expect(refusal('["\\\\",[[[]]]]')).toBeDefined()
  })

  test('WI7 bytes that are no JSON pass or are refused, and nothing else happens', () => {
    for (const text of ['', '"', '"\\', ']]]]', '}{', '\u0000', '"\\"[[[[']) expect(refusal(text)).toBeUndefined()
    expect(refusal('[[[[')).toBeDefined()
  })

  test('WI7 the depth counted on bytes is the depth of the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 6 }), (value, maxDepth) => {
        const refused = refusal(JSON.stringify(value), { maxBytes: 1e9, maxDepth }) !== undefined
        expect(refused).toBe(depthOf(value) > maxDepth)
      }),
      { numRuns: 300 },
    )
  })

  test('WI7 the limits of task files, HTTP bodies and messages', () => {
    const mebibyte = 1_048_576
    expect(sizeLimits).toEqual({
      taskFile: { maxBytes: 64 * mebibyte, maxDepth: 64 },
      httpBody: { maxBytes: 8 * mebibyte, maxDepth: 64 },
      message: { maxBytes: mebibyte, maxDepth: 64 },
    })
  })

  test('WI7 a task file of 64 levels is read and one of 65 is refused, however it was parsed', () => {
    const task = (levels: number): unknown => ({
      id: 'a',
      name: 'A',
      instructions: 'x',
      input: JSON.parse('['.repeat(levels - 1) + ']'.repeat(levels - 1)),
    })
    expect(parseTaskDocument(task(64), { stem: 's' }).tasks).toHaveLength(1)
    expect(() => parseTaskDocument(task(65), { stem: 's' })).toThrow('The document has more than 64 levels')
    expect(() => parseTaskDocument(task(200_000), { stem: 's' })).toThrow('The document has more than 64 levels')
  })
})

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}
