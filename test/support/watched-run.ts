import type { Core } from '../../src/engine/core.ts'
import { createDeadlines } from '../../src/engine/deadlines.ts'
import { createPresence } from '../../src/engine/presence.ts'
import type { AttemptPresence } from '../../src/engine/presence.ts'
import type { Decide } from '../../src/engine/turns.ts'
import type { Entry } from '../../src/engine/entry.ts'
import type { FleetEvent } from '../../src/protocol/fleet-event.ts'
import { decidedRun } from './decided-run.ts'
import type { DecidedRun } from './decided-run.ts'

/** A decided run with time: deadlines report, and what they report is decided at once, unless it is held. */
export interface WatchedRun extends DecidedRun {
  readonly core: Core
  /** What was reported, as it was decided. */
  readonly entries: Entry[]
  /** What was announced live. */
  readonly announced: FleetEvent[]
  /** From now on reports are kept, as while a store fails. */
  hold(): void
  /** They are decided. */
  release(): void
  /** The live attempt of a task is present, heard just now. */
  begin(id: string): AttemptPresence
}

export function watchedRun(...given: Parameters<typeof decidedRun>): WatchedRun {
  const decided = decidedRun(...given)
  const { clock, state, run } = decided
  const { defaults } = decided.context()
  const deadlines = createDeadlines(clock, { keepAlive: () => true })
  const presence = createPresence()
  const entries: Entry[] = []
  const announced: FleetEvent[] = []
  let held: Decide<void>[] | undefined
  const report = (decide: Decide<void>): void => {
    if (held === undefined) entries.push(...decided.decide(decide))
    else held.push(decide)
  }
  const core = {
    ...{ clock, state, presence, deadlines, defaults },
    turns: { report, command: () => Promise.reject(new Error('No command was expected.')), nudge: () => undefined },
    announce: (event: FleetEvent) => void announced.push(event),
    isListenedTo: () => true,
    liveCursor: () => 'fev1_s_0_0',
    // What waits for time alone needs nothing else of the engine.
  } as Partial<Core> as Core
  return {
    ...decided,
    ...{ core, entries, announced },
    hold: () => (held = []),
    release() {
      const kept = held ?? []
      held = undefined
      for (const decide of kept) report(decide)
    },
    begin(id) {
      const { attempt, worker } = decided.task(id)
      const now = deadlines.leaseNow()
      return presence.begin({
        ...{ run: run.header.id, task: id, attempt, worker: worker ?? '' },
        ...{ deadline: now + defaults.leaseTtlMs, lastHeardAt: clock.now(), lastProgress: now },
      })
    },
  }
}
