import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const readJson = (path: string): unknown => JSON.parse(readFileSync(root + path, 'utf8'))

it('the lock names every optional dependency, or `npm ci` refuses it', () => {
  const { packages } = readJson('package-lock.json') as { readonly packages: Readonly<Record<string, Locked>> }
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
  expect(wanted.filter((name) => packages[`node_modules/${name}`] === undefined)).toEqual([])
})

it('what runs in production is pinned to Node 20: the engines floor is the one that is promised', () => {
  const { engines } = readJson('package.json') as { readonly engines: { readonly node: string } }
  expect(engines.node).toBe('>=20.19')
  expect(readFileSync(`${root}README.md`, 'utf8')).toContain('Node 20.19')
})
