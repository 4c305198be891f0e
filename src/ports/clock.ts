/** Time, and waiting. The only source of both for everything behind the ports. */
export interface Clock {
  /** Wall-clock time, epoch milliseconds. It may jump. */
  now(): number
  /** Milliseconds that only grow, from an arbitrary zero; deadlines of leases live here (LE5). */
  monotonic(): number
  /**
   * Resolves after `ms`, or as soon as `signal` aborts (it never rejects: whoever waits looks at the signal).
   * Delays longer than the platform takes are armed again. With `keepAlive: false` the wait does not keep the process alive.
   */
  sleep(ms: number, options?: { readonly signal?: AbortSignal; readonly keepAlive?: boolean }): Promise<void>
  /**
   * Calls `act` once, after `ms`; for whoever waits anew very often, since it makes neither a promise nor a signal. `keepAlive`: whether
   * the wait keeps the process alive. Gives a function that takes it back.
   */
  alarm(ms: number, act: () => void, options: { readonly keepAlive: boolean }): () => void
  /** Resolves when what else could run at once has run: long work is done in slices, with a turn between them. */
  turn(): Promise<void>
}
