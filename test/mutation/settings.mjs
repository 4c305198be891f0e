import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The beginning of the names of the files in which a group keeps what it found; those of a sample are files of its own. */
export function fileOf({ name }, { folder, sample }) {
  return `${folder}/${name.replace('/', '-')}${sample === 1 ? '' : `-sample-${sample}`}`
}

/** What Stryker is told for a group. Paths begin at the root of the project. */
export function settings(group, { fresh, concurrency, ...kept }) {
  const { mutate, isOnceToo = false } = group
  const file = fileOf(group, kept)
  return {
    mutate: kept.sample === 1 ? mutate : mutate.flatMap((path) => sampleOf(path, kept.sample)),
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner', fileURLToPath(new URL('plugins.mjs', import.meta.url))],
    ignorers: ['words-of-errors'],
    vitest: { configFile: 'test/mutation/vitest.config.mjs', related: false },
    coverageAnalysis: 'perTest',
    ignoreStatic: !isOnceToo,
    concurrency,
    timeoutMS: 5_000,
    timeoutFactor: 2,
    dryRunTimeoutMinutes: 15,
    // What was tested before, and has not changed since, is not tested again.
    incremental: true,
    incrementalFile: `${file}.tested.json`,
    force: fresh,
    tempDirName: `${file}.sandbox`,
    ignorePatterns: ['docs', 'dist*', 'examples', 'test/*/node_modules', '.flotilla'],
    disableTypeChecks: false,
    reporters: ['mutant-lines', 'progress-append-only'],
    mutantLines: `${file}.jsonl`,
    warnings: { unknownOptions: false },
    allowConsoleColors: false,
  }
}

const windowLines = 4

/** A few lines here and there, one of so many: as Stryker names them. */
function sampleOf(path, sample) {
  const windows = Math.ceil(readFileSync(path, 'utf8').split('\n').length / windowLines)
  const chosen = Array.from({ length: windows }, (_, index) => index).filter((index) => (index + path.length) % sample === 0)
  return chosen.map((index) => `${path}:${index * windowLines + 1}-${(index + 1) * windowLines}`)
}
