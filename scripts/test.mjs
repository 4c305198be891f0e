// Runs the tests, then says which system tools were missing. `--full` adds the long ones (test/**/*.full.ts); what follows goes to vitest.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { canConfine, canContain, canMount, hasOtherNodes, installCommand, missingTools } from './system-tools.mjs'

const args = process.argv.slice(2)
const full = args.includes('--full')
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))

const { status } = spawnSync(process.execPath, [vitest, 'run', ...args.filter((arg) => arg !== '--full')], {
  stdio: 'inherit',
  env: { ...process.env, ...(full && { FLOTILLA_TEST_FULL: '1' }) },
})

const missing = missingTools()
if (missing.length > 0) {
  console.log(
    `\nMissing on this machine, so the tests that need them failed or were skipped: ${missing.map(({ tool }) => tool).join(', ')}`,
  )
  console.log(`Get them with: ${installCommand(missing)}`)
}
if (!canMount())
  console.log('\nNothing can be mounted here (that takes Linux, and root), so the tests on a real full disk were skipped.')
if (!canConfine())
  console.log(
    '\nNo sandbox can be built here (that takes Linux, bubblewrap, and namespaces), so the tests of sandboxes were skipped.',
  )
if (!canContain())
  console.log('\nNo container can be run here (that takes Linux, and podman), so the tests of containers were skipped.')
if (!hasOtherNodes()) console.log('\nOther versions of Node come for Linux on x64 alone, so the tests on them were skipped.')
process.exitCode = status ?? 1
