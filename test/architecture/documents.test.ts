import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { fleetTypeNames } from 'flotilla/protocol'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')

it('WI1 docs/wire.md names every type of the contract', () => {
  expect(fleetTypeNames.filter((name) => !read('docs/wire.md').includes(`\`${name}\``))).toEqual([])
})

it('every decision record is listed in docs/architecture.md', () => {
  const records = readdirSync(`${root}docs/decisions`)
  expect(records.filter((name) => !read('docs/architecture.md').includes(`(decisions/${name})`))).toEqual([])
})

it('every file that CONTRIBUTING.md names is there', () => {
  const named = [...read('CONTRIBUTING.md').matchAll(/`((?:src|test|scripts|docs)\/[\w./-]+)`/g)].map((match) => match[1] ?? '')
  expect(named.filter((path) => !existsSync(root + path))).toEqual([])
})
