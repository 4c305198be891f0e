import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { printedLines, promisedLines } from './expected-output.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const documents = [
  'README.md',
  ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
]
const programs = (
  await Promise.all(documents.map(async (path) => programsOf(path, await readFile(join(root, path), 'utf8'))))
).flat()

/** Code blocks of a document. Every `ts` and `js` block is a whole program. */
function programsOf(path: string, text: string): { title: string; language: string; source: string }[] {
  return [...text.matchAll(/^```(ts|js)\n([^]*?)^```$/gm)].map(([, language = '', source = ''], index) => ({
    title: `${path}, program ${index + 1}`,
    language,
    source,
  }))
}

describe('programs in documents', () => {
  let folder: string
  beforeAll(async () => {
    // Inside of the package, so that a program can import it by its name.
    await mkdir(join(root, '.flotilla'), { recursive: true })
    folder = await mkdtemp(join(root, '.flotilla', 'documents-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(programs)('$title prints what it says', { timeout: 60_000 }, async ({ source, language }) => {
    const promised = promisedLines(source)
    expect(promised.length, 'a program says what it prints: //=> …').toBeGreaterThan(0)
    const place = await mkdtemp(join(folder, 'program-'))
    const file = join(place, language === 'js' ? 'program.mjs' : 'program.ts')
    await writeFile(file, source)
    expect(await printedLines(file, { cwd: place })).toEqual(promised)
  })
})
