import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FleetRunSpec, FleetTaskSpec } from '../../../src/protocol/index.ts'
import { copyJson } from '../../../src/protocol/json-copy.ts'
import { minimalTask } from './samples.ts'

describe('WI7', () => {
  test('WI7 a key __proto__ is refused by name, anywhere', () => {
    const places = [
      ['{"__proto__":1}', '__proto__'],
      ['{"metadata":{"__proto__":{"x":1}}}', 'metadata.__proto__'],
      ['{"unknown":[{"a b":{"__proto__":null}}]}', 'unknown[0]["a b"].__proto__'],
      ['{"input":{"deep":[[{"__proto__":[]}]]}}', 'input.deep[0][0].__proto__'],
      ['{"worker":{"__proto__":{"role":"x"}}}', 'worker.__proto__'],
    ] as const
    for (const [json, path] of places) {
      const document: unknown = { ...minimalTask, ...JSON.parse(json.startsWith('{"__proto__"') ? '{}' : json) }
      const whole: unknown = json.startsWith('{"__proto__"')
        ? JSON.parse(JSON.stringify(minimalTask).replace('{', '{"__proto__":1,'))
        : document
      const refused = FleetTaskSpec.safeParse(whole)
      expect(refused.success || refused.error.message).toBe(`${path}: expected a document without the key \`__proto__\`, got one`)
    }
  })

  test('WI7 a __proto__ among labels is refused, and no prototype is changed', () => {
    const refused = FleetRunSpec.safeParse(JSON.parse('{"name":"R","open":true,"labels":{"__proto__":"x"}}'))
    expect(refused.success || refused.error.message).toBe(
      'labels.__proto__: expected a document without the key `__proto__`, got one',
    )
    expect(Object.getPrototypeOf({})).toBe(Object.prototype)
  })

  test('WI7 an object whose prototype was replaced is refused', () => {
    const refused = FleetTaskSpec.safeParse({ ...minimalTask, metadata: { __proto__: { priority: 1 } } })
    expect(refused.success || refused.error.message).toBe('metadata: expected a JSON value, got an instance of Object')
  })

  test('WI7 objects without a prototype and of another realm are read', () => {
    const bare: Record<string, unknown> = Object.assign(Object.create(null), minimalTask)
    expect(FleetTaskSpec.parse(bare)).toEqual(minimalTask)
    const foreign: unknown = runInNewContext(`(${JSON.stringify(minimalTask)})`)
    expect(JSON.stringify(FleetTaskSpec.parse(foreign))).toBe(JSON.stringify(minimalTask))
  })

  test('WI7 nesting that would exhaust the stack is refused, less is read', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
    expect(copyJson(nested(1_000)).problems).toEqual([])
    expect(copyJson(nested(1_001)).problems).toEqual([
      { path: Array.from({ length: 1_000 }, () => 0), expected: 'at most 1000 levels', got: 'more' },
    ])
    expect(FleetTaskSpec.safeParse({ ...minimalTask, input: nested(50_000) }).success).toBe(false)
  })

  test('WI7 one object at two places is no cycle', () => {
    const shared = { a: [1] }
    expect(copyJson({ one: shared, two: [shared, shared] })).toEqual({
      value: { one: { a: [1] }, two: [{ a: [1] }, { a: [1] }] },
      problems: [],
    })
  })
})

test('WI1 a copy of JSON is what writing and reading it gives', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read: unknown = JSON.parse(JSON.stringify(value))
      fc.pre(!JSON.stringify(value).includes('"__proto__"'))
      expect(copyJson(value)).toStrictEqual({ value: read, problems: [] })
    }),
    { numRuns: 300 },
  )
})
