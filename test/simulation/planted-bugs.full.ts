import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { plantedBugs } from './planted-bugs.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tsx = fileURLToPath(import.meta.resolve('tsx'))
let folder: string | undefined

afterEach(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

/** A copy of the sources with one mistake in it. */
async function planted({ file, right, wrong }: (typeof plantedBugs)[number]): Promise<string> {
  await mkdir(join(root, '.flotilla'), { recursive: true })
  folder = await mkdtemp(join(root, '.flotilla', 'planted-'))
  for (const part of ['src', 'test/simulation', 'package.json'])
    await cp(join(root, part), join(folder, part), { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const text = await readFile(join(folder, file), 'utf8')
  expect(text.split(right), `${file} has exactly one ${right}`).toHaveLength(2)
  await writeFile(
    join(folder, file),
    text.replace(right, () => wrong),
  )
  return folder
}

test.each(plantedBugs)('DE4 a thousand seeds find that $what', { timeout: 180_000 }, async (bug) => {
  const place = await planted(bug)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-C', 'flotilla-source', '--import', tsx, join(place, 'test/simulation/find.ts')],
    { cwd: place },
  )
  expect(stdout).toMatch(/ broke a rule with seed /)
})
