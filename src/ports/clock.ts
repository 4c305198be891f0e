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
  /** Resolves when what else could run at once has run: long work is done in slices, with a turn between them. */
  turn(): Promise<void>
}
