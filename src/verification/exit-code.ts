import type { Scorer } from '../ports/scorer.ts'
import { fail, pass } from './verdict.ts'

/** Code 0 passes; another one is the work's own failure; none means that the work never got a verdict (VE2). */
export const exitCodeScorer: Scorer<{ readonly kind: 'exit_code' }> = {
  effect: false,
  score({ exitCode }) {
    if (exitCode === undefined) return fail('transport', 'The attempt ended without an exit code.')
    return exitCode === 0 ? pass('Exit code 0.') : fail('task', `Exit code ${exitCode}.`)
  },
}
