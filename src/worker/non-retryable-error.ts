/** Found in errors of every copy of this package: a program may have several, and each entry point may be a file of its own. */
const mark = Symbol.for('flotilla.NonRetryableError')

/**
 * Thrown by a handler to say that trying again cannot help: the attempt fails for good, whatever its retry policy allows (RE3).
 * Subclasses count too, those of another copy of this package, and any error whose `name` is `NonRetryableError`.
 */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError'

  static {
    Object.defineProperty(this.prototype, mark, { value: true })
  }
}

/** Whether a thrown value says that trying again cannot help. */
export function isNonRetryable(thrown: unknown): boolean {
  return thrown instanceof Error && (mark in thrown || thrown.name === 'NonRetryableError')
}
