import type { CommandOutcome, SettleVerdict } from '../protocol/command.ts'
import type { FleetTaskSpecInput } from '../protocol/task.ts'
import type { FleetCalls } from './calls.ts'
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
  /** Deletes the run and all it left; rejects `run_open` before it has ended, or while an alert of it is owed. Its id is not used again (RU8). */
  delete(): Promise<void>
}

export function createRunHandle(
  { perform, ...calls }: FleetCalls,
  reader: RunReader,
  facts: { readonly created: boolean; readonly warnings: readonly string[] },
): Run {
  const { id } = reader
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
    add: (tasks) => calls.add({ run: id, tasks }),
    delete: () => calls.delete({ run: id }),
  }
}
