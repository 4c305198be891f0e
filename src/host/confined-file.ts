import type { Stats } from 'node:fs'
import { type FileHandle, lstat, readlink, realpath } from 'node:fs/promises'
import { sep } from 'node:path'

/** Where an opened file must lie. */
export interface Confinement {
  /** Absolute path of a folder, with every link resolved. */
  readonly within: string
  /** How many names it may have. */
  readonly maxLinks?: number
}

/**
 * Whether a file that was opened lies in a folder, whoever swaps names and folders for links meanwhile. On Linux the platform tells the
 * name by which it was opened, and it is asked again after that name was looked at: a name that was taken away does not come back to
 * the same opening. Elsewhere the path is resolved anew, which leaves a shorter moment for a swap.
 */
export async function isConfined(handle: FileHandle, path: string, confinement: Confinement): Promise<boolean> {
  const nameOf = process.platform === 'linux' ? () => readlink(`/proc/self/fd/${handle.fd}`) : () => realpath(path)
  try {
    const name = await nameOf()
    if (!name.startsWith(confinement.within === sep ? sep : confinement.within + sep)) return false
    const [named, opened] = await Promise.all([lstat(name), handle.stat()])
    return isSame(named, opened) && named.nlink <= (confinement.maxLinks ?? Infinity) && (await nameOf()) === name
  } catch {
    // What cannot be looked at has gone.
    return false
  }
}

function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev
}
