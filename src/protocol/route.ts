import { z } from 'zod'
import { contract, type ValueOf } from './codec.ts'
import { hiddenText, optional, withoutAbsent } from './field.ts'

const credential =
  /:\/\/[^/]*@|\bbearer\s|\b(?:api[_-]?key|access[_-]?token|token|secret|password)\s*[=:]|\bsk-[\w-]{8}|\bgh[opsu]_\w{8}|\bxox[abp]-|\bAKIA[A-Z0-9]{8}/i

/** Whether a text looks like a credential, or like a URL that embeds one. */
export function holdsCredential(value: string): boolean {
  return credential.test(value)
}

/** Text of a route. An error counts it instead of showing it. */
export const routeText = hiddenText('text that holds no credential', (value) => !holdsCredential(value))

/** What only the worker knows of the route to a model: it completes the `resolved_route` of its attempt's receipt. */
export const RouteReport = contract('the route', () =>
  z
    .object({
      provider_id: routeText,
      provider_exact_id: optional(routeText),
      provider_kind: routeText,
      canonical_model: optional(routeText),
      wire_model_id: optional(routeText),
      protocol: routeText,
      model_route: optional(routeText),
      reasoning_effort: optional(routeText),
    })
    .overwrite(withoutAbsent),
)
export type RouteReport = ValueOf<typeof RouteReport>
