import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { layers } from './layer-table.ts'

const src = fileURLToPath(new URL('../../src', import.meta.url))
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

describe('layers', () => {
  it('every folder of src is a layer', () => {
    const folders = files.filter((file) => file.includes(sep)).map((file) => file.split(sep)[0] ?? '')
    expect([...new Set(folders)].filter((folder) => layers[folder] === undefined)).toEqual([])
  })

  it('every import is one that its layer may have', () => {
    expect(files.flatMap((file) => importsOf(file).flatMap((specifier) => problemOf(file, specifier)))).toEqual([])
  })

  it('index.ts files hold exports and no logic', () => {
    const withLogic = files
      .filter((file) => /^(index|protocol.index|testing.index|worker.index|http.index)\.ts$/.test(file))
      .filter((file) => !/^(export [^=]*? from '[^']+'\s*)+$/s.test(read(file)))
    expect(withLogic).toEqual([])
  })
})

function importsOf(file: string): string[] {
  const statements = /^(?:import|export)\b[^'"]*?from '([^']+)'|\b(?:import|getBuiltinModule)\('([^']+)'\)|^import '([^']+)'/gm
  return [...read(file).matchAll(statements)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

function problemOf(file: string, specifier: string): string[] {
  const layer = layers[file.split(sep)[0] ?? '']
  const problem = [`src/${file} imports ${specifier}`]
  if (layer === undefined) return []
  if (specifier.startsWith('node:'))
    return layer.node === true || (layer.node !== false && layer.node.includes(specifier)) ? [] : problem
  if (!specifier.startsWith('.')) return layer.packages.includes(specifier.split('/')[0] ?? '') ? [] : problem
  const target = relative(src, join(src, dirname(file), specifier)).split(sep)
  const allowed = layer.imports.includes('*') || target[0] === file.split(sep)[0] || layer.imports.includes(target[0] ?? '')
  return allowed || layer.imports.includes(target.join('/')) ? [] : problem
}

function read(file: string): string {
  return readFileSync(join(src, file), 'utf8')
}
