import type { Environment } from '../ports/environment.ts'
import type { SecretSource } from '../ports/secrets.ts'
import { systemEnvironment } from './environment.ts'

/**
 * Secrets from the environment variables of this process, read anew for each attempt; the source is `env`. `names` are the only ones that
 * may be handed out. Default: every variable.
 */
export function envSecrets(
  options: { readonly names?: readonly string[]; readonly environment?: Environment } = {},
): SecretSource {
  const { names, environment = systemEnvironment() } = options
  return {
    source: 'env',
    resolve: (key) => (names === undefined || names.includes(key) ? environment.get(key) : undefined),
  }
}
