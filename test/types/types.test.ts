import { readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

function filesIn(folder: string): string[] {
  return readdirSync(join(here, folder)).map((name) => join(here, folder, name))
}

/** The complaints of the compiler about each file: the line, from 0, and the text. */
function complaints(files: readonly string[]): Map<string, { line: number; text: string }[]> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as { config: object }
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const program = ts.createProgram({ rootNames: files, options })
  return new Map(
    files.map((file) => [
      file,
      ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ start = 0, messageText, file: at }) => ({
        line: at?.getLineAndCharacterOfPosition(start).line ?? 0,
        text: ts.flattenDiagnosticMessageText(messageText, '\n'),
      })),
    ]),
  )
}

const rejected = filesIn('rejected')
const accepted = filesIn('accepted')
const found = complaints([...rejected, ...accepted])

describe('types', () => {
  for (const file of rejected) {
    const lines = readFileSync(file, 'utf8').split('\n')
    const at = lines.findIndex((line) => line.includes('// rejected: '))
    it(`${lines[0]?.slice(3)} does not compile (${basename(file)})`, () => {
      expect(found.get(file)).toHaveLength(1)
      expect(found.get(file)?.[0]?.line).toBe(at + 1)
      expect(found.get(file)?.[0]?.text).toContain(lines[at]?.split('// rejected: ')[1])
    })
  }

  for (const file of accepted) it(`${basename(file)} compiles`, () => expect(found.get(file)).toEqual([]))
})
