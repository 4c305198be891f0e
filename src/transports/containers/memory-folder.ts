import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where files lie in memory on Linux; elsewhere, where temporary files are. */
const place = process.platform === 'linux' ? '/dev/shm' : tmpdir()

/** A folder that lies in memory. */
export interface MemoryFolder {
  readonly path: string
  /** A path for a file of the fleet's own, which goes with the folder. */
  readonly beside: (name: string) => string
  remove(): Promise<void>
}

/**
 * Makes a folder whose files lie in memory, so that a container's limit of memory bounds what it leaves there. Its name carries the store's id, so
 * that a later fleet finds what this one leaves behind.
 */
export async function createMemoryFolder(storeId: string): Promise<MemoryFolder> {
  const around = await mkdtemp(join(place, prefixOf(storeId)))
  // Whoever the container runs as gets to its folder by its name; others see no names.
  await chmod(around, 0o711)
  const path = join(around, 'folder')
  await mkdir(path, { mode: 0o700 })
  return { path, beside: (name) => join(around, name), remove: () => rm(around, { recursive: true, force: true }) }
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
