import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that goes away. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Absolute, with every link resolved. */
  readonly path: string
  /** Removes the folder and all in it. Twice is safe. */
  remove(): Promise<void>
}

/** Creates an empty folder that only this user may enter: for the attempts of a store that has no folder. */
export async function createTemporaryFolder(prefix = 'flotilla-'): Promise<TemporaryFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), prefix)))
  const remove = () => rm(path, { recursive: true, force: true })
  return { path, remove, [Symbol.asyncDispose]: remove }
}
