import { closeSync, constants, existsSync, fdatasyncSync, fstatSync, openSync, read, statSync, writeSync } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A file open for writing. */
export interface DiskFile {
  /** Hands bytes to the operating system and gives how many it took: fewer than given when the disk is nearly full. */
  write(bytes: Uint8Array, at: number): number
  /** Makes what was written survive a power loss. */
  sync(): Promise<void>
  /** The same, without a hop through the thread pool: faster when nothing else could run meanwhile. */
  syncNow(): void
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

/** Every file operation of the JSON store, one method each, so that a test can record and fail each. */
export interface Disk {
  /** Opens for writing. `create: true` wants a new file and rejects EEXIST; else it must be there. */
  open(path: string, options: { readonly create: boolean }): Promise<DiskFile>
  /** Bytes `from` up to `to`, fewer where the file ends before; empty when there is no file. */
  read(path: string, from?: number, to?: number): Promise<Buffer>
  /**
   * Writes bytes once more over the same ones, and syncs them. A sync alone would store nothing of them if one had failed before: the
   * operating system then takes them for stored.
   */
  rewrite(path: string, at: number, bytes: Uint8Array): Promise<void>
  /** Size and time of change, or undefined when nothing is there. */
  facts(path: string): Promise<{ readonly size: number; readonly modifiedAt: number } | undefined>
  /** Throws where that cannot be told. */
  exists(path: string): boolean
  /**
   * The same of a file that was there and is being written to: it is not asked for its times. Where it was, Linux 6.13 and later keep the
   * time of its next change exactly, and the next sync takes half as long again.
   */
  remains(path: string): boolean
  /** Names in a folder, sorted; none when there is no folder. */
  list(folder: string): Promise<readonly string[]>
  /** Gives a file a second name; rejects EEXIST when the name is taken. */
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file, when it is there. */
  remove(path: string): Promise<void>
  removeFolder(path: string): Promise<void>
  /** Creates a folder and those above it, where they are missing; gives the topmost that it created. */
  makeFolder(path: string): Promise<string | undefined>
  /** Makes the names in a folder survive a power loss. */
  syncFolder(path: string): Promise<void>
  /** Resolves when everything that could run at once has run: callers that come together share one write. */
  turn(): Promise<void>
}

/** The disk of this machine. */
export const nodeDisk: Disk = {
  open: async (path, { create }) => writable(await open(path, create ? 'wx' : 'r+')),
  read: async (path, from = 0, to = Number.MAX_SAFE_INTEGER) => {
    const file = openToRead(path)
    if (file === undefined) return Buffer.alloc(0)
    try {
      return await readRange(file, from, Math.min(to, fstatSync(file).size))
    } finally {
      closeSync(file)
    }
  },
  rewrite: async (path, at, bytes) => {
    const file = await open(path, 'r+')
    try {
      for (let done = 0; done < bytes.length;)
        done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten
      await file.datasync()
    } finally {
      await file.close()
    }
  },
  facts: async (path) => {
    const found = await orMissing(stat(path))
    return found && { size: found.size, modifiedAt: found.mtimeMs }
  },
  exists,
  remains: (path) => existsSync(path) || exists(path),
  list: async (folder) => ((await orMissing(readdir(folder))) ?? []).toSorted(),
  link,
  rename,
  remove: async (path) => {
    await orMissing(unlink(path))
  },
  removeFolder: (path) => rm(path, { recursive: true, force: true }),
  makeFolder: (path) => mkdir(path, { recursive: true }),
  syncFolder: async (path) => {
    // Windows opens no folders, and needs none synced.
    const folder = await open(path, 'r').catch((error: unknown) => {
      if (isErrno(error, 'EISDIR', 'EPERM')) return undefined
      throw error
    })
    if (folder === undefined) return
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Whether an error is one of the operating system's, by its names. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}

function writable(file: FileHandle): DiskFile {
  return {
    write: (bytes, at) => writeSync(file.fd, bytes, 0, bytes.length, at),
    sync: () => file.datasync(),
    syncNow: () => fdatasyncSync(file.fd),
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  }
}

const readSome = promisify(read)

/**
 * Only the bytes come through the thread pool: a history may lie in a hundred places, and a hop costs more than the few bytes that it
 * fetches. What is no file, such as a pipe, is not waited for.
 */
function openToRead(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

async function readRange(file: number, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from))
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await readSome(file, bytes, filled, bytes.length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

async function orMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
