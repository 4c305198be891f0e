import { fileURLToPath } from 'node:url'

/** What Stryker is told for a group. Paths begin at the root of the project. */
export function settings({ name, mutate, isStaticToo = false }, { folder, fresh, concurrency }) {
  const file = `${folder}/${name.replace('/', '-')}`
  return {
    mutate,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner', fileURLToPath(new URL('plugins.mjs', import.meta.url))],
    ignorers: ['words-of-errors'],
    vitest: { configFile: 'test/mutation/vitest.config.mjs', related: false },
    coverageAnalysis: 'perTest',
    ignoreStatic: !isStaticToo,
    concurrency,
    timeoutMS: 5_000,
    timeoutFactor: 2,
    dryRunTimeoutMinutes: 15,
    // What was tested before, and has not changed since, is not tested again.
    incremental: true,
    incrementalFile: `${file}.tested.json`,
    force: fresh,
    tempDirName: `${folder}/sandbox-${name.replace('/', '-')}`,
    ignorePatterns: ['docs', 'dist*', 'examples', 'test/*/node_modules', '.flotilla'],
    disableTypeChecks: false,
    reporters: ['mutant-lines', 'progress-append-only'],
    mutantLines: `${file}.jsonl`,
    warnings: { unknownOptions: false },
    allowConsoleColors: false,
  }
}
