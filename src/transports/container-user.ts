import { lchown, stat } from 'node:fs/promises'

/** Who a container runs as. */
export interface ContainerUser {
  readonly uid: number
  readonly gid: number
}

const nobody: ContainerUser = { uid: 65_534, gid: 65_534 }

/**
 * Who works on a folder of the host from inside a container: the fleet's own user, so that a container may do no more than the fleet; where
 * that is root, the folder's owner; and where that is root too, nobody.
 */
export async function containerUser(folder: string): Promise<ContainerUser> {
  const own = process.getuid?.() ?? 0
  if (own !== 0) return { uid: own, gid: process.getgid?.() ?? own }
  const { uid, gid } = await stat(folder)
  return uid === 0 || gid === 0 ? nobody : { uid, gid }
}

/** Gives files that the fleet made to the user of a container; a fleet that is not root runs containers as itself. */
export async function giveTo({ uid, gid }: ContainerUser, paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return
  // The path alone: what an earlier attempt put there may be a link.
  for (const path of paths) await lchown(path, uid, gid)
}
