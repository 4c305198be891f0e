import type { Files } from '../ports/files.ts'

/** Evidence is read up to here (VE2). */
export const evidenceLimitBytes = 1_000_000

/** What is at a path that a scorer reads. */
export type EvidencePlace =
  | { readonly found: 'file'; readonly path: string; readonly root: string; readonly size: number }
  | { readonly found: 'missing' | 'no_file' }
  /** It leads out of the root; the reason is a sentence. */
  | { readonly found: 'refused'; readonly reason: string }

/** Looks for the evidence of a scorer, confined to the task's root (VE2, AR3). Rejects when it cannot be looked at. */
export async function findEvidence(files: Files, root: string, path: string): Promise<EvidencePlace> {
  if (path.startsWith('/') || path.split('/').includes('..')) {
    return {
      found: 'refused',
      reason: `${path} does not stay in the task's root: a scorer's path is relative, without \`..\`.`,
    }
  }
  const [real, realRoot] = await Promise.all([files.real(`${root}/${path}`), files.real(root)])
  if (real === undefined || realRoot === undefined) return { found: 'missing' }
  if (!real.startsWith(realRoot === '/' ? '/' : `${realRoot}/`)) {
    return { found: 'refused', reason: `${path} leads out of the task's root by a link.` }
  }
  const facts = await files.facts(real)
  return facts?.kind === 'file' ? { found: 'file', path: real, root: realRoot, size: facts.size } : { found: 'no_file' }
}
