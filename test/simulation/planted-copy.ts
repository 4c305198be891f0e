import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import type { plantedBugs } from './planted-bugs.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A copy of the sources with one mistake in it, until the test is over. */
export async function plantedCopy({ file, right, wrong }: (typeof plantedBugs)[number]): Promise<string> {
  await mkdir(join(root, '.flotilla'), { recursive: true })
  const folder = await mkdtemp(join(root, '.flotilla', 'planted-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
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
