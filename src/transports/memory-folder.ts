import { access, chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Where files lie in memory on Linux. */
const place = '/dev/shm'

/** A folder in memory. */
export interface MemoryFolder {
  readonly path: string
  remove(): Promise<void>
}

/**
 * Makes a folder whose files lie in memory, so that a container's limit of memory bounds what it leaves there; undefined where there is no
 * place for one. It carries the store's id, so that a later fleet finds what this one leaves behind.
 */
export async function createMemoryFolder(storeId: string): Promise<MemoryFolder | undefined> {
  const isThere = await access(place).then(
    () => process.platform === 'linux',
    () => false,
  )
  if (!isThere) return undefined
  const around = await mkdtemp(join(place, prefixOf(storeId)))
  // Whoever the container runs as gets to its folder by its name; others see no names.
  await chmod(around, 0o711)
  const path = join(around, 'folder')
  await mkdir(path, { mode: 0o700 })
  return { path, remove: () => rm(around, { recursive: true, force: true }) }
}

/** Removes the folders in memory that an earlier fleet of the store left behind. */
export async function removeMemoryFolders(storeId: string): Promise<void> {
  const names = await readdir(place).catch(() => [])
  const left = names.filter((name) => name.startsWith(prefixOf(storeId)))
  await Promise.all(left.map((name) => rm(join(place, name), { recursive: true, force: true })))
}

function prefixOf(storeId: string): string {
  return `flotilla-${storeId.replaceAll(/[^A-Za-z0-9._-]/g, '_')}-`
}
