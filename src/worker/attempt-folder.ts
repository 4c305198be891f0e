import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { FleetError } from '../protocol/errors.ts'
import { relativeProblem } from '../protocol/path-text.ts'

/**
 * The folder of one attempt of a worker that does not see the files of the fleet. The task's root lies in it; files may come before the root is known.
 * Nothing is made before it is needed: most work needs none.
 */
export interface AttemptFolder {
  /** Takes a piece of a file. */
  take(transfer: number, piece: Uint8Array): void
  /** The pieces of a transfer are a file of the task's root. Throws `unreadable_file` for a path that does not stay there. */
  place(transfer: number, path: string): void
  /** Makes the folder, and gives its absolute path. */
  open(): string
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

export function createAttemptFolders(parent: string = tmpdir()): AttemptFolders {
  let base: string | undefined
  let made = 0
  return {
    make() {
      made += 1
      const name = String(made)
      return makeFolder(() => join((base ??= mkdtempSync(join(parent, 'flotilla-worker-'))), name))
    },
    remove() {
      if (base !== undefined) rmSync(base, { recursive: true, force: true })
      base = undefined
    },
  }
}

function makeFolder(name: () => string): AttemptFolder {
  let path: string | undefined
  let openedRoot: string | undefined
  let hasFiles = false

  const open = (): string => {
    if (path !== undefined) return path
    const made = name()
    mkdirSync(made, { recursive: true })
    return (path = made)
  }
  const take = (transfer: number, piece: Uint8Array) => {
    mkdirSync(`${open()}/parts`, { recursive: true })
    appendFileSync(`${open()}/parts/${transfer}`, piece)
  }

  return {
    open,
    take,
    place(transfer, to) {
      const problem = relativeProblem(to)
      if (problem !== undefined) {
        throw new FleetError('unreadable_file', `The file ${JSON.stringify(to)} ${problem}. Name one in the task's root.`)
      }
      hasFiles = true
      // A file of no bytes may come without a piece.
      take(transfer, new Uint8Array())
      const target = join(open(), 'placed', to)
      mkdirSync(dirname(target), { recursive: true })
      renameSync(`${open()}/parts/${transfer}`, target)
    },
    openRoot(root = '.') {
      if (openedRoot !== undefined) return openedRoot
      const top = join(open(), 'root')
      // Where the fleet's own workspace lies means nothing here.
      const inTop = relativeProblem(root) === undefined ? join(top, root) : top
      mkdirSync(hasFiles ? dirname(inTop) : inTop, { recursive: true })
      if (hasFiles) renameSync(`${open()}/placed`, inTop)
      return (openedRoot = inTop)
    },
    remove: () => (path === undefined ? Promise.resolve() : rm(path, { recursive: true, force: true }).catch(() => {})),
  }
}
