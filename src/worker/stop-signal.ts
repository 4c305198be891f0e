import type { FleetError } from '../protocol/errors.ts'

/** Says that an attempt must end. */
export interface StopSignal {
  /** Why it must end; undefined while it need not. */
  readonly reason: FleetError | undefined
  /** Made when it is asked for: most work never looks at it, and it costs as much as the rest of a short attempt. */
  readonly signal: AbortSignal
  /** Only the first call counts. */
  stop(reason: FleetError): void
}

export function createStopSignal(): StopSignal {
  let reason: FleetError | undefined
  let controller: AbortController | undefined
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
    stop(why) {
      if (reason !== undefined) return
      reason = why
      controller?.abort(why)
    },
  }
}
