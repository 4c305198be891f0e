import type { Environment } from '../ports/environment.ts'
import type { Secrets } from '../ports/secrets.ts'
import type { FleetSecretRef } from '../protocol/security.ts'
import { environmentSecrets } from './environment-secrets.ts'
import type { FleetOptions } from './options.ts'

/** The secrets of alerts: those of the fleet, or the environment's where the application names no source. `signal` ends what still waits. */
export function alertSecrets(
  options: Pick<FleetOptions, 'secrets'>,
  parts: { readonly secrets: Secrets; readonly environment: Environment; readonly signal: AbortSignal },
): (ref: FleetSecretRef) => Promise<string | undefined> {
  const { secrets, environment, signal } = parts
  if (options.secrets === undefined) return environmentSecrets(environment)
  return async (ref) => {
    const outcome = await secrets.resolve([ref], { signal })
    return 'values' in outcome ? outcome.values[ref.key] : undefined
  }
}
