import { z } from 'zod'
import { contract, type ValueOf } from './codec.ts'
import { holdsCredential } from './credential.ts'
import { field, hiddenText, optional, withoutAbsent } from './field.ts'

/** Text of a route. An error counts it instead of showing it. */
export const routeText = field(() => hiddenText('text that holds no credential', (value) => !holdsCredential(value)))

/** What only the worker knows of the route to a model: it completes the `resolved_route` of its attempt's receipt. */
export const RouteReport = contract('the route', () =>
  z
    .object({
      provider_id: routeText(),
      provider_exact_id: optional(routeText()),
      provider_kind: routeText(),
      canonical_model: optional(routeText()),
      wire_model_id: optional(routeText()),
      protocol: routeText(),
      model_route: optional(routeText()),
      reasoning_effort: optional(routeText()),
    })
    .overwrite(withoutAbsent),
)
export type RouteReport = ValueOf<typeof RouteReport>
