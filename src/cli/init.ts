import { writeFile } from 'node:fs/promises'
import { FleetError } from '../index.ts'
import { firstTaskFile } from './first-task-file.ts'
import type { Verb } from './verb.ts'

export const init: Verb = {
  takes: '[FILE]',
  does: 'Writes a first task file, with what else it may say in comments; default tasks.toml. It overwrites nothing.',
  least: 0,
  most: 1,
  options: [],
  async perform({ words, output }) {
    const [file = 'tasks.toml'] = words
    if (!file.endsWith('.toml')) {
      throw new FleetError('usage', `${file}: the file that is written is TOML, so its name must end in .toml. Name another.`)
    }
    await write(file)
    output.text(`${file} was written. Run it with \`flotilla run ${file}\`.`)
    output.summary({ file })
    return 0
  },
}

async function write(file: string): Promise<void> {
  try {
    await writeFile(file, firstTaskFile, { flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new FleetError('usage', `${file} is there already, and was left as it is. Name another file.`)
    throw new FleetError('unreadable_file', `${file} cannot be written: ${message}. Check the path and its permissions.`, {
      details: { path: file },
      cause: error,
    })
  }
}
