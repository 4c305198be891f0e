import { chmod, mkdir, realpath, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Confinement } from '../../protocol/wire.ts'
import type { ContainerMount } from '../../security/container.ts'
import { mountProblem } from '../../security/container-words.ts'
import { rootProblem } from '../../security/sandbox-view.ts'
import { artifactsFolder } from '../commands/command-launch.ts'
import { existing, isInside, writablePath } from '../commands/command-sandbox.ts'
import { accessProblem, type ContainerUser, containerUser, giveTo } from './container-user.ts'
import { createMemoryFolder, type MemoryFolder } from './memory-folder.ts'
import { seccompProfile } from '../../security/seccomp/profile.ts'
import { findSpecialFile } from '../commands/special-files.ts'

/** Where a command works, in absolute paths of the host. */
export interface WorkPlace {
  readonly storeId: string
  readonly root: string
  /** The attempt's folder; its input and its folder for artifacts are there. */
  readonly folder: string
  readonly input: string
  /** True: it may read the artifacts that were left before it began, and leaves none. */
  readonly readsArtifacts: boolean
  /** What it must be kept to. */
  readonly confined: Confinement | undefined
  /** Paths that the task says it writes; none: all of the root. */
  readonly writablePaths: readonly string[]
  /** Folders that are not shown although the root holds them. */
  readonly hidden: readonly string[]
  /** Who it runs as; undefined: whoever the root is for. */
  readonly user: ContainerUser | undefined
}

/** What a container is shown of the host, under the same paths. */
export interface ContainerPlace {
  readonly mounts: readonly ContainerMount[]
  readonly user: ContainerUser
  /** The workspace root without links. */
  readonly root: string
  /** What was made for this container alone. */
  readonly scratch: MemoryFolder
  /** What stands for the attempt's folder, to be taken out at the end; undefined where that is the folder itself, or nothing is to be left. */
  readonly leavings: string | undefined
  /** The file of its filter of system calls; undefined: the runtime's own. */
  readonly filter: string | undefined
}

/**
 * Prepares what a container is shown: the workspace root, to be read; what may be written; the attempt's folder. Where it must be confined,
 * that folder lies in memory, so that it is bounded, and the workspace must hold no socket, fifo or device, a way out (HO6).
 */
export async function prepareContainerPlace(work: WorkPlace): Promise<ContainerPlace | { readonly problem: string }> {
  const { confined, folder } = work
  const root = await realpath(work.root)
  const hidden = (await existing(work.hidden)).filter((path) => isInside(path, root) && path !== root)
  const problem = rootProblem(root) ?? [root, folder, ...hidden].map(mountProblem).find((one) => one !== undefined)
  if (problem !== undefined) return { problem }
  if (confined !== undefined) {
    const special = await findSpecialFile(root, hidden)
    if (special !== undefined)
      return { problem: `${special} in its workspace is a socket, a fifo or a device, a way out of the container` }
  }
  const writable = await writableIn(root, work)
  if ('problem' in writable) return writable
  const user = work.user ?? (await containerUser(root))
  const denied = user.uid === 0 ? undefined : await accessProblem(user, root)
  if (denied !== undefined) return { problem: denied }
  const scratch = await createMemoryFolder(work.storeId)
  const own = confined === undefined ? folder : scratch.path
  const filter = confined === undefined ? undefined : scratch.beside('seccomp.json')
  if (confined !== undefined) await mkdir(artifactsFolder(own))
  if (filter !== undefined) await writeFile(filter, JSON.stringify(seccompProfile()))
  await giveTo(user, [own, artifactsFolder(own)])
  // It may be read, and not be written, whoever the container runs as.
  await chmod(work.input, 0o644)
  const mounts = [
    { source: root, target: root, writable: writable.paths.includes(root) },
    ...writable.paths.filter((path) => path !== root).map((path) => ({ source: path, target: path, writable: true })),
    ...(await Promise.all(hidden.map((path, index) => covered(path, scratch.beside(`hidden-${index}`), folder)))),
    { source: own, target: folder, writable: true },
    { source: work.input, target: work.input, writable: false },
    ...(confined !== undefined && work.readsArtifacts
      ? [{ source: artifactsFolder(folder), target: artifactsFolder(folder), writable: false }]
      : []),
  ]
  return { mounts, user, root, scratch, filter, leavings: confined === undefined || work.readsArtifacts ? undefined : own }
}

/** An empty folder in the place of one that is not shown; what is shown in that needs a place to be put at. */
async function covered(hidden: string, empty: string, folder: string): Promise<ContainerMount> {
  await mkdir(isInside(folder, hidden) ? join(empty, relative(hidden, folder)) : empty, { recursive: true })
  return { source: empty, target: hidden, writable: false }
}

/** Without paths of its own a task may write all of its root, unless it is confined (WS4). */
async function writableIn(
  root: string,
  { confined, writablePaths }: WorkPlace,
): Promise<{ readonly paths: readonly string[] } | { readonly problem: string }> {
  const asked = confined?.writable_paths ?? (writablePaths.length > 0 ? writablePaths : ['.'])
  const paths: string[] = []
  for (const path of asked) {
    const found = await writablePath(root, path)
    if ('problem' in found) return found
    const problem = mountProblem(found.path)
    if (problem !== undefined) return { problem }
    paths.push(found.path)
  }
  return { paths: [...new Set(paths)] }
}
