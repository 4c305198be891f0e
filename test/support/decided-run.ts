import { createRun } from '../../src/engine/commands/run.ts'
import type { DecideContext } from '../../src/engine/decide.ts'
import { leaseStep } from '../../src/engine/decide.ts'
import type { Defaults } from '../../src/engine/defaults.ts'
import { engineDefaults } from '../../src/engine/defaults.ts'
import { entryOf, just } from '../../src/engine/entry.ts'
import type { Changes, Decision, Draft, Entry } from '../../src/engine/entry.ts'
import { fold } from '../../src/engine/fold.ts'
import type { ConcurrencyLimits } from '../../src/engine/gates.ts'
import type { RunHeader } from '../../src/engine/run-header.ts'
import { createFleetState } from '../../src/engine/state.ts'
import type { FleetState, RunState, TaskState } from '../../src/engine/state.ts'
import { FleetTaskSpec } from '../../src/protocol/task.ts'
import { usualTerms } from '../../src/security/trust.ts'
import { memoryFiles } from '../../src/testing/memory-files.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import type { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { task } from './bench-fleet.ts'
import { scorersOf } from './scored-attempt.ts'

/** A started run on the state alone, without store, workers or announcements: for decisions, one after the other. */
export interface DecidedRun {
  readonly clock: VirtualClock
  readonly state: FleetState
  readonly run: RunState
  task(id: string): TaskState
  context(): DecideContext
  /** Applies what is decided now, and gives it. */
  decide(by: (context: DecideContext, run: RunState) => Decision<unknown>): Entry[]
  /** Sets fields of a task, as an entry would. */
  set(id: string, set: Changes): void
  /** Leases a task to `w1`, which accepts it at once, unless it `awaits` that. */
  lease(id: string, how?: { readonly awaits?: true; readonly worker?: string }): void
}

export type Specs = Record<string, Record<string, unknown>>

/** The tasks are their specs by id. */
export function decidedRun(
  specs: Specs,
  options: {
    readonly header?: Partial<RunHeader>
    readonly defaults?: Partial<Defaults>
    readonly draw?: number
    readonly limits?: ConcurrencyLimits
    readonly alertSinks?: DecideContext['alertSinks']
  } = {},
): DecidedRun {
  const clock = createVirtualClock()
  const state = createFleetState({ limits: options.limits ?? {}, later: () => undefined })
  const header: RunHeader = {
    ...{ id: 'r', name: 'r', short: 's', labels: {}, worker_specs: [], open: false, workspace: '/w' },
    ...{ createdAt: clock.now(), ...options.header },
  }
  const context = (): DecideContext => ({
    state,
    now: clock.now(),
    draw: () => options.draw ?? 0,
    defaults: { ...engineDefaults, ...options.defaults },
    scorers: scorersOf({ files: memoryFiles() }),
    alertSinks: options.alertSinks ?? ({} as DecideContext['alertSinks']),
    termsOf: () => usualTerms,
  })
  function apply(draft: Draft): Entry {
    const entry = entryOf(draft, (state.runs.get(draft.on)?.seq ?? 0) + 1, clock.now())
    fold(state, draft.on, entry)
    return entry
  }
  function decide(decision: Decision<unknown>): Entry[] {
    const entries: Entry[] = []
    for (const draft of decision) entries.push(apply(draft))
    return entries
  }
  const tasks = Object.entries(specs).map(([id, more]) => FleetTaskSpec.parse(task(id, more)))
  decide(createRun(context(), header, tasks, true))
  const run = present(state.runs.get(header.id))
  const taskOf = (id: string): TaskState => present(run.tasks.get(id))
  const set = (id: string, changes: Changes): void => {
    decide(just({ on: header.id, kind: 'task.stepped', task: id, set: changes }))
  }
  return {
    ...{ clock, state, run, context, set },
    task: taskOf,
    decide: (by) => decide(by(context(), run)),
    lease(id, { awaits, worker = 'w1' } = {}) {
      const steps = awaits === true ? ([{ type: 'lease' }] as const) : ([{ type: 'lease' }, { type: 'accept' }] as const)
      set(id, { ...leaseStep(taskOf(id), ...steps), worker, incarnation: `${worker}-1`, leasedAt: clock.now() })
    },
  }
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('It is not there.')
  return value
}
