/**
 * Thrown by a handler to say that trying again cannot help: the attempt fails for good, whatever its retry policy allows (RE3).
 * Subclasses count too, and so does any error whose `name` is `NonRetryableError`, so that another copy of this package may throw it.
 */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError'
}

/** Whether a thrown value says that trying again cannot help. */
export function isNonRetryable(thrown: unknown): boolean {
  return thrown instanceof NonRetryableError || (thrown instanceof Error && thrown.name === 'NonRetryableError')
}
