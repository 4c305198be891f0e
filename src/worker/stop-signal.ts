import type { FleetError } from '../protocol/errors.ts'

/** Says that an attempt must end. */
export interface StopSignal {
  /** Why it must end; undefined while it need not. */
  readonly reason: FleetError | undefined
  /** Made when it is asked for: most work never looks at it, and it costs as much as the rest of a short attempt. */
  readonly signal: AbortSignal
  /** Calls `act` when it must end; for what waits very often, since it makes no signal. Gives a function that takes it back. */
  onStop(act: () => void): () => void
  /** Only the first call counts. */
  stop(reason: FleetError): void
}

export function createStopSignal(): StopSignal {
  return new LazyStopSignal()
}

class LazyStopSignal implements StopSignal {
  #reason: FleetError | undefined
  #controller: AbortController | undefined
  #listeners: Set<() => void> | undefined

  get reason(): FleetError | undefined {
    return this.#reason
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  onStop(act: () => void): () => void {
    const listeners = (this.#listeners ??= new Set()).add(act)
    return () => listeners.delete(act)
  }

  stop(why: FleetError): void {
    if (this.#reason !== undefined) return
    this.#reason = why
    this.#controller?.abort(why)
    for (const act of this.#listeners ?? []) act()
  }
}
