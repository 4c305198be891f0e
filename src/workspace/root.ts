import type { Files } from '../ports/files.ts'
import { pathProblem } from '../protocol/path-text.ts'
import { isInside, joinPath } from './paths.ts'

/** A folder with every link resolved, or what is wrong with it as a sentence. */
export type ResolvedRoot = { readonly root: string } | { readonly problem: string }

/**
 * Resolves a task's `workspace.root` under the run's workspace folder (WS1); without one the root is that folder. Refused are `..`, an
 * absolute path outside, a link that leads out, and what is no folder.
 */
export async function resolveRoot(files: Files, base: string, root = '.'): Promise<ResolvedRoot> {
  const problem = (why: string) => ({ problem: `workspace.root ${JSON.stringify(root)} ${why}.` })
  const syntax = pathProblem(root)
  if (syntax !== undefined) return problem(syntax)
  const realBase = await files.real(base)
  if (realBase === undefined) return { problem: `The workspace folder ${base} does not exist.` }
  const wanted = root.startsWith('/') ? root : joinPath(base, root)
  const real = await files.real(wanted)
  // Outside is said before missing: whether a path outside exists is nobody's business.
  if (!isInside(wanted, base) && !isInside(wanted, realBase)) return problem(`is outside of the workspace folder ${base}`)
  if (real === undefined) return problem(`does not exist in ${base}`)
  if (!isInside(real, realBase)) return problem(`leads out of the workspace folder ${base} by a link`)
  return (await files.facts(real))?.kind === 'folder' ? { root: real } : problem('is no folder')
}
