import { inSlices } from '../protocol/steps.ts'
import type { Resting, Steps } from '../protocol/steps.ts'
import type { EnginePorts } from './core.ts'
import type { Entry } from './entry.ts'
import { project } from './project.ts'
import type { ProjectedRun } from './project.ts'

/** Tells the host application of what is durable, in order. */
export interface Announcer {
  /** An entry is durable. What belongs to a run that is being created is told once the run is opened (RU1). */
  hear(run: ProjectedRun, entry: Entry): void
  /** The run was taken back: nobody hears of it. */
  forget(run: string): void
  /** Resolves when nothing waits to be told. */
  idle(): Promise<void>
}

/** Entries of more tasks than this are told in slices; what comes meanwhile waits behind them. */
const toldAtOnce = 2_000

export function createAnnouncer(
  clock: Resting,
  ports: Pick<EnginePorts, 'announce' | 'hasListeners' | 'isListenedTo'>,
): Announcer {
  const creating = new Map<string, Entry[]>()
  const waiting: Waiting[] = []
  let isTelling = false
  let told = Promise.resolve()

  function tell(run: ProjectedRun, entry: Entry): void {
    if (!ports.hasListeners()) return
    for (const event of project(run, entry, ports.isListenedTo)) ports.announce(event)
  }

  function tellAll(run: ProjectedRun, entries: readonly Entry[]): void {
    if (!isTelling && weightOf(entries) <= toldAtOnce) {
      for (const entry of entries) tell(run, entry)
      return
    }
    waiting.push({ run, entries })
    if (isTelling) return
    isTelling = true
    told = inSlices(tellingWaiting(), clock)
  }

  /** In steps: tells of everything that waits, and of what comes to wait meanwhile. It ends with its last step, so that nothing waits for it in vain. */
  function* tellingWaiting(): Steps {
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        for (const entry of next.entries) {
          tell(next.run, entry)
          yield
        }
      }
    } finally {
      isTelling = false
    }
  }

  return {
    hear(run, entry) {
      if (entry.created !== undefined) creating.set(run.id, [])
      const held = creating.get(run.id)
      if (held === undefined) return tellAll(run, [entry])
      held.push(entry)
      if (entry.run?.opened !== true) return undefined
      creating.delete(run.id)
      return tellAll(run, held)
    },
    forget: (run) => void creating.delete(run),
    async idle() {
      while (isTelling) await told
    },
  }
}

interface Waiting {
  readonly run: ProjectedRun
  readonly entries: readonly Entry[]
}

function weightOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { tasks }) => sum + Math.max(1, tasks?.length ?? 0), 0)
}
