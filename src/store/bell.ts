/** Wakes whoever waits for the next ring. A ring that nobody waits for is forgotten: look first, then wait. */
export class Bell {
  readonly #waiters = new Set<() => void>()

  ring(): void {
    for (const wake of [...this.#waiters]) wake()
  }

  /** Resolves at the next ring, or when `signal` aborts. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiters.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }
}
