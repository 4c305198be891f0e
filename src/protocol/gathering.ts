import type { Resting } from './steps.ts'

/** However soon whoever is alone comes back, the event loop goes on at least so often. */
const mostMsWithoutTurn = 4

/**
 * Lets everybody who comes in the same turn of the event loop share what follows. Whoever came alone the last time, a moment ago, waits
 * for nobody: one after the other, as a single caller is, they would all wait in vain.
 */
export class Gathering {
  readonly #clock: Resting
  #cameLast = 0
  #turnedAt = -Infinity

  constructor(clock: Resting) {
    this.#clock = clock
  }

  /** Resolves when those who come together are there. Whoever called at once is among them in any case. */
  async wait(): Promise<void> {
    if (this.#cameLast <= 1 && this.#clock.monotonic() - this.#turnedAt < mostMsWithoutTurn) return
    await this.#clock.turn()
    this.#turnedAt = this.#clock.monotonic()
  }

  /** So many were there. */
  came(count: number): void {
    this.#cameLast = count
  }
}
