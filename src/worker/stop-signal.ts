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
  let reason: FleetError | undefined
  let controller: AbortController | undefined
  let listeners: Set<() => void> | undefined
  return {
    get reason() {
      return reason
    },
    get signal() {
      if (controller === undefined) {
        controller = new AbortController()
        if (reason !== undefined) controller.abort(reason)
      }
      return controller.signal
    },
    onStop(act) {
      const heard = (listeners ??= new Set()).add(act)
      return () => heard.delete(act)
    },
    stop(why) {
      if (reason !== undefined) return
      reason = why
      controller?.abort(why)
      for (const act of listeners ?? []) act()
    },
  }
}
