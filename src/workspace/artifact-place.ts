import type { AttemptPlace } from '../ports/collector.ts'
import type { Files } from '../ports/files.ts'
import { isInside, joinPath, relativePath } from './paths.ts'

/** A regular file that may be an artifact. */
export interface ArtifactFile {
  /** Absolute, with every link resolved. */
  readonly path: string
  /** The folder that it was found in, with every link resolved. */
  readonly base: string
  /** Relative to the folder that it was found in. */
  readonly name: string
  readonly size: number
  /** False when it lies in the attempt's own folder. */
  readonly isInWorkspace: boolean
}

/** Where an attempt works. */
export type ArtifactPlace = Pick<AttemptPlace, 'folder' | 'root'>

/** Looks for a relative path, first in the attempt's own folder, then in its workspace root. What leaves the two is no artifact (AR3). */
export async function findArtifact(
  files: Files,
  place: ArtifactPlace,
  path: string,
): Promise<{ readonly found: ArtifactFile } | { readonly refused: string }> {
  for (const base of [place.folder, place.root]) {
    const direct = joinPath(base, path)
    const facts = await files.facts(direct)
    if (facts === undefined) continue
    if (facts.kind === 'link') return { refused: 'it is a symbolic link' }
    const [real, realBase] = [await files.real(direct), await files.real(base)]
    if (real === undefined || realBase === undefined) continue
    // First of all where it lies: what else is true of a file outside is nobody's business.
    if (!isInside(real, realBase)) return { refused: `it leads out of ${base} by a link` }
    if (facts.kind === 'folder') return { refused: 'it is a folder' }
    if (facts.kind === 'other') return { refused: 'it is a fifo, a socket or a device' }
    if (facts.links > 1) return { refused: 'it is a hard link: the same file has another name elsewhere' }
    const found = {
      path: real,
      base: realBase,
      name: relativePath(real, realBase),
      size: facts.size,
      isInWorkspace: base === place.root,
    }
    return { found }
  }
  return { refused: `nothing is there, neither in ${place.folder} nor in ${place.root}` }
}
