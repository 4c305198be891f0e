import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { userFolder } from '../support/bundled-package.ts'

const src = fileURLToPath(new URL('../../src', import.meta.url))
/** An import, or an export, of more than types. */
const statement = /^(?:import|export) (?!type\b)(?!\{(?:\s*type \w+,?)+\s*\})[^'"]*?from '(\.[^']+)'/gm
/** An import of the bundler's, from another file of the bundle. */
const bundled = /^(?:import|export)\b(?:[^'"=;]*\bfrom)?\s*"(\.[^"]+)"/gm
const atOnce = loadedWith('index.ts')

test('what is loaded late is not loaded with the package as well', () => {
  const late = [...atOnce].flatMap((file) => targets(file, /\bimport\('(\.[^']+)'\)/g))
  expect(late).toEqual(
    expect.arrayContaining([
      'fleet/open-fleet.ts',
      'fleet/store-control.ts',
      'transports/launched.ts',
      'store/json/json-store.ts',
      'store/memory.ts',
    ]),
  )
  expect(late.filter((file) => atOnce.has(file))).toEqual([])
})

test('the package is loaded without what opens a fleet, reads a run, works elsewhere, or keeps on a disk', () => {
  expect([...atOnce]).toEqual(expect.arrayContaining(['fleet/create-fleet.ts', 'transports/ssh/ssh.ts', 'store/deferred.ts']))
  const late = [
    'engine/engine.ts',
    'engine/fold.ts',
    'fleet/run-reader.ts',
    'transports/ssh/ssh-client.ts',
    'transports/programs/pool.ts',
    'transports/commands/command-attempt.ts',
  ]
  for (const file of [
    ...late,
    'transports/containers/container-run.ts',
    'store/json/journal-writer.ts',
    'store/json/store.ts',
    'store/memory.ts',
  ])
    expect(atOnce.has(file), file).toBe(false)
})

test('nothing that is loaded with the package loads what encrypts and hashes or starts programs, nor makes a field of the contract', () => {
  const texts = [...atOnce].map((file) => ({ file, text: read(file) }))
  expect(texts.filter(({ text }) => /^import (?!type\b)[^'"]*from 'node:(?:crypto|child_process)'/m.test(text))).toEqual([])
  const makers = 'object|optional|list|map|text|hiddenText|pattern|sized|integer|distinct|z\\.(?!registry)\\w+'
  const fields = [...read('protocol/field.ts').matchAll(/^export const (\w+) = field\(/gm)].map(([, name = '']) => name)
  expect(fields).toEqual(expect.arrayContaining(['token', 'u32', 'timestamp']))
  const made = new RegExp(`^(?:export )?const \\w+ = (?:${makers}|${fields.join('|')})\\(`, 'm')
  expect(made.test(`const a = 1\nexport const id = token().refine(fits)`)).toBe(true)
  expect(texts.filter(({ file, text }) => file.startsWith('protocol/') && made.test(text)).map(({ file }) => file)).toEqual([])
})

test('the bundle of the package is loaded from few files, and its entry points load no more than they need', async () => {
  await using user = await userFolder()
  const dist = join(user.path, 'node_modules/flotilla/dist')
  const files = (entry: string) => [...loadedWith(`${entry}.js`, (file) => readFileSync(join(dist, file), 'utf8'), bundled)]
  const bytes = (entry: string) => files(entry).reduce((sum, file) => sum + statSync(join(dist, file)).size, 0)
  const builtins = /^import\b[^'"]*"node:(?:crypto|child_process)"/m
  expect(files('index').filter((file) => builtins.test(readFileSync(join(dist, file), 'utf8')))).toEqual([])
  // One for each set of late modules that share something would be sixteen.
  expect(files('index').length).toBeLessThanOrEqual(8)
  expect(bytes('index')).toBeLessThan(280_000)
  expect(bytes('protocol/index')).toBeLessThan(90_000)
  expect(bytes('protocol/errors')).toBeLessThan(10_000)
  expect(bytes('lifecycles/index')).toBeLessThan(20_000)
  expect(bytes('http/index')).toBeLessThan(40_000)
}, 60_000)

/** The files of src that are loaded with one, through imports of more than types. */
function loadedWith(entry: string, text = read, pattern = statement): Set<string> {
  const files = new Set([entry])
  // What is added while it is walked is walked too.
  for (const file of files) for (const target of targets(file, pattern, text)) files.add(target)
  return files
}

function targets(file: string, pattern: RegExp, text = read): string[] {
  return [...text(file).matchAll(pattern)].map(([, target = '']) => join(dirname(file), target))
}

function read(file: string): string {
  return readFileSync(join(src, file), 'utf8')
}
