import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/conformance.md'), 'utf8')
const rows = [...page.matchAll(/^\| ([LSMTPW]\d+) \| [^|]+ \| ([^|]+) \|$/gm)].map(([, id = '', cell = '']) => ({ id, cell }))
const counts = { L: [1, 29], S: [1, 6], M: [1, 39], T: [1, 9], P: [1, 24], W: [8, 25] } as const

test('WI1 the conformance page has every scenario and weak spot, once', () => {
  const expected = Object.entries(counts).flatMap(([letter, [first, last]]) =>
    Array.from({ length: last - first + 1 }, (_, index) => `${letter}${first + index}`),
  )
  expect(rows.map(({ id }) => id).sort()).toEqual(expected.sort())
})

test('WI1 every file that the conformance page names mentions the scenario, and every other row has a reason', () => {
  const wrong = rows.flatMap(({ id, cell }) => {
    const files = [...cell.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file)
    if (files.length === 0) return /^does not apply: .{10}/.test(cell) ? [] : [`${id} names neither a test nor a reason`]
    return files.filter((file) => !mentions(file, id)).map((file) => `${id} is not in ${file}`)
  })
  expect(wrong).toEqual([])
})

function mentions(file: string, id: string): boolean {
  return new RegExp(`\\b${id}\\b`).test(readFileSync(join(root, file), 'utf8'))
}
