import { FleetError } from '../protocol/errors.ts'
import type { Files } from '../ports/files.ts'
import type { Verdict } from '../ports/scorer.ts'
import { evidenceLimitBytes, findEvidence } from './evidence-place.ts'
import { fail } from './verdict.ts'

/** A regular file under the root, or the verdict that follows from there being none. */
export type Located = { readonly path: string; readonly root: string } | { readonly verdict: Verdict }

/**
 * Finds the evidence of a scorer, confined to the task's root (VE2, AR3). That nothing is there, or something else than a file, is the work's own
 * failure; a path that leads out, or that cannot be looked at, is a check that could not be made.
 */
export async function locateEvidence(files: Files, root: string, path: string): Promise<Located> {
  try {
    const place = await findEvidence(files, root, path)
    switch (place.found) {
      case 'file':
        return place
      case 'missing':
        return { verdict: fail('task', `${path} does not exist.`) }
      case 'no_file':
        return { verdict: fail('task', `${path} is no regular file.`) }
      case 'refused':
        return { verdict: fail('verifier', place.reason) }
    }
  } catch (error) {
    return { verdict: unmakable(path, error) }
  }
}

/** The text of the evidence, or the verdict that follows from there being none. */
export async function readEvidence(
  files: Files,
  root: string,
  path: string,
): Promise<{ readonly text: string } | { readonly verdict: Verdict }> {
  const located = await locateEvidence(files, root, path)
  if ('verdict' in located) return located
  try {
    const bytes = await files.read(located.path, { limit: evidenceLimitBytes, within: located.root })
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    return { verdict: unmakable(path, error) }
  }
}

function unmakable(path: string, error: unknown): Verdict {
  if (FleetError.is(error, 'too_large')) return fail('verifier', `${path} is larger than ${evidenceLimitBytes} bytes.`)
  if (error instanceof TypeError) return fail('verifier', `${path} is no UTF-8 text.`)
  return fail('verifier', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
}
