import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

it('npm run demo checks this repository, is signed off, and ends with 0', { timeout: 300_000 }, async () => {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const { stdout } = await run('npm', ['run', '--silent', 'demo'], { cwd, maxBuffer: 64 * 1024 * 1024 })
  expect(stdout).toContain('$ flotilla settle')
  expect(stdout).toContain('release-note')
})
