import type { Fleet } from '../index.ts'
import type { EndSignal, Terminal } from './terminal.ts'
import type { Display } from './display.ts'

/** Ends a fleet when the process is asked to end. */
export interface Stopping {
  /** The signal that asked first. */
  readonly by: EndSignal | undefined
  /** Aborts when the process was asked to end. */
  readonly signal: AbortSignal
  /** Stops listening. */
  off(): void
}

/** 128 and the signal's number, as shells tell it. */
export const signalExitCodes: Readonly<Record<EndSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 }

/**
 * Closes the fleet gracefully at the first signal (CO8), and at once at the second. `closed` is called when it is closed; what did not
 * end in time is leased again later.
 */
export function stopOnSignals(parts: {
  readonly terminal: Terminal
  readonly fleet: Fleet
  readonly display: Display
  readonly graceMs: number
  readonly running: () => number
  readonly closed: () => void
}): Stopping {
  const { terminal, fleet, display, graceMs } = parts
  const stop = new AbortController()
  let by: EndSignal | undefined
  const off = terminal.onEnd((signal) => {
    if (by !== undefined) {
      if (signal !== 'SIGPIPE') display.say('Ending at once.')
      void fleet.close({ graceMs: 0 })
      return
    }
    by = signal
    stop.abort()
    if (signal !== 'SIGPIPE') display.say(farewell(parts.running(), graceMs, signal))
    display.mood('stopping')
    void fleet.close({ graceMs }).then(parts.closed)
  })
  return {
    get by() {
      return by
    },
    signal: stop.signal,
    off,
  }
}

function farewell(running: number, graceMs: number, signal: EndSignal): string {
  if (running === 0) return 'Stopping.'
  const isOne = running === 1
  const what = isOne ? 'The task that is running gets' : `The ${running} tasks that are running get`
  const again = signal === 'SIGINT' ? `; Ctrl-C again ends ${isOne ? 'it' : 'them'} at once` : ''
  return `Stopping. ${what} ${graceMs / 1000} s to end${again}.`
}
