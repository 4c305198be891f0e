import { dirname } from 'node:path'
import type { Disk, DiskFile } from './disk.ts'
import { isErrno } from './disk.ts'

/** Appends all bytes, going on after short writes. */
export function appendAll(file: DiskFile, bytes: Uint8Array): void {
  let done = 0
  while (done < bytes.length) {
    const taken = file.append(done === 0 ? bytes : bytes.subarray(done))
    if (taken <= 0) throw new Error(`the disk took ${done} of ${bytes.length} bytes`)
    done += taken
  }
}

/** Puts a file in place of what was there: after a power loss it is the old one or the new one, whole. */
export async function replaceFile(disk: Disk, path: string, bytes: Uint8Array, unique: string): Promise<void> {
  const temporary = `${path}.${unique}.tmp`
  try {
    await writeSynced(disk, temporary, bytes)
    await disk.rename(temporary, path)
  } catch (error) {
    await disk.remove(temporary).catch(() => undefined)
    throw error
  }
  await disk.syncFolder(dirname(path))
}

/** Creates a file with all of its content in one step. False when the name is taken: then somebody else was first. */
export async function createFile(disk: Disk, path: string, bytes: Uint8Array, unique: string): Promise<boolean> {
  const temporary = `${path}.${unique}.tmp`
  try {
    await writeSynced(disk, temporary, bytes)
    await disk.link(temporary, path)
  } catch (error) {
    if (isErrno(error, 'EEXIST', 'ENOENT')) return false
    throw error
  } finally {
    await disk.remove(temporary).catch(() => undefined)
  }
  await disk.syncFolder(dirname(path))
  return true
}

async function writeSynced(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, { create: true })
  try {
    appendAll(file, bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
