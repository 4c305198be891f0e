import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../..')

/** A test that has the id of a rule before its title, and the file that it stands in. A title from a template is known by its beginning. */
export interface TitledTest {
  readonly title: string
  readonly file: string
}

// A title is a text that begins with ids of rules and stands where a test has its name: as an argument, or as the name of a check of a
// contract suite. What names a group, or is skipped, is no test.
const titlePattern =
  /(?<group>(?:describe|skip|todo)(?:\.\w+)?\()?(?<quote>['"`])(?<title>(?:[A-Z]{2}\d+ )+(?:(?!\k<quote>)[^\\\n]|\\.)*)\k<quote>(?=\s*,|: async )/g

/** Every test with the id of a rule, of the tests and of the contract suites. */
export function titledTests(): TitledTest[] {
  const files = [...filesUnder('test', /\.(test|full)\.ts$/), ...filesUnder('src/testing', /(-contract|store-checks\/\w+)\.ts$/)]
  return files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(titlePattern)]
      .filter(({ groups }) => groups?.['group'] === undefined)
      .map(({ groups }) => ({ title: (groups?.['title'] ?? '').replaceAll("\\'", "'"), file })),
  )
}

/** The tests whose titles begin so. */
export function testsNamed(beginning: string, tests: readonly TitledTest[]): TitledTest[] {
  return tests.filter(({ title }) => title.startsWith(beginning))
}

function filesUnder(folder: string, name: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path}`)
    .filter((path) => name.test(path))
    .sort()
}
