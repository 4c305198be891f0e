import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { FleetError } from '../protocol/errors.ts'
import type { SecretSource } from '../ports/secrets.ts'

/** Where {@link fileSecrets} looks: in a folder, where the name of a file is its key, or in files that are named one by one. */
export type SecretFiles = { readonly folder: string } | { readonly files: Readonly<Record<string, string>> }

/** More than any secret may have; what is longer is refused by its size. */
const mostBytes = 64 * 1024

/**
 * Secrets from files, read anew for each attempt, without the line break at their end; the source is `file`. A file must be a regular one
 * that belongs to the user of this process, or to root, and that nobody else may read (mode 600 or 400). Links within the folder are
 * followed; what leads out of it is refused. Files that are named one by one may not be links. What is there and may not be used fails with
 * `secret_unresolved`, naming the file; nothing there is no secret here.
 */
export function fileSecrets(where: SecretFiles): SecretSource {
  return {
    source: 'file',
    async resolve(key) {
      const path = 'folder' in where ? await pathIn(where.folder, key) : await pathOf(where.files, key)
      return path === undefined ? undefined : readSecret(path)
    },
  }
}

/** Keys that are no plain names of files name nothing in a folder. */
async function pathIn(folder: string, key: string): Promise<string | undefined> {
  if (!/^[A-Za-z0-9._-]+$/.test(key) || key === '.' || key === '..') return undefined
  const base = await realpath(folder).catch(absent)
  const real = base === undefined ? undefined : await realpath(join(base, key)).catch(absent)
  if (base === undefined || real === undefined) return undefined
  if (!real.startsWith(base === sep ? sep : base + sep)) throw refused(join(base, key), 'leads out of its folder by a link')
  return real
}

async function pathOf(files: Readonly<Record<string, string>>, key: string): Promise<string | undefined> {
  const given = Object.hasOwn(files, key) ? files[key] : undefined
  if (given === undefined) return undefined
  const path = resolve(given)
  return (await lstat(path).catch(absent)) === undefined ? undefined : path
}

/** Opened without following a link or waiting for a fifo; what is looked at is what is read. */
async function readSecret(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      throw refused(path, error.code === 'ELOOP' ? 'is a link' : `cannot be opened (${error.code ?? 'unknown error'})`)
    },
  )
  try {
    const problem = problemOf(await file.stat())
    if (problem !== undefined) throw refused(path, problem)
    return (await readText(file, path)).replace(/\r?\n$/, '')
  } finally {
    await file.close()
  }
}

function problemOf(stats: Stats): string | undefined {
  if (!stats.isFile()) return 'is no regular file'
  if (stats.size > mostBytes) return `is larger than ${mostBytes} bytes`
  // Windows knows neither.
  const user = process.getuid?.()
  if (user === undefined) return undefined
  if (stats.uid !== user && stats.uid !== 0) return 'belongs to another user'
  const mode = stats.mode & 0o777
  return (mode & 0o077) === 0 ? undefined : `may be used by others than its owner (mode ${mode.toString(8)}; chmod 600 it)`
}

async function readText(file: FileHandle, path: string): Promise<string> {
  const bytes = new Uint8Array(mostBytes + 1)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
  if (bytesRead > mostBytes) throw refused(path, `is larger than ${mostBytes} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, bytesRead))
  } catch {
    throw refused(path, 'is no UTF-8 text')
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw new FleetError('secret_unresolved', `A file cannot be looked for (${error.code ?? 'unknown error'}).`)
}

function refused(path: string, why: string): FleetError {
  return new FleetError('secret_unresolved', `The file ${path} ${why}.`, { details: { path } })
}
