import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const src = fileURLToPath(new URL('../../src', import.meta.url))
/** An import, or an export, of more than types. */
const statement = /^(?:import|export) (?!type\b)(?!\{(?:\s*type \w+,?)+\s*\})[^'"]*?from '(\.[^']+)'/gm
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

test('nothing that is loaded with the package loads what encrypts and hashes, nor makes a field of the contract', () => {
  const texts = [...atOnce].map((file) => ({ file, text: read(file) }))
  expect(texts.filter(({ text }) => /^import (?!type\b)[^'"]*from 'node:crypto'/m.test(text))).toEqual([])
  const makers = 'object|optional|list|map|text|hiddenText|pattern|sized|integer|distinct|z\\.(?!registry)\\w+'
  const fields = [...read('protocol/field.ts').matchAll(/^export const (\w+) = field\(/gm)].map(([, name = '']) => name)
  expect(fields).toEqual(expect.arrayContaining(['token', 'u32', 'timestamp']))
  const made = new RegExp(`^(?:export )?const \\w+ = (?:${makers}|${fields.join('|')})\\(`, 'm')
  expect(made.test(`const a = 1\nexport const id = token().refine(fits)`)).toBe(true)
  expect(texts.filter(({ file, text }) => file.startsWith('protocol/') && made.test(text)).map(({ file }) => file)).toEqual([])
})

/** The files of src that are loaded with one, through imports of more than types. */
function loadedWith(entry: string): Set<string> {
  const files = new Set([entry])
  // What is added while it is walked is walked too.
  for (const file of files) for (const target of targets(file, statement)) files.add(target)
  return files
}

function targets(file: string, pattern: RegExp): string[] {
  return [...read(file).matchAll(pattern)].map(([, target = '']) => join(dirname(file), target))
}

function read(file: string): string {
  return readFileSync(join(src, file), 'utf8')
}
