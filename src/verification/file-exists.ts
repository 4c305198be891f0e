import type { Files } from '../ports/files.ts'
import type { Scorer } from '../ports/scorer.ts'
import { locateEvidence } from './evidence-file.ts'
import { pass } from './verdict.ts'

/** A regular file under the task's root passes (VE2). */
export function fileExistsScorer(files: Files): Scorer<{ readonly kind: 'file_exists'; readonly path: string }> {
  return {
    effect: true,
    async score({ scorer, root }) {
      const located = await locateEvidence(files, root, scorer.path)
      return 'verdict' in located ? located.verdict : pass(`${scorer.path} is there.`)
    },
  }
}
