import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RouteReport } from '../../../src/protocol/route.ts'
import type { AttemptRoute } from '../../../src/worker/attempt.ts'
import { routeReport } from '../../../src/worker/route-report.ts'

const whole: Required<AttemptRoute> = {
  ...{ providerId: 'p', providerExactId: 'p-1', providerKind: 'k', canonicalModel: 'm', wireModelId: 'w' },
  ...{ protocol: 'x', modelRoute: 'r', reasoningEffort: 'high' },
}
const names: Readonly<Record<keyof AttemptRoute, keyof RouteReport>> = {
  ...{ providerId: 'provider_id', providerExactId: 'provider_exact_id', providerKind: 'provider_kind' },
  ...{ canonicalModel: 'canonical_model', wireModelId: 'wire_model_id', protocol: 'protocol' },
  ...{ modelRoute: 'model_route', reasoningEffort: 'reasoning_effort' },
} as const

/** What the contract's own schema says of the same report. */
function byContract(route: Readonly<Record<string, unknown>>) {
  const written = Object.fromEntries(Object.entries(names).map(([name, field]) => [field, route[name]]))
  return outcomeOf(() => RouteReport.parse(written))
}

function outcomeOf(make: () => unknown): unknown {
  try {
    return { report: JSON.stringify(make()) }
  } catch (error) {
    const { code, message, details } = error as { code: string; message: string; details: unknown }
    return { code, message, details }
  }
}

it('VE6 a route is written as the contract writes it', () => {
  expect(routeReport(whole)).toEqual({
    ...{ provider_id: 'p', provider_exact_id: 'p-1', provider_kind: 'k', canonical_model: 'm', wire_model_id: 'w' },
    ...{ protocol: 'x', model_route: 'r', reasoning_effort: 'high' },
  })
})

it('WI6 a route is refused in the same words as by the schema of the contract, whatever is in it', () => {
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.string({ maxLength: 8 }) },
    fc.constantFrom(
      undefined,
      null,
      0,
      NaN,
      true,
      [],
      {},
      [NaN],
      { a: () => 1 },
      'https://user:pass@host',
      'token = x',
      'sk-12345678',
    ),
  )
  fc.assert(
    fc.property(fc.record(Object.fromEntries(Object.keys(names).map((name) => [name, value]))), (route) => {
      expect(outcomeOf(() => routeReport(route as unknown as AttemptRoute))).toEqual(byContract(route))
    }),
    { numRuns: 500 },
  )
})
