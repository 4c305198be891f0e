import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { FleetError } from '../protocol/errors.ts'
import { relativeProblem } from '../protocol/path-text.ts'

/** The folder of one attempt of a worker that does not see the files of the fleet. Its root lies in it; files may come before the root is known. */
export interface AttemptFolder {
  /** Absolute path of the attempt's own folder. */
  readonly path: string
  /** Takes a piece of a file. Throws what the file system says. */
  take(transfer: number, piece: Uint8Array): void
  /** The pieces of a transfer are a file of the task's root. Throws `unreadable_file` for a path that does not stay there. */
  place(transfer: number, path: string): void
  /** Makes the task's root, with the files that were placed, and gives its absolute path. */
  openRoot(root: string | undefined): string
  /** Removes the folder and all in it; what cannot be removed is left. */
  remove(): Promise<void>
}

/** Folders of attempts, in one folder of this worker that only its user may enter. */
export interface AttemptFolders {
  make(): AttemptFolder
  /** Removes what is left of all. */
  remove(): void
}

/** Nothing is made before the first folder is. */
export function createAttemptFolders(parent: string = tmpdir()): AttemptFolders {
  let base: string | undefined
  let made = 0
  return {
    make() {
      base ??= mkdtempSync(join(parent, 'flotilla-worker-'))
      made += 1
      return makeFolder(join(base, String(made)))
    },
    remove() {
      if (base !== undefined) rmSync(base, { recursive: true, force: true })
      base = undefined
    },
  }
}

function makeFolder(path: string): AttemptFolder {
  const parts = `${path}/parts`
  const placed = `${path}/placed`
  mkdirSync(path)
  return {
    path,
    take(transfer, piece) {
      mkdirSync(parts, { recursive: true })
      appendFileSync(join(parts, String(transfer)), piece)
    },
    place(transfer, to) {
      const problem = relativeProblem(to)
      if (problem !== undefined) {
        throw new FleetError('unreadable_file', `The file ${JSON.stringify(to)} ${problem}. Name one in the task's root.`)
      }
      // A file of no bytes may come without a piece.
      this.take(transfer, new Uint8Array())
      mkdirSync(dirname(join(placed, to)), { recursive: true })
      renameSync(join(parts, String(transfer)), join(placed, to))
    },
    openRoot(root = '.') {
      const top = join(path, 'root')
      // Where the fleet's own workspace lies means nothing here.
      const inTop = relativeProblem(root) === undefined ? join(top, root) : top
      mkdirSync(placed, { recursive: true })
      mkdirSync(dirname(inTop), { recursive: true })
      renameSync(placed, inTop)
      rmSync(parts, { recursive: true, force: true })
      return inTop
    },
    remove: () => rm(path, { recursive: true, force: true }).catch(() => {}),
  }
}
