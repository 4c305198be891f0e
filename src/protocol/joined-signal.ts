/** A signal that aborts with the first of several, until it is given up. */
export interface JoinedSignal extends Disposable {
  readonly signal: AbortSignal
}

/** Who waits for the abort of a signal: all on one listener, since the platform warns of many. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Joins signals for a while. `AbortSignal.any` leaves a trace in each of them for as long as that one lives, so a fleet that joined its own
 * with that of every attempt would grow with each; of this nothing is left once it is disposed, or has aborted.
 */
export function joinSignals(signals: readonly (AbortSignal | undefined)[]): JoinedSignal {
  const joined = new AbortController()
  const given = signals.filter((signal) => signal !== undefined)
  const abort = () => {
    release()
    joined.abort(given.find((signal) => signal.aborted)?.reason)
  }
  const release = () => given.forEach((signal) => waiting.get(signal)?.delete(abort))
  if (given.some((signal) => signal.aborted)) abort()
  else for (const signal of given) waitersOf(signal).add(abort)
  return { signal: joined.signal, [Symbol.dispose]: release }
}

function waitersOf(signal: AbortSignal): Set<() => void> {
  const known = waiting.get(signal)
  if (known !== undefined) return known
  const waiters = new Set<() => void>()
  waiting.set(signal, waiters)
  signal.addEventListener('abort', () => [...waiters].forEach((wake) => wake()), { once: true })
  return waiters
}
