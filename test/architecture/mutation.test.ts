import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

interface Group {
  readonly mutate: readonly string[]
  readonly tests: readonly string[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const { areas } = (await import(`${root}test/mutation/areas.mjs`)) as {
  readonly areas: Readonly<Record<string, Readonly<Record<string, Group>>>>
}
const groups = Object.values(areas).flatMap((area) => Object.values(area))

it('every file that a group of mutation testing names is there', () => {
  const named = groups.flatMap(({ mutate, tests }) => [...mutate, ...tests]).filter((path) => !path.includes('*'))
  expect(named.length).toBeGreaterThan(100)
  expect(named.filter((path) => !existsSync(root + path))).toEqual([])
})

it('every file of the engine is in a group of mutation testing', () => {
  const named = new Set(groups.flatMap(({ mutate }) => mutate))
  const files = readdirSync(`${root}src/engine`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  expect(files.filter((name) => !named.has(`src/engine/${name}`))).toEqual([])
})
