import type { Scorer } from '../ports/scorer.ts'
import { partial } from './verdict.ts'

/** A person decides: until `settle` the verdict is partial (VE5). */
export const manualScorer: Scorer<{ readonly kind: 'manual' }> = {
  effect: false,
  score: () => partial('Awaits a verdict by hand.'),
}
