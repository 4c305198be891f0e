import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { plantedBugs } from './planted-bugs.ts'
import { plantedCopy } from './planted-copy.ts'

const tsx = fileURLToPath(import.meta.resolve('tsx'))

test.each(plantedBugs)('DE4 a thousand seeds find that $what', { timeout: 180_000 }, async (bug) => {
  const place = await plantedCopy(bug)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-C', 'flotilla-source', '--import', tsx, join(place, 'test/simulation/find.ts')],
    { cwd: place },
  )
  expect(stdout).toMatch(/ broke a rule with seed /)
})
