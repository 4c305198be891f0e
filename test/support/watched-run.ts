import type { Core } from '../../src/engine/core.ts'
import { createDeadlines } from '../../src/engine/deadlines.ts'
import type { Entry } from '../../src/engine/entry.ts'
import { createPresence } from '../../src/engine/presence.ts'
import type { AttemptPresence } from '../../src/engine/presence.ts'
import type { Decide } from '../../src/engine/turns.ts'
import { createWorkers } from '../../src/engine/workers.ts'
import type { Worker, Workers } from '../../src/engine/workers.ts'
import { seededIds } from '../../src/host/seeded-ids.ts'
import type { FleetEvent } from '../../src/protocol/fleet-event.ts'
import type { ToWorker } from '../../src/protocol/wire.ts'
import { decidedRun } from './decided-run.ts'
import type { DecidedRun } from './decided-run.ts'
import { createTestTransport } from './test-transport.ts'

/**
 * A decided run with time and workers: deadlines report, and what they report is decided at once, unless it is held. The worker `w1` is
 * heard by its own messages, `inside` is one of the fleet's process; both are online.
 */
export interface WatchedRun extends DecidedRun {
  readonly core: Core
  readonly workers: Workers
  workerNamed(id: string): Worker
  /** What was reported, as it was decided. */
  readonly entries: Entry[]
  /** What was announced live. */
  readonly announced: FleetEvent[]
  /** What workers were told. */
  readonly told: { readonly worker: string; readonly message: ToWorker }[]
  /** How often scheduling was asked to look again. */
  readonly nudges: () => number
  /** From now on reports are kept, as while a store fails. */
  hold(): void
  /** They are decided. */
  release(): void
  /** The live attempt of a task is present, heard just now; `placed`: it was handed over. */
  begin(id: string, how?: { readonly placed?: true }): AttemptPresence
}

export function watchedRun(...given: Parameters<typeof decidedRun>): WatchedRun {
  const decided = decidedRun(...given)
  const { clock, state, run } = decided
  const { defaults, alertSinks } = decided.context()
  const deadlines = createDeadlines(clock, { keepAlive: () => true })
  const presence = createPresence()
  const workers = createWorkers(
    { held: (id) => state.holdings.get(id) ?? 0, lingering: (id) => presence.lingering(id) },
    defaults.abandonedAtOnce,
  )
  const entries: Entry[] = []
  const announced: FleetEvent[] = []
  const told: { worker: string; message: ToWorker }[] = []
  let nudges = 0
  let held: Decide<void>[] | undefined
  const report = (decide: Decide<void>): void => {
    if (held === undefined) entries.push(...decided.decide(decide))
    else held.push(decide)
  }
  const core = {
    ...{ clock, state, presence, deadlines, defaults, alertSinks, ids: seededIds('watched') },
    turns: { report, command: () => Promise.reject(new Error('No command was expected.')), nudge: () => (nudges += 1) },
    announce: (event: FleetEvent) => void announced.push(event),
    isListenedTo: (name) => name === 'worker.heartbeat',
    liveCursor: () => 'fev1_s_0_0',
    // What waits for time alone needs nothing else of the engine.
  } as Partial<Core> as Core
  for (const [id, heartbeats] of [
    ['w1', 'worker'],
    ['inside', 'fleet'],
  ] as const)
    workers.add(workerOf(id, heartbeats, (message) => told.push({ worker: id, message })))
  return {
    ...decided,
    ...{ core, workers, entries, announced, told },
    workerNamed: (id) => workers.get(id) as Worker,
    nudges: () => nudges,
    hold: () => (held = []),
    release() {
      const kept = held ?? []
      held = undefined
      for (const decide of kept) report(decide)
    },
    begin(id, { placed } = {}) {
      const { attempt, worker } = decided.task(id)
      const now = deadlines.leaseNow()
      const begun = presence.begin({
        ...{ run: run.header.id, task: id, attempt, worker: worker ?? '' },
        ...{ deadline: now + defaults.leaseTtlMs, lastHeardAt: clock.now(), lastProgress: now },
      })
      if (placed === true) begun.place = { run_id: run.header.id, task_id: id, attempt, folder: '/f', root: '/w' }
      return begun
    },
  }
}

function workerOf(id: string, heartbeats: 'worker' | 'fleet', send: (message: ToWorker) => void): Worker {
  const transport = createTestTransport({ heartbeats })
  return {
    facts: {
      ...{ id, serves: transport.serves, capabilities: [], roles: [], host: 'local', verified: false, trust: 'local' },
      ...{ enforces: transport.enforces, checks: undefined, runsUnenforced: false, slots: 4 },
    },
    ...{
      transport,
      incarnation: `${id}-1`,
      status: 'online',
      failures: 0,
      abandoned: new Set(),
      draining: false,
      resting: false,
    },
    channel: {
      send,
      messages: (async function* () {})(),
      closed: new Promise(() => undefined),
      close: () => Promise.resolve(),
    },
  }
}
