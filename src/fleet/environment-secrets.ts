import type { Environment } from '../ports/environment.ts'
import type { FleetSecretRef } from '../protocol/security.ts'

/** Secrets from the environment: those that name the source `env`, or none. Others have no value here. */
export function environmentSecrets(environment: Environment): (ref: FleetSecretRef) => Promise<string | undefined> {
  return ({ key, source = 'env' }) => Promise.resolve(source === 'env' ? environment.get(key) : undefined)
}
