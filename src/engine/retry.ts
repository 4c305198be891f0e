import type { FleetRetryPolicy } from '../protocol/task.ts'

/** Why an attempt failed, as retries see it (RE3). */
export type FailureCause = 'transport' | 'task' | 'verifier' | 'timeout' | 'stale'

/** The policy that counts when a task names none: an absent policy equals `{}` (RE1). */
const defaultRetryPolicy = {
  max_attempts: 3,
  initial_backoff_seconds: 5,
  max_backoff_seconds: 300,
  backoff_multiplier: 2,
} as const

/** What to do after a failed attempt. */
export interface RetryDecision {
  readonly retry: boolean
  /** How long to wait first, milliseconds. */
  readonly delayMs: number
  /** True when it would have been retried had attempts remained (RE6). */
  readonly exhausted: boolean
}

/**
 * Decides on a retry (RE1–RE3). `failures` counts this one too. `final`: the failure said that another attempt cannot help.
 * `jitter` in [0, 1) shortens the wait by up to half; undefined for none.
 */
export function decideRetry(
  policy: FleetRetryPolicy | undefined,
  failure: { readonly cause: FailureCause; readonly final: boolean },
  failures: number,
  jitter?: number,
): RetryDecision {
  const { max_attempts } = policy ?? defaultRetryPolicy
  const wanted = !failure.final && retries(policy, failure.cause)
  if (!wanted) return { retry: false, delayMs: 0, exhausted: false }
  if (failures >= Math.max(1, max_attempts)) return { retry: false, delayMs: 0, exhausted: true }
  const full = backoffMs(policy ?? defaultRetryPolicy, failures)
  return { retry: true, delayMs: jitter === undefined ? full : Math.round(full * (1 - jitter / 2)), exhausted: false }
}

/** `min(max, initial · multiplier^(failures − 1))` seconds in milliseconds, saturating (RE2). */
export function backoffMs(
  policy: Pick<FleetRetryPolicy, 'initial_backoff_seconds' | 'max_backoff_seconds' | 'backoff_multiplier'>,
  failures: number,
): number {
  const seconds = policy.initial_backoff_seconds * policy.backoff_multiplier ** (failures - 1)
  // 0 · Infinity is NaN: no initial wait stays no wait.
  const bounded = policy.initial_backoff_seconds === 0 ? 0 : Math.min(policy.max_backoff_seconds, seconds)
  return Math.min(bounded * 1000, Number.MAX_SAFE_INTEGER)
}

function retries(policy: FleetRetryPolicy | undefined, cause: FailureCause): boolean {
  const exact = policy?.retry_on
  return exact === undefined ? cause !== 'verifier' : exact.includes(cause)
}
