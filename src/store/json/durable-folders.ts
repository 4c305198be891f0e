import { dirname, sep } from 'node:path'
import type { Disk } from './disk.ts'
import { isErrno } from './disk.ts'

/** How many folders are remembered, so that many runs do not fill the memory. */
const mostKnown = 1000

/**
 * The same disk, on which a folder that was made survives a power loss. That one is there says nothing: whoever made it may have died
 * before its name was durable, so each process syncs the names on the way to it once.
 */
export function withDurableFolders(disk: Disk, root: string): Disk {
  const known = new Set<string>()
  const forget = (folder: string) => {
    for (const one of known) if (isWithin(one, folder)) known.delete(one)
  }
  const secure = async (path: string, isOurs: (path: string) => boolean): Promise<void> => {
    const above = dirname(path)
    if (above === path || known.has(path)) return
    await secure(above, isOurs)
    await disk.syncFolder(above).catch((error: unknown) => {
      // What lies above the store belongs to others, and may not be ours to open.
      if (isOurs(path) || !isErrno(error, 'EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EROFS')) throw error
    })
    if (known.size >= mostKnown) known.clear()
    known.add(path)
  }
  return {
    ...disk,
    makeFolder: async (path) => {
      const first = await disk.makeFolder(path)
      if (first !== undefined) forget(first)
      const isOurs = (one: string) => (isWithin(one, root) && one !== root) || (first !== undefined && isWithin(one, first))
      await secure(path, isOurs)
      return first
    },
    removeFolder: async (path) => {
      forget(path)
      await disk.removeFolder(path)
    },
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}${sep}`)
}
