import { createSecrets } from '../host/secrets.ts'
import type { Secrets, SecretSource } from '../ports/secrets.ts'
import { FleetError } from '../protocol/errors.ts'
import { secretValueProblem } from '../security/secret-value.ts'
import type { FleetOptions } from './options.ts'

/** The secrets that a fleet of these options can resolve. Throws `invalid_option` with everything that is wrong. */
export function secretsOf({ secrets = [] }: Pick<FleetOptions, 'secrets'>): Secrets {
  const sources: readonly SecretSource[] = isSources(secrets) ? secrets : [secrets]
  const problems = sources.flatMap((source: unknown, index) =>
    isSource(source) ? [] : [`secrets[${index}]: expected an object with a name as its \`source\`, and \`resolve\``],
  )
  if (problems.length > 0) {
    throw new FleetError('invalid_option', `The sources of secrets cannot be used:\n${problems.join('\n')}`, {
      details: { problems },
    })
  }
  return createSecrets(sources, { problemOf: secretValueProblem })
}

function isSources(secrets: SecretSource | readonly SecretSource[]): secrets is readonly SecretSource[] {
  return Array.isArray(secrets)
}

/** Whoever writes no TypeScript may pass anything. */
function isSource(source: unknown): source is SecretSource {
  if (typeof source !== 'object' || source === null || !('source' in source) || !('resolve' in source)) return false
  return typeof source.source === 'string' && source.source.trim() !== '' && typeof source.resolve === 'function'
}
