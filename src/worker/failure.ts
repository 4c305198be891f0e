import { isNonRetryable } from './non-retryable-error.ts'

/** A reason is cut to this many bytes of UTF-8. */
const longestReasonBytes = 4096

/** What `attempt.fail` throws: the reason is the caller's own words. */
export class AttemptFailure extends Error {
  readonly retryable: boolean

  constructor(reason: string, retryable: boolean) {
    super(reason)
    this.name = 'AttemptFailure'
    this.retryable = retryable
  }
}

/** What work returns that fails as it means to: it costs no stack, which nobody would read. */
export class FailedWork {
  readonly reason: string
  readonly recoverable: boolean

  constructor({ reason, recoverable }: Failure) {
    this.reason = reason
    this.recoverable = recoverable
  }
}

/** Why an attempt failed, and whether trying again may help (RE3). */
export interface Failure {
  readonly reason: string
  readonly recoverable: boolean
}

/** What a value that a handler threw says. Any value may be thrown, and asking it may throw too. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof AttemptFailure) return { reason: thrown.message, recoverable: thrown.retryable }
  return { reason: wordsOf(thrown), recoverable: !isNonRetryable(thrown) }
}

/** A text cut to what a reason may hold, never inside a character. */
export function bounded(text: string): string {
  // No unit of a text takes more than three bytes.
  if (text.length * 3 <= longestReasonBytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(longestReasonBytes))
  return text.slice(0, read)
}

function wordsOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return `threw ${String(thrown)}`
    return thrown.message === '' ? thrown.name : `${thrown.name}: ${thrown.message}`
  } catch {
    return 'threw a value that cannot be shown'
  }
}
