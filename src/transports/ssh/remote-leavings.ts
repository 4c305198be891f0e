import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createTarReader, type TarEntry } from './tar-reader.ts'

/** What a command left at another machine, as it comes. */
export interface RemoteLeavings {
  /** Takes a piece of the archive. Rejects where it is none, or where nothing can be written here. */
  write(bytes: Uint8Array): Promise<void>
  /** Nothing follows: lines for the log, of what was left out. Throws where an archive was cut short. */
  end(): readonly string[]
  /** The bytes of the file that the scorer reads, when they came. */
  readonly evidence: Uint8Array
}

const longestNotes = 20

/**
 * Writes what comes of an attempt's leavings into its folder at the fleet: files below `artifacts`, and `output.json`, and nothing else. The
 * other machine is not believed: no name leads out, and links, which could lead the next file out, are not made (AR3).
 */
export function createRemoteLeavings(folder: string, limits: { readonly files: number; readonly bytes: number }): RemoteLeavings {
  const notes: string[] = []
  const evidence: Uint8Array[] = []
  let [files, bytes, uncounted] = [0, 0, 0]
  let target: FileHandle | 'evidence' | undefined
  let hasBegun = false

  const leave = (path: string, why: string) => {
    if (notes.length < longestNotes) notes.push(`[${path} left out: ${why}]\n`)
    else uncounted += 1
  }

  async function place({ path, kind, size }: TarEntry): Promise<FileHandle | 'evidence' | undefined> {
    if (kind === 'folder') return undefined
    if (path === 'evidence' && kind === 'file') return 'evidence'
    const why =
      problemOf(path, kind) ??
      (bytes + size > limits.bytes ? `with it there would be more than ${limits.bytes} bytes` : undefined)
    if (why !== undefined) {
      leave(path, why)
      return undefined
    }
    files += 1
    if (files > limits.files) return undefined
    bytes += size
    const at = join(folder, path)
    try {
      await mkdir(dirname(at), { recursive: true })
      return await open(at, 'wx', 0o600)
    } catch (error) {
      if (!isOwnDoing(error)) throw error
      leave(path, String(error))
      return undefined
    }
  }

  const reader = createTarReader({
    async entry(entry) {
      target = await place(entry)
    },
    async bytes(piece) {
      if (target === 'evidence') evidence.push(Uint8Array.from(piece))
      else if (target !== undefined) await target.writeFile(piece)
    },
    async end() {
      if (target !== 'evidence') await target?.close()
      target = undefined
    },
  })

  return {
    write(piece) {
      hasBegun = true
      return reader.write(piece)
    },
    end() {
      if (hasBegun) reader.end()
      return [...notes, ...(uncounted > 0 ? [`[${uncounted} more left out]\n`] : [])]
    },
    get evidence() {
      return Buffer.concat(evidence)
    },
  }
}

function problemOf(path: string, kind: TarEntry['kind']): string | undefined {
  const parts = path.split('/')
  const isBelow = path === 'output.json' || (parts[0] === 'artifacts' && parts.length > 1)
  if (!isBelow || path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..'))
    return 'it leads out of its folder'
  return kind === 'file' ? undefined : `it is ${kind === 'link' ? 'a link' : 'no regular file'}`
}

/** A name that the archive has twice, or as a file and a folder, or that is too long. */
function isOwnDoing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EINVAL'].includes(String(error.code))
  )
}
