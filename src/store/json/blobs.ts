import { hash } from 'node:crypto'
import { join } from 'node:path'
import { FleetError } from '../../protocol/errors.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Disk } from './disk.ts'
import type { Layout } from './layout.ts'
import { replaceFile } from './whole-file.ts'

const sha256Pattern = /^[0-9a-f]{64}$/

/** Blobs as files named by their content, in the folder of their run. */
export function diskBlobs(disk: Disk, layout: Layout, unique: () => string): Blobs {
  const folderOf = (run: string) => join(layout.run(run), 'blobs')
  return {
    put: async (run, bytes) => {
      const sha256 = hash('sha256', bytes)
      const path = join(folderOf(run), sha256)
      const kept = await disk.facts(path)
      await disk.makeFolder(folderOf(run))
      // Whoever stored the same bytes before may not have come to sync their name.
      if (kept?.size === bytes.length) await disk.syncFolder(folderOf(run))
      else await replaceFile(disk, path, bytes, unique())
      return { sha256, size: bytes.length }
    },
    open: async (run, sha256) => {
      if (!sha256Pattern.test(sha256)) return undefined
      const path = join(folderOf(run), sha256)
      if (!disk.exists(path)) return undefined
      const bytes = await disk.read(path)
      if (hash('sha256', bytes) !== sha256)
        throw new FleetError('store_damaged', `${path} does not hold the bytes that it is named by. Restore it from a copy.`, {
          details: { run, file: path },
        })
      return bytes
    },
    remove: (run) => disk.removeFolder(folderOf(run)),
  }
}
