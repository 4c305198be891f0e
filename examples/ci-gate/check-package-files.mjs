// Asks npm what it would publish, and holds it against what the package promises.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeEvidence } from './evidence.mjs'

const { exports, bin, main, types } = JSON.parse(readFileSync('package.json', 'utf8'))
const [{ files, size }] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
)
const published = new Set(files.map(({ path }) => path))

const promised = [
  ...Object.values(bin),
  main,
  types,
  ...Object.values(exports).flatMap(targetsOf),
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
]
  .filter((path) => path !== undefined)
  .map((path) => path.replace(/^\.\//, ''))
const problems = [
  ...[...new Set(promised)]
    .filter((path) => !published.has(path))
    .map((path) => `${path} is promised, but would not be published`),
  ...[...published]
    .filter((path) => /^(src|test|examples|scripts|node_modules)\//.test(path))
    .map((path) => `${path} would be published`),
]

for (const problem of problems) console.error(problem)
if (problems.length === 0) writeEvidence([...published].join('\n'))
console.log(`${published.size} files, ${Math.round(size / 1024)} kB packed, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1

/** The files of an export, but for the condition that only this repository uses. */
function targetsOf(target) {
  if (typeof target === 'string') return [target]
  return Object.entries(target).flatMap(([condition, inner]) => (condition === 'flotilla-source' ? [] : targetsOf(inner)))
}
