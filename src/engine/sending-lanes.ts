/** Work in lanes: so much of one lane at once, in the order in which it came; lanes do not wait for each other. */
export interface SendingLanes {
  /** `act` must not reject. */
  run(lane: string, act: () => Promise<void>): void
  /** Resolves when no lane has anything left. */
  idle(): Promise<void>
}

interface Lane {
  running: number
  readonly waiting: (() => Promise<void>)[]
}

export function createSendingLanes(width: number): SendingLanes {
  const lanes = new Map<string, Lane>()
  let listeners: (() => void)[] = []

  function pump(name: string, lane: Lane): void {
    while (lane.running < width) {
      const act = lane.waiting.shift()
      if (act === undefined) break
      lane.running += 1
      void act().then(() => {
        lane.running -= 1
        pump(name, lane)
      })
    }
    if (lane.running > 0) return
    lanes.delete(name)
    if (lanes.size > 0) return
    for (const listener of listeners) listener()
    listeners = []
  }

  return {
    run(name, act) {
      const lane = lanes.get(name) ?? { running: 0, waiting: [] }
      lanes.set(name, lane)
      lane.waiting.push(act)
      pump(name, lane)
    },
    idle: () => (lanes.size === 0 ? Promise.resolve() : new Promise((resolve) => listeners.push(resolve))),
  }
}
