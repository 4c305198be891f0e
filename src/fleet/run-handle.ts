import { addTasks } from '../engine/commands/run.ts'
import type { Engine } from '../engine/engine.ts'
import type { Decision } from '../engine/entry.ts'
import { performCommand, unknownRun } from '../engine/run-command.ts'
import type { RunState } from '../engine/state.ts'
import type { CommandOutcome, RunCommand, SettleVerdict } from '../protocol/command.ts'
import { inSlices } from '../protocol/steps.ts'
import type { Steps } from '../protocol/steps.ts'
import { parsingTasks } from '../protocol/task-list.ts'
import type { FleetTaskSpec, FleetTaskSpecInput } from '../protocol/task.ts'
import { FleetError } from '../protocol/errors.ts'
import { refusingUnenforceableTasks } from './acceptance.ts'
import type { RunReader } from './run-reader.ts'

/** Who asks, and why; both are recorded. */
export interface CancelOptions {
  /** Default `operator`. */
  readonly by?: string
  readonly reason?: string
}

/**
 * A run of this fleet. Every command resolves once what it did is durable, and tells whether it changed anything; refusals reject with
 * their code and change nothing (CO1, CO3).
 */
export interface Run extends RunReader {
  /** False when the idempotency key gave a run that existed before (RU2). */
  readonly created: boolean
  /** What cannot run with the workers that are registered now, one sentence each (SC3). */
  readonly warnings: readonly string[]
  /** Lets its tasks be leased. */
  start(): Promise<CommandOutcome>
  /** Gives out no more leases; what runs goes on (RU4). */
  pause(): Promise<CommandOutcome>
  resume(): Promise<CommandOutcome>
  /** Cancels the run, with every task that has not ended; with `tags` only the tasks with one of them, and what depends on those (RU5). */
  cancel(options?: CancelOptions & { readonly tags?: readonly string[] }): Promise<CommandOutcome>
  /** Cancels one task and what depends on it; with `attempt`, only while that attempt is live (RU5). */
  cancelTask(taskId: string, options?: CancelOptions & { readonly attempt?: number }): Promise<CommandOutcome>
  /** Enqueues a task again with a fresh retry budget, whatever its state (LE9). */
  restart(taskId: string): Promise<CommandOutcome>
  /** Restarts the tasks that failed, of all or of those with one of the tags. */
  retryFailed(options?: { readonly tags?: readonly string[] }): Promise<CommandOutcome>
  /**
   * Adds tasks to a run that was created `open`, all or none; rejects `run_sealed` else (RU8). They are read in slices, with turns of
   * the event loop between them, and added in one decision.
   */
  add(tasks: readonly FleetTaskSpecInput[]): Promise<CommandOutcome>
  /** Takes no more tasks: the run ends when the last of them has. */
  seal(): Promise<CommandOutcome>
  /** Replaces a partial verdict, once (VE5). Rejects `not_settleable`. */
  settle(taskId: string, verdict: SettleVerdict): Promise<CommandOutcome>
  /** Deletes the run and all it left; rejects `run_open` before it has ended. Its id is not used again (RU8). */
  delete(): Promise<void>
}

export function createRunHandle(
  engine: Engine,
  reader: RunReader,
  facts: { readonly created: boolean; readonly warnings: readonly string[] },
): Run {
  const { id } = reader
  const perform = (command: RunCommand): Promise<CommandOutcome> => performCommand(engine, command)
  return {
    ...reader,
    ...facts,
    start: () => perform({ kind: 'run.start', run_id: id }),
    pause: () => perform({ kind: 'run.pause', run_id: id }),
    resume: () => perform({ kind: 'run.resume', run_id: id }),
    cancel: ({ by = 'operator', reason, tags } = {}) =>
      perform(
        tags === undefined
          ? { kind: 'run.cancel', run_id: id, by, reason }
          : { kind: 'tasks.cancel', run_id: id, tags, by, reason },
      ),
    cancelTask: (task_id, { by = 'operator', reason, attempt } = {}) =>
      perform({ kind: 'task.cancel', run_id: id, task_id, by, reason, attempt }),
    restart: (task_id) => perform({ kind: 'task.restart', run_id: id, task_id }),
    retryFailed: ({ tags } = {}) => perform({ kind: 'run.retry_failed', run_id: id, tags }),
    seal: () => perform({ kind: 'run.seal', run_id: id }),
    settle: (task_id, verdict) => perform({ kind: 'task.settle', run_id: id, task_id, verdict }),
    add: (tasks) => addToRun(engine, id, tasks),
    delete: () => engine.use(id, (run) => deleteRun(engine, id, run)),
  }
}

async function addToRun(engine: Engine, id: string, input: readonly FleetTaskSpecInput[]): Promise<CommandOutcome> {
  for (;;) {
    const outcome = await engine.use(id, (run) => addOnce(engine, id, run, input))
    if (outcome !== undefined) return outcome
  }
}

/** Undefined when the run was read again meanwhile: tasks that the new ones were held against may be gone (CO1). */
async function addOnce(
  engine: Engine,
  id: string,
  run: RunState | undefined,
  input: readonly FleetTaskSpecInput[],
): Promise<CommandOutcome | undefined> {
  if (run?.opened !== true) throw unknownRun(id)
  const tasks = await inSlices(accepting(engine, run, input), engine.core.clock)
  return engine.command(function* (context): Decision<CommandOutcome | undefined> {
    if (context.state.runs.get(id) !== run) return undefined
    // Another call may have added the same id meanwhile.
    const taken = tasks.filter((task) => run.tasks.has(task.id)).map((task) => task.id)
    if (taken.length > 0)
      throw new FleetError('invalid_document', `The run ${id} has tasks of these ids already: ${taken.join(', ')}.`)
    return yield* addTasks(context, run, tasks)
  })
}

function* accepting(engine: Engine, run: RunState, input: readonly FleetTaskSpecInput[]): Steps<readonly FleetTaskSpec[]> {
  const tasks = yield* parsingTasks(input, { knownIds: run.tasks, roles: run.header.roles })
  yield* refusingUnenforceableTasks(tasks, engine.core.scorers)
  return tasks
}

async function deleteRun(engine: Engine, id: string, run: RunState | undefined): Promise<void> {
  if (run?.opened !== true) throw unknownRun(id)
  await engine.settled()
  if (run.completedAt === null) {
    throw new FleetError('run_open', `The run ${id} is ${run.status}. Wait for its end, or cancel it first.`, {
      details: { status: run.status },
    })
  }
  // What is still being stopped may yet leave its log (RU5).
  const stopping = [...engine.core.presence.all()].filter((attempt) => attempt.run === id).map((attempt) => attempt.task)
  if (stopping.length > 0) {
    throw new FleetError(
      'run_open',
      `The run ${id} has ended, but attempts are still being stopped: ${stopping.join(', ')}. Try again shortly.`,
    )
  }
  await engine.drop(id)
}
