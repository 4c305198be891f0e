import { dirname } from 'node:path'
import type { Disk } from './disk.ts'
import { isErrno } from './disk.ts'
import { writeAll } from './segment-file.ts'

/** Puts a file in place of what was there: after a power loss it is the old one or the new one, whole. */
export async function replaceFile(disk: Disk, path: string, bytes: Uint8Array, unique: string): Promise<void> {
  await putFile(disk, path, bytes, unique)
  await disk.syncFolder(dirname(path))
}

/** The same, as long as the folder is synced before anything counts on it: after a power loss the old one may be there again. */
export async function putFile(disk: Disk, path: string, bytes: Uint8Array, unique: string): Promise<void> {
  const temporary = `${path}.${unique}.tmp`
  try {
    await writeSynced(disk, temporary, bytes)
    await disk.rename(temporary, path)
  } catch (error) {
    await disk.remove(temporary).catch(() => undefined)
    throw error
  }
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
    writeAll(file, bytes, 0)
    await file.sync()
  } finally {
    await file.close()
  }
}
