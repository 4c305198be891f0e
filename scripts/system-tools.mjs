// Programs of the operating system that tests call, and the Debian package that each comes with.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const tools = { sh: 'dash', setsid: 'util-linux', mkfifo: 'coreutils' }

/** The tools that are not on the path, with their packages. */
export function missingTools() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const isThere = (tool) => folders.some((folder) => isExecutable(join(folder, tool)))
  return Object.entries(tools)
    .filter(([tool]) => !isThere(tool))
    .map(([tool, aptPackage]) => ({ tool, aptPackage }))
}

/** What to type to get them. */
export function installCommand(missing) {
  return `apt-get install -y ${[...new Set(missing.map(({ aptPackage }) => aptPackage))].join(' ')}`
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
