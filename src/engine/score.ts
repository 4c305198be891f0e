import type { Scorers, Verdict } from '../ports/scorer.ts'
import type { ResultMessage } from '../protocol/wire.ts'
import type { TaskState } from './state.ts'

/** A verdict at once, or that an effect must find it (VE1). */
export type Scored = { readonly effect: true } | { readonly effect: false; readonly verdict: Verdict }

/** Scores a result that ended well, as far as that needs nothing of the outside world. */
export function scoreOf(scorers: Scorers, task: TaskState, message: ResultMessage): Scored {
  const spec = task.spec.scorer
  if (spec === undefined) return { effect: false, verdict: unscored(message) }
  const scorer = scorers[spec.kind]
  if (scorer.effect) return { effect: true }
  // The table pairs each kind with the scorer of its own spec.
  const score = scorer.score as (input: { scorer: typeof spec; root: string; exitCode?: number }) => Verdict
  return { effect: false, verdict: score({ scorer: spec, root: '', exitCode: message.exit_code }) }
}

/** Without a scorer a result is partial, unless its output schema accepted it (VE5, VE8). */
function unscored(message: ResultMessage): Verdict {
  return message.schema_accepted === true
    ? { result: 'pass', score: { value: 1, max: 1 }, evidence: 'The output schema accepted the output.' }
    : { result: 'partial', score: { value: 0.5, max: 1 }, evidence: 'No scorer was given.' }
}
