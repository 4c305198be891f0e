import { mkdir, realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { Confinement } from '../../protocol/wire.ts'
import { rootProblem } from '../../security/sandbox-view.ts'
import type { ConfinedLaunch, SandboxHost, SandboxLimits } from '../../security/sandbox.ts'
import { artifactsFolder, type CommandLaunch } from './command-launch.ts'
import { findSpecialFile } from './special-files.ts'

/** What the commands of one worker find when they are confined. */
export interface CommandSandbox {
  readonly host: SandboxHost
  readonly limits: SandboxLimits
  /** Folders besides the system's that may be read: where programs are that lie elsewhere. */
  readonly readable: readonly string[]
  /** Folders that are not shown although the workspace holds them. */
  readonly hidden: readonly string[]
}

/** Where a command works, in absolute paths. */
export interface ConfinedPlace {
  readonly root: string
  /** The attempt's folder. */
  readonly folder: string
  /** The file in which it finds its input. */
  readonly input: string
  /** True: it may read the artifacts that were left before it began, and leaves none. */
  readonly readsArtifacts: boolean
}

/**
 * Plans the start of a command in a sandbox, or says why it cannot be. It looks at the workspace: a socket, fifo or device there would be a
 * way out (HO6), and so would a path to write that leads out by a link (WS1).
 */
export async function planConfined(
  launch: CommandLaunch,
  options: {
    readonly place: ConfinedPlace
    readonly confined: Confinement
    readonly identity: Readonly<Record<string, string>>
    readonly sandbox: CommandSandbox
  },
): Promise<ConfinedLaunch | { readonly problem: string }> {
  const { place, confined, identity, sandbox } = options
  // Options reach bubblewrap with a NUL after each: one inside of a value would begin another option.
  if (
    Object.entries(launch.environment)
      .flat()
      .some((text) => text.includes('\0'))
  )
    return { problem: 'a variable of its environment has a NUL in it' }
  const root = await realpath(place.root)
  const problem = rootProblem(root)
  if (problem !== undefined) return { problem }
  const hidden = (await existing(sandbox.hidden)).filter((path) => isInside(path, root) && path !== root)
  const special = await findSpecialFile(root, hidden)
  if (special !== undefined)
    return { problem: `${special} in its workspace is a socket, a fifo or a device, a way out of the sandbox` }
  const writable: string[] = []
  for (const path of confined.writable_paths) {
    const found = await writablePath(root, path)
    if ('problem' in found) return found
    writable.push(found.path)
  }
  const { folder, input, readsArtifacts } = place
  const view = {
    ...{ root, writable, hidden, folder, input, readsArtifacts },
    system: sandbox.host.system,
    readable: await existing(sandbox.readable),
    artifacts: artifactsFolder(folder),
    folderBytes: sandbox.limits.folderBytes,
    temporaryBytes: sandbox.limits.temporaryBytes,
  }
  const { program, args, environment } = launch
  return { program, args, environment, identity, network: confined.network, view, limits: sandbox.limits }
}

/** A path that may be written must be there to be shown; one that is not becomes a folder, as long as it lies in the workspace. */
export async function writablePath(
  root: string,
  path: string,
): Promise<{ readonly path: string } | { readonly problem: string }> {
  const wanted = join(root, path)
  const outside = { problem: `${path}, which it may write, leads out of its workspace ${root}` }
  for (let above = wanted; ; above = dirname(above)) {
    const real = await realpath(above).catch(() => undefined)
    if (real === undefined) continue
    if (!isInside(real, root)) return outside
    if (above === wanted) return { path: real }
    await mkdir(wanted, { recursive: true })
    return { path: await realpath(wanted) }
  }
}

/** The paths that are there, without links. */
export async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)))
  return real.filter((path) => path !== undefined)
}

export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === sep ? sep : folder + sep)
}
