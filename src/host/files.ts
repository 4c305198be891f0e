import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, realpath, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FleetError } from '../protocol/errors.ts'
import type { FileFacts, Files } from '../ports/files.ts'
import { isConfined } from './confined-file.ts'

/** The file system of the machine. A link at the end of a path is never followed by `read` and `append`, and a fifo never waited for. */
export function diskFiles(): Files {
  return {
    async facts(path) {
      const stats = await lstat(path).catch(absent)
      return stats && { kind: kindOf(stats), size: stats.size, links: stats.nlink }
    },
    real: (path) => realpath(path).catch(absent),
    read: readRegular,
    async makeFolder(path) {
      await mkdir(path, { recursive: true })
    },
    append,
    // Its library is loaded by whoever looks for files: a worker does not.
    find: async (folder, patterns) => (await import('./find-files.ts')).findFiles(folder, patterns),
    removeFolder: (path) => rm(path, { recursive: true, force: true }),
  }
}

function kindOf(stats: Stats): FileFacts['kind'] {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  return stats.isSymbolicLink() ? 'link' : 'other'
}

/** Undefined when nothing is there; other errors are thrown. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw unreadable(error)
}

async function readRegular(path: string, options: Parameters<Files['read']>[1]): Promise<Uint8Array> {
  const { limit, within, maxLinks = Infinity } = options
  await using file = await openRegular(path, constants.O_RDONLY)
  if (within !== undefined && !(await isConfined(file.handle, path, { within, maxLinks }))) throw swapped(path)
  if (file.size > limit) throw tooLarge(path, limit)
  const chunks: Uint8Array[] = []
  let length = 0
  // Read to the end, not to the size that it had when it was opened: it may be growing.
  for await (const chunk of file.handle.createReadStream({ autoClose: false }) as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > limit) throw tooLarge(path, limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function append(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await using file = await openRegular(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT)
  await file.handle.appendFile(text)
}

interface OpenFile extends AsyncDisposable {
  readonly handle: FileHandle
  readonly size: number
}

/** O_NONBLOCK: opening a fifo must not wait for its other end. What was opened is looked at again, since the path may have changed. */
async function openRegular(path: string, flags: number): Promise<OpenFile> {
  const before = await lstat(path).catch(absent)
  if (before !== undefined && !before.isFile()) throw notRegular(path)
  const handle = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    throw unreadable(error)
  })
  const stats = await handle.stat()
  if (stats.isFile()) return { handle, size: stats.size, [Symbol.asyncDispose]: () => handle.close() }
  await handle.close()
  throw notRegular(path)
}

function notRegular(path: string): FleetError {
  return new FleetError('unreadable_file', `${path} is no regular file. Links, folders, fifos and devices are not read.`, {
    details: { path },
  })
}

function swapped(path: string): FleetError {
  return new FleetError(
    'unreadable_file',
    `${path} was moved, linked or swapped while it was opened. Leave it alone until it was read.`,
    {
      details: { path },
    },
  )
}

function tooLarge(path: string, limit: number): FleetError {
  return new FleetError('too_large', `${path} is larger than ${limit} bytes. Make it smaller.`, { details: { path, limit } })
}

function unreadable(error: unknown): FleetError {
  const message = error instanceof Error ? error.message : String(error)
  return new FleetError('unreadable_file', `${message}. Check the path and its permissions.`, { cause: error })
}
