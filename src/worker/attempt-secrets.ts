import { FleetError } from '../protocol/errors.ts'
import { NonRetryableError } from './non-retryable-error.ts'

/**
 * The secrets that an attempt was handed. Values are given one by one, by key: printing this, or the attempt, shows none. What the work
 * reports is redacted; what it writes to files, or sends elsewhere, is its own matter.
 */
export interface AttemptSecrets {
  /**
   * The value of a secret. Throws when the attempt was not handed it, because `security_policy.allowed_secrets` does not name it or the
   * worker's trust level may not have secrets: a failure that is final (SE5).
   */
  get(key: string): string
  has(key: string): boolean
  /** Keys, in the order of `allowed_secrets`. */
  readonly keys: readonly string[]
}

export function createAttemptSecrets(secrets: Readonly<Record<string, string>> = {}): AttemptSecrets {
  return {
    keys: Object.keys(secrets),
    has: (key) => Object.hasOwn(secrets, key),
    get(key) {
      const value = Object.hasOwn(secrets, key) ? secrets[key] : undefined
      if (value === undefined) throw notHanded(key)
      return value
    },
  }
}

/** Another attempt would be handed the same. */
function notHanded(key: string): NonRetryableError {
  const cause = new FleetError(
    'secret_unresolved',
    `This attempt was not handed <secret:${key}>. Name it in security_policy.allowed_secrets, and run the task at trust level local or above.`,
  )
  return new NonRetryableError(cause.message, { cause })
}
