import type { Scorer, Verdict } from '../ports/scorer.ts'
import type { Verifier, VerifierAnswer } from '../ports/verifier.ts'
import { fail, partial, pass, scored } from './verdict.ts'

type PromptSpec = { readonly kind: 'code_whale_verifier_prompt'; readonly prompt: string }

/** Asks the verifier of the application; with none a person decides, as for `manual` (VE4). */
export function verifierPromptScorer(verifier: Verifier | undefined): Scorer<PromptSpec> {
  if (verifier === undefined)
    return { effect: false, score: () => partial('No verifier is registered: awaits a verdict by hand.') }
  return {
    effect: true,
    async score({ scorer, root, exitCode, attempt }, { signal }) {
      const { key, task, worker, output, artifacts, previous, folder } = attempt
      const answer: unknown = await verifier({
        ...{ prompt: scorer.prompt, run_id: key.run_id, task, attempt: key.attempt, worker, output, exit_code: exitCode },
        ...{ artifacts, previous, root, folder, signal },
      })
      return verdictOn(answer)
    },
  }
}

/** An answer comes from outside: it may be anything. */
function verdictOn(answer: unknown): Verdict {
  const given = typeof answer === 'object' && answer !== null ? (answer as Partial<VerifierAnswer>) : {}
  const { value, max = 1, notes, pass: passes } = given
  const isAnswer =
    Number.isFinite(value) &&
    Number.isFinite(max) &&
    (notes === undefined || typeof notes === 'string') &&
    (passes === undefined || typeof passes === 'boolean')
  if (value === undefined || !isAnswer)
    return fail('verifier', `The verifier did not answer with { value, max?, notes?, pass? }.`)
  const evidence = notes ?? `The verifier gave ${value} of ${max}.`
  return scored((passes ?? value >= max) ? pass(evidence) : fail('task', evidence), { value, max, notes })
}
