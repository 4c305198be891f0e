import type { CommandOutcome } from '../../protocol/command.ts'
import type { FleetTaskSpec } from '../../protocol/task.ts'
import { overBudgetOf, refuseOverBudget } from '../budget.ts'
import { cancelTask } from '../cancel.ts'
import { refuse, runStep } from '../decide.ts'
import type { DecideContext } from '../decide.ts'
import type { Decision, NewTask } from '../entry.ts'
import { specRecord } from '../spec-record.ts'
import { cancelHopeless, endRun, firstStep, unblock } from '../task-ended.ts'
import { isEndedRun, isEndedTask } from '../state.ts'
import type { RunHeader } from '../run-header.ts'
import type { RunState, TaskState } from '../state.ts'
import { isTagged } from '../tagged.ts'
import { restartTasks } from './restart.ts'

const changed = (message: string): CommandOutcome => ({ changed: true, message })
const unchanged = (message: string): CommandOutcome => ({ changed: false, message })

/** Creates a run with its tasks at once; the last entry opens it (RU1). `start` also starts it. */
export function* createRun(
  context: DecideContext,
  header: RunHeader,
  tasks: readonly FleetTaskSpec[],
  start: boolean,
): Decision<void> {
  yield* beginRun(context, header, tasks.length)
  yield* addSlices(context, header.id, tasks)
  yield* openRun(context, header.id, start)
}

/** Begins a run of so many tasks. Until it is opened nobody sees it, and nothing of it is leased (RU1). */
export function* beginRun(context: DecideContext, header: RunHeader, taskCount: number): Decision<void> {
  // Another creation of the same moment may not be in the store yet.
  if (context.state.runs.has(header.id))
    throw refuse('run_exists', `A run ${header.id} exists in this store. Leave the id out, or choose another.`)
  yield { on: header.id, kind: 'run.created', created: header, taskCount, run: { updatedAt: context.now } }
}

/** Opens a run that has all of its tasks. */
export function* openRun(context: DecideContext, runId: string, start: boolean): Decision<void> {
  yield { on: runId, kind: 'run.opened', run: { opened: true } }
  const run = context.state.runs.get(runId)
  if (run === undefined) throw new Error(`The run ${runId} vanished while it was created.`)
  if (start) yield* startRun(context, run)
}

/** Adds tasks to an open run (RU8). */
export function* addTasks(context: DecideContext, run: RunState, tasks: readonly FleetTaskSpec[]): Decision<CommandOutcome> {
  if (run.sealed)
    throw refuse(
      'run_sealed',
      `The run ${run.header.id} takes no more tasks: it was ${run.header.open ? 'sealed' : 'not created open'}.`,
    )
  if (tasks.length === 0) return unchanged('No task was given.')
  refuseOverBudget(run.overBudget ?? undefined, `the run ${run.header.id} takes no more tasks`)
  yield* addSlices(context, run.header.id, tasks)
  // A dependency that ended badly before its dependant came cancels it like any other.
  for (const spec of tasks) {
    const task = run.tasks.get(spec.id)
    if (task !== undefined) yield* cancelHopeless(context, run, task)
  }
  return changed(`${tasks.length} task(s) were added.`)
}

/** Lets a run take part in leasing. Starting a run twice says so and changes nothing. */
export function* startRun(context: DecideContext, run: RunState): Decision<CommandOutcome> {
  if (run.status !== 'pending') return unchanged(`The run ${run.header.id} is ${run.status}.`)
  yield { on: run.header.id, kind: 'run.stepped', run: runStep(run, { type: 'start' }, context.now) }
  yield* endRun(context, run)
  return changed(`The run ${run.header.id} was started.`)
}

