import { opendir } from 'node:fs/promises'
import { join } from 'node:path'

/** How many entries of a workspace are looked at. */
const mostEntries = 10_000

/**
 * The first socket, fifo or device in a folder, which would be a way out of a sandbox that sees the folder (HO6); undefined when there is
 * none among its first ten thousand entries. Links are not followed, nor are the folders `except` entered. What cannot be read is passed over:
 * the sandbox cannot read it either.
 */
export async function findSpecialFile(folder: string, except: readonly string[] = []): Promise<string | undefined> {
  let entries = 0
  const waiting = [folder]
  for (let next = waiting.pop(); next !== undefined && entries < mostEntries; next = waiting.pop()) {
    const opened = await opendir(next, { bufferSize: 256 }).catch(() => undefined)
    if (opened === undefined) continue
    for await (const entry of opened) {
      entries += 1
      const path = join(next, entry.name)
      if (entry.isDirectory()) {
        if (!except.includes(path)) waiting.push(path)
      } else if (!entry.isFile() && !entry.isSymbolicLink()) return path
      if (entries >= mostEntries) break
    }
  }
  return undefined
}
