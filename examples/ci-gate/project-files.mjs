import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const foreign = new Set(['node_modules', '.git', '.flotilla', 'dist', 'coverage', 'api'])

/** The project's own files, as paths from its root, that end in one of the extensions. */
export function projectFiles(extensions, folder = '.') {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return foreign.has(entry.name) ? [] : projectFiles(extensions, path)
    return entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)) ? [path] : []
  })
}
