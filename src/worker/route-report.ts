import { mergingProblems } from '../protocol/codec.ts'
import { holdsCredential } from '../protocol/credential.ts'
import { copyJson } from '../protocol/json-copy.ts'
import { describeFound, describeHidden, type DocumentProblem, invalidDocument } from '../protocol/problem.ts'
import type { RouteReport } from '../protocol/route.ts'
import { allAtOnce } from '../protocol/steps.ts'
import type { AttemptRoute } from './attempt.ts'

const expected = 'text that holds no credential'

/** The fields of the contract, in its order, and whether they must be there. */
const fields: Readonly<Record<keyof RouteReport, { readonly of: keyof AttemptRoute; readonly required: boolean }>> = {
  provider_id: { of: 'providerId', required: true },
  provider_exact_id: { of: 'providerExactId', required: false },
  provider_kind: { of: 'providerKind', required: true },
  canonical_model: { of: 'canonicalModel', required: false },
  wire_model_id: { of: 'wireModelId', required: false },
  protocol: { of: 'protocol', required: true },
  model_route: { of: 'modelRoute', required: false },
  reasoning_effort: { of: 'reasoningEffort', required: false },
}

/**
 * A route as the contract writes it. Throws `invalid_document` with every problem, in the same words as the contract's schema, which is not used
 * here: it would bring its library into every worker.
 */
export function routeReport(route: AttemptRoute): RouteReport {
  const given = Object.fromEntries(Object.entries(fields).map(([name, { of }]) => [name, route[of]]))
  const { value: copy, problems: unreadable } = copyJson(given)
  const report: Record<string, string> = {}
  const complaints: DocumentProblem[] = []
  for (const [name, { required }] of Object.entries(fields)) {
    const value: unknown = Reflect.get(Object(copy), name)
    const isAbsent = value === undefined || value === null
    if (typeof value !== 'string') {
      if (required || !isAbsent) complaints.push({ path: [name], expected, got: describeFound(value, [name]) })
    } else if (holdsCredential(value)) complaints.push({ path: [name], expected, got: describeHidden(value) })
    else report[name] = value
  }
  const problems = allAtOnce(mergingProblems(unreadable, complaints))
  if (problems.length > 0) throw invalidDocument('the route', problems)
  return report as RouteReport
}
