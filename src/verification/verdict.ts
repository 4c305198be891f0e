import type { FleetScore, FleetTaskFailureKind } from '../protocol/receipt.ts'
import type { Verdict } from '../ports/scorer.ts'

const longestNotes = 1_000

/** The evidence says yes. */
export function pass(evidence: string): Verdict {
  return verdict('pass', 1, evidence)
}

/** Nobody can say yet: a person settles it (VE5). */
export function partial(evidence: string): Verdict {
  return verdict('partial', 0.5, evidence)
}

/** The evidence says no (`task`), the check could not be made (`verifier`), or the work never got that far (`transport`) (RE7). */
export function fail(failureKind: FleetTaskFailureKind, evidence: string): Verdict {
  return { ...verdict('fail', 0, evidence), failureKind }
}

/** A verdict with a score of its own, if it has one; what that does not say of itself stays. */
export function scored(verdict: Verdict, score: FleetScore | undefined): Verdict {
  if (score === undefined) return verdict
  const { value, max, notes = verdict.score.notes ?? '' } = score
  return { ...verdict, score: { value, ...(max !== undefined && { max }), notes: excerpt(notes) } }
}

function verdict(result: Verdict['result'], value: number, evidence: string): Verdict {
  return { result, score: { value, max: 1, notes: excerpt(evidence) }, evidence }
}

/** A score's notes are read at a glance; the evidence is given whole, and bounded by the receipt (VE6). */
function excerpt(evidence: string): string {
  return evidence.length <= longestNotes ? evidence : `${evidence.slice(0, longestNotes - 1)}…`
}
