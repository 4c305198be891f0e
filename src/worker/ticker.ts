import type { Clock } from '../ports/clock.ts'

/** Does something again and again, as long as there is a use for it. It does not keep the process alive. */
export interface Ticker {
  /** Begins, if it does not tick already. */
  start(everyMs: number): void
  stop(): void
}

/** `tick` says whether it is to be called again. */
export function createTicker({ clock, tick }: { readonly clock: Pick<Clock, 'alarm'>; readonly tick: () => boolean }): Ticker {
  let disarm: (() => void) | undefined
  const start = (everyMs: number) => {
    disarm ??= clock.alarm(
      everyMs,
      () => {
        disarm = undefined
        if (tick()) start(everyMs)
      },
      { keepAlive: false },
    )
  }
  return {
    start,
    stop() {
      disarm?.()
      disarm = undefined
    },
  }
}
