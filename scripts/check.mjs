// Everything that a change must pass, one step after the other; all of them are tried, and what failed is named at the end.
import { spawnSync } from 'node:child_process'
import { performance } from 'node:perf_hooks'

/** The npm scripts, in the order in which their failures are best read. `npm test` is last because it takes longest. */
const steps = ['build', 'format:check', 'lint', 'unused', 'typecheck', 'docs', 'package', 'test']

const skipped = process.argv.slice(2).filter((arg) => arg.startsWith('--no-'))
const failed = []
for (const step of steps.filter((name) => !skipped.includes(`--no-${name}`))) {
  const began = performance.now()
  console.log(`\n▶ npm run ${step}`)
  const { status } = spawnSync('npm', ['run', '--silent', step], { stdio: 'inherit' })
  console.log(`${status === 0 ? '✔' : '✘'} ${step} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  if (status !== 0) failed.push(step)
}
if (failed.length > 0) console.log(`\nFailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
