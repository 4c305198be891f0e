import type { Files } from '../ports/files.ts'
import type { Scorer } from '../ports/scorer.ts'
import { readEvidence } from './evidence-file.ts'
import { compilePattern } from './linear-regex.ts'
import { fail, pass } from './verdict.ts'

/**
 * A match anywhere in the text of a file passes (VE2). The engine takes linear time, and refuses lookaround and backreferences. A
 * pattern that it refuses is told before the file is looked for.
 */
export function regexMatchScorer(
  files: Files,
): Scorer<{ readonly kind: 'regex_match'; readonly path: string; readonly pattern: string }> {
  return {
    effect: true,
    async score({ scorer, root }) {
      const { path, pattern } = scorer
      const compiled = await compilePattern(pattern)
      if ('problem' in compiled)
        return fail('verifier', `The pattern ${JSON.stringify(pattern)} cannot be used: ${compiled.problem}`)
      const evidence = await readEvidence(files, root, path)
      if ('verdict' in evidence) return evidence.verdict
      return compiled.isIn(evidence.text)
        ? pass(`${path} matches ${JSON.stringify(pattern)}.`)
        : fail('task', `${path} does not match ${JSON.stringify(pattern)}.`)
    },
  }
}
