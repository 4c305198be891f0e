import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findJsonProblem } from '../../../src/cli/json-syntax.ts'

describe('findJsonProblem', () => {
  it.each([
    ['', 1, 1, 'a value', 'the end of the file'],
    ['{"a": 1,}', 1, 9, 'a name in double quotes after the comma', '"}"'],
    ['[1 2]', 1, 4, 'a comma or ]', '"2"'],
    ['{\n  "a" 1\n}', 2, 7, 'a colon', '"1"'],
    ["{'a': 1}", 1, 2, 'a name in double quotes', '"\'"'],
    ['["a', 1, 4, 'the closing double quote of a text', 'the end of the file'],
    ['["\\x"]', 1, 3, 'an escape of JSON', '"\\\\"'],
    ['[1]\n[2]', 2, 1, 'the end of the file', '"["'],
    ['[01]', 1, 3, 'a comma or ]', '"1"'],
    ['[🚀]', 1, 2, 'a value', '"🚀"'],
  ])('WI6 names the place in %j', (text, line, column, expected, found) => {
    expect(findJsonProblem(text)).toEqual({ line, column, expected, found })
  })

  it('WI6 finds a problem exactly where the platform refuses a text', () => {
    const broken = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.constantFrom('', ',', '}', ']', '"', ':', '\\', 'x', ' ', '\n', '0', '-', 'e'),
      )
      .map(([text, at, char]) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + char + text.slice(place + (at % 2))
      })
    fc.assert(
      fc.property(broken, (text) => (findJsonProblem(text) === undefined) === parses(text)),
      { numRuns: 1_000 },
    )
  })

  it('WI7 reads a text of several megabytes', () => {
    expect(findJsonProblem(JSON.stringify(['x'.repeat(5_000_000)]))).toBeUndefined()
  })
})

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
