import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeDisk } from '../../../../src/store/json/disk.ts'
import { storeFolder } from './store-folder.ts'

test('ST2 a range of a file is read as far as the file goes, and what is not there is empty', async () => {
  const { folder } = await storeFolder()
  const path = join(folder, 'file')
  await writeFile(path, '0123456789')
  const read = async (...range: number[]) => String(await nodeDisk.read(path, ...range))
  expect([await read(), await read(4), await read(2, 5), await read(8, 99), await read(20)]).toEqual([
    '0123456789',
    '456789',
    '234',
    '89',
    '',
  ])
  expect(String(await nodeDisk.read(join(folder, 'nowhere')))).toBe('')
  expect(String(await nodeDisk.read(join(path, 'below-a-file')))).toBe('')
  await expect(nodeDisk.read(folder)).rejects.toMatchObject({ code: 'EISDIR' })
})

test('ST2 a pipe that lies in the folder is not waited for', async () => {
  const { folder } = await storeFolder()
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  expect(String(await nodeDisk.read(path))).toBe('')
})
