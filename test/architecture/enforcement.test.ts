import { describe, expect, test } from 'vitest'
import { errorCodes } from 'flotilla'
import { contractFields } from '../../scripts/generated/enforcement/contract-fields.ts'
import { pendingFields } from '../../scripts/generated/enforcement/pending.ts'
import { enforcementRows } from '../../scripts/generated/enforcement/rows.ts'
import { testsNamed, titledTests } from '../../scripts/generated/enforcement/test-titles.ts'

const fields = contractFields().map(({ path }) => path)
const withRow = enforcementRows.map(([path]) => path)
const pending = Object.values(pendingFields).flat()
const tests = titledTests()

const named = enforcementRows.flatMap(([path, { rules, tests: shown, control = [] }]) =>
  [...shown, ...control].map((title) => ({ path, rules, title })),
)
const idsOf = (title: string): string[] => /^(?:[A-Z]{2}\d+ )+/.exec(title)?.[0].trim().split(' ') ?? []
const twice = (paths: readonly string[]): string[] => paths.filter((path, index) => paths.indexOf(path) !== index)

describe('docs/enforcement.md', () => {
  test('WI1 every field of every type of the contract has a row, or is pending, and not both', () => {
    expect([...withRow, ...pending].toSorted()).toEqual(fields.toSorted())
    expect([...twice(fields), ...twice([...withRow, ...pending])]).toEqual([])
  })

  test('WI1 every row names a rule and a test, and each title is that of exactly one test', () => {
    const found = named.map(({ path, title }) => ({ path, title, tests: testsNamed(title, tests).length }))
    expect(found.filter((one) => one.tests !== 1)).toEqual([])
    expect(enforcementRows.filter(([, row]) => row.rules.length === 0 || row.tests.length === 0)).toEqual([])
  })

  test('WI1 every test that a row names begins with a rule of the row, and every rule of a row has such a test', () => {
    expect(named.filter(({ rules, title }) => !idsOf(title).some((id) => rules.includes(id)))).toEqual([])
    const unproven = enforcementRows.flatMap(([path, row]) => {
      const proven = new Set([...row.tests, ...(row.control ?? [])].flatMap(idsOf))
      return row.rules.filter((rule) => !proven.has(rule)).map((rule) => `${path}: no test of ${rule}`)
    })
    expect(unproven).toEqual([])
  })

  test('WI1 what is refused has a code of the table, and a test in which it is allowed', () => {
    const refused = enforcementRows.filter(([, { otherwise }]) => otherwise.startsWith('refused'))
    expect(refused.length).toBeGreaterThan(10)
    expect(refused.filter(([, { control = [] }]) => control.length === 0).map(([path]) => path)).toEqual([])
    const codes = enforcementRows.flatMap(([, { otherwise }]) =>
      [...otherwise.matchAll(/as `(\w+)` where|refused as `(\w+)`/g)].map(([, one, other]) => one ?? other ?? ''),
    )
    expect(codes.filter((code) => !Object.hasOwn(errorCodes, code))).toEqual([])
  })
})
