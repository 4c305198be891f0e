import { lchown, stat } from 'node:fs/promises'

/** Who a container runs as. */
export interface ContainerUser {
  readonly uid: number
  readonly gid: number
}

export const nobody: ContainerUser = { uid: 65_534, gid: 65_534 }

/** The user of the fleet's own process; undefined where that is root, or nobody knows. */
export function fleetUser(): ContainerUser | undefined {
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? undefined : { uid, gid: process.getgid?.() ?? uid }
}

/**
 * Who works on a folder of the host from inside a container: the fleet's own user, so that a container may do no more than the fleet; where
 * that is root, the folder's owner; and where that is root too, nobody.
 */
export async function containerUser(folder: string): Promise<ContainerUser> {
  const own = fleetUser()
  if (own !== undefined) return own
  const { uid, gid } = await stat(folder)
  return uid === 0 || gid === 0 ? nobody : { uid, gid }
}

/** Why whoever a container runs as cannot work in a folder; undefined when it can read and enter it. */
export async function accessProblem({ uid, gid }: ContainerUser, folder: string): Promise<string | undefined> {
  const facts = await stat(folder)
  const shift = facts.uid === uid ? 6 : facts.gid === gid ? 3 : 0
  if (((facts.mode >> shift) & 0o5) === 0o5) return undefined
  return `its workspace root ${folder} cannot be read by the user ${uid}, whom its containers run as. Let it, or name another user`
}

/** Gives files that the fleet made to the user of a container; a fleet that is not root runs containers as itself. */
export async function giveTo({ uid, gid }: ContainerUser, paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return
  // The path alone: what an earlier attempt put there may be a link.
  for (const path of paths) await lchown(path, uid, gid)
}
