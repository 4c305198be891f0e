import type { FleetTaskFailureKind } from '../protocol/receipt.ts'
import type { Verdict } from '../ports/scorer.ts'

/** Evidence is cut to this many bytes of UTF-8 (VE6). */
const longestEvidenceBytes = 4096

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

function verdict(result: Verdict['result'], value: number, evidence: string): Verdict {
  const { read } = new TextEncoder().encodeInto(evidence, new Uint8Array(longestEvidenceBytes))
  const notes = evidence.slice(0, read)
  return { result, score: { value, max: 1, notes }, evidence: notes }
}
