import type { Files } from '../../ports/files.ts'
import { FleetError } from '../../protocol/errors.ts'
import { maxTransferBytes } from './transfer-limit.ts'

/** A file that a task brings along to a worker elsewhere; its path is relative to the task's root. */
export interface StagedFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * Reads the input files of a task below its root: names as they are written, everything in folders, and what patterns match (WS2). What
 * leads out of the root is passed over. Throws `too_large` when they are more than may be sent.
 */
export async function* stagedFiles(files: Files, root: string, named: readonly string[]): AsyncGenerator<StagedFile> {
  const paths = new Set<string>()
  for (const name of named) for (const path of await pathsOf(files, root, name)) paths.add(path)
  let left = maxTransferBytes
  for (const path of paths) {
    const real = await files.real(`${root}/${path}`)
    if (real === undefined || !real.startsWith(root === '/' ? root : `${root}/`)) continue
    const bytes = await files.read(real, { limit: left, within: root }).catch((error: unknown) => {
      if (!FleetError.is(error, 'too_large')) throw error
      throw new FleetError('too_large', `input_files: together they are larger than ${maxTransferBytes} bytes. Leave some out.`)
    })
    left -= bytes.length
    yield { path, bytes }
  }
}

async function pathsOf(files: Files, root: string, name: string): Promise<readonly string[]> {
  const facts = await files.facts((await files.real(`${root}/${name}`)) ?? `${root}/${name}`)
  if (facts?.kind === 'file') return [name]
  if (facts?.kind === 'folder') return (await files.find(`${root}/${name}`, ['**'])).map((path) => `${name}/${path}`)
  return files.find(root, [name])
}