/** Stops giving out leases; what runs goes on (RU4). */
export function* pauseRun(context: DecideContext, run: RunState): Decision<CommandOutcome> {
  if (run.status === 'paused') return unchanged(`The run ${run.header.id} is paused already.`)
  if (isEndedRun(run.status)) return unchanged(`The run ${run.header.id} has ended ${run.status}.`)
  yield { on: run.header.id, kind: 'run.stepped', run: runStep(run, { type: 'pause' }, context.now) }
  return changed(`The run ${run.header.id} was paused.`)
}

/** Goes on where the run was paused. */
export function* resumeRun(context: DecideContext, run: RunState): Decision<CommandOutcome> {
  if (run.status !== 'paused') return unchanged(`The run ${run.header.id} is ${run.status}, not paused.`)
  yield { on: run.header.id, kind: 'run.stepped', run: runStep(run, { type: 'resume' }, context.now) }
  return changed(`The run ${run.header.id} was resumed.`)
}

/** Cancels the run and every task that has not ended (RU5). */
export function* cancelRun(context: DecideContext, run: RunState, by: string, reason: string): Decision<CommandOutcome> {
  if (isEndedRun(run.status)) return unchanged(`The run ${run.header.id} has ended ${run.status}.`)
  yield { on: run.header.id, kind: 'run.stepped', run: { ...runStep(run, { type: 'cancel' }, context.now), sealed: true } }
  let count = 0
  for (const task of run.tasks.values()) {
    if (isEndedTask(task.status)) continue
    yield* cancelTask(context, run, task, { by, reason, cause: null })
    count += 1
  }
  return changed(`The run ${run.header.id} was cancelled, with ${count} open task(s).`)
}

/** Takes no more tasks; the run ends when the last of them has (RU3). */
export function* sealRun(context: DecideContext, run: RunState): Decision<CommandOutcome> {
  if (run.sealed) return unchanged(`The run ${run.header.id} takes no more tasks already.`)
  yield { on: run.header.id, kind: 'run.sealed', run: { sealed: true, updatedAt: context.now } }
  yield* endRun(context, run)
  return changed(`The run ${run.header.id} was sealed.`)
}

/** The tasks that failed, of all or of those with one of the tags. */
export function failedTasks(run: RunState, tags: readonly string[] | undefined): readonly TaskState[] {
  return [...run.tasks.values()].filter((task) => task.status === 'failed' && isTagged(task.spec, tags))
}

/** Restarts failed tasks, each with a fresh retry budget (LE9). */
export function* retryFailed(context: DecideContext, run: RunState, failed: readonly TaskState[]): Decision<CommandOutcome> {
  if (failed.length === 0) return unchanged(`No task of the run ${run.header.id} has failed.`)
  const able = failed.filter((task) => overBudgetOf(run, task, context.now) === undefined)
  const spent = failed.length - able.length
  const left = spent === 0 ? '' : ` ${spent} stay failed: their budget is spent.`
  if (able.length === 0) return unchanged(`No failed task was enqueued again.${left}`)
  yield* restartTasks(context, run, able)
  return changed(`${able.length} failed task(s) were enqueued again.${left}`)
}

/**
 * Adds tasks in entries of at most a slice each. A dependency that is not there yet counts as not met, so what is freed here depends on
 * nothing that may still come.
 */
export function* addSlices(context: DecideContext, runId: string, tasks: readonly FleetTaskSpec[]): Decision {
  const { taskSlice } = context.defaults
  for (let from = 0; from < tasks.length; from += taskSlice) {
    const slice = tasks.slice(from, from + taskSlice)
    yield {
      on: runId,
      kind: 'tasks.added',
      run: { updatedAt: context.now },
      tasks: slice.map((spec): NewTask => ({ id: spec.id, spec: specRecord(spec), set: firstStep(spec, context.now) })),
    }
  }
  const run = context.state.runs.get(runId)
  if (run === undefined) return
  for (const spec of tasks) {
    const task = run.tasks.get(spec.id)
    if (task?.status === 'blocked' && task.openDependencies === 0) yield* unblock(context, run, task)
  }
}
