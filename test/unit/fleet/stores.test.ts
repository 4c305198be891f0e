import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { jsonStore } from '../../../src/fleet/stores.ts'
import { scratch } from '../../fixtures/scratch.ts'

const tsx = import.meta.resolve('tsx')
const program = fileURLToPath(new URL('../../fixtures/store-of-a-relative-folder.ts', import.meta.url))

test('ST2 a relative folder is that of the moment in which the store was named', async () => {
  await using place = await scratch()
  const cwd = place.path
  const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'flotilla-source', '--import', tsx, program], { cwd })
  expect(JSON.parse(stdout)).toEqual({ home: join(cwd, 'store'), folder: join(cwd, 'store', 'runs') })
  expect(await readdir(join(cwd, 'store'))).toContain('journal')
  expect(await readdir(join(cwd, 'elsewhere'))).toEqual([])
})

test('ST2 what becomes of the options later changes no store', async () => {
  await using place = await scratch()
  const folder = place.path
  const options = { folder }
  const store = jsonStore(options)
  options.folder = join(folder, 'other')
  await store.open({ instance: 'i' })
  await store.close()
  expect(await readdir(folder)).toContain('journal')
  expect(await readdir(folder)).not.toContain('other')
})
