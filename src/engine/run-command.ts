import { FleetError } from '../protocol/errors.ts'
import type { CommandOutcome, RunCommand } from '../protocol/command.ts'
import { cancelRun, pauseRun, resumeRun, retryFailed, sealRun, startRun } from './commands/run.ts'
import { cancelOneTask, restartOneTask, settleTask } from './commands/task.ts'
import type { DecideContext } from './decide.ts'
import type { Engine } from './engine.ts'
import type { Decision } from './entry.ts'
import { readReceipt } from './receipts.ts'
import type { RunState, TaskState } from './state.ts'
import { updateTurn } from './fold.ts'

type CommandOf<Kind extends RunCommand['kind']> = Extract<RunCommand, { kind: Kind }>

type Performer<Kind extends RunCommand['kind']> = (
  engine: Engine,
  run: RunState,
  command: CommandOf<Kind>,
  posted: string | undefined,
) => Promise<CommandOutcome>

const performers: { readonly [Kind in RunCommand['kind']]: Performer<Kind> } = {
  'run.start': carriedOn(onRun((context, run) => startRun(context, run))),
  'run.pause': onRun((context, run) => pauseRun(context, run)),
  'run.resume': carriedOn(onRun((context, run) => resumeRun(context, run))),
  'run.cancel': onRun((context, run, command: CommandOf<'run.cancel'>) =>
    cancelRun(context, run, command.by, command.reason ?? 'cancelled'),
  ),
  'run.seal': onRun((context, run) => sealRun(context, run)),
  'run.retry_failed': onRun((context, run, command: CommandOf<'run.retry_failed'>) => retryFailed(context, run, command.tags)),
  'task.cancel': onTask((context, run, task, command: CommandOf<'task.cancel'>) =>
    cancelOneTask(context, run, task, { by: command.by, reason: command.reason ?? 'cancelled', attempt: command.attempt }),
  ),
  'task.restart': onTask((context, run, task) => restartOneTask(context, run, task)),
  'task.settle': settle,
}

/**
 * Performs a command on a run, whoever sent it. Rejects `unknown_run`, `unknown_task`, and the command's own refusals. A posted command
 * counts once, whatever happens to its file (ST10).
 */
export async function performCommand(engine: Engine, command: RunCommand, posted?: string): Promise<CommandOutcome> {
  const run = await engine.run(command.run_id)
  // A creation that was cut off is no run (RU1).
  if (run?.opened !== true) throw unknownRun(command.run_id)
  if (posted !== undefined && run.posted.has(posted)) return { changed: false, message: 'The command was taken before.' }
  // The table pairs each kind with its performer.
  const perform = performers[command.kind] as Performer<RunCommand['kind']>
  return perform(engine, run, command, posted)
}

export function unknownRun(id: string): FleetError {
  return new FleetError('unknown_run', `No run ${id} in this store. List the runs with fleet.runs() or \`flotilla list\`.`, {
    details: { run_id: id },
  })
}

function unknownTask(run: RunState, id: string): FleetError {
  return new FleetError('unknown_task', `The run ${run.header.id} has no task ${id}.`, {
    details: { run_id: run.header.id, task_id: id },
  })
}

function onRun<Command extends RunCommand>(
  decide: (context: DecideContext, run: RunState, command: Command) => Decision<CommandOutcome>,
): (engine: Engine, run: RunState, command: Command, posted: string | undefined) => Promise<CommandOutcome> {
  return (engine, run, command, posted) =>
    engine.command((context) => marked(decide(context, present(engine, run.header.id), command), posted))
}

function onTask<Command extends Extract<RunCommand, { task_id: string }>>(
  decide: (context: DecideContext, run: RunState, task: TaskState, command: Command) => Decision<CommandOutcome>,
): (engine: Engine, run: RunState, command: Command, posted: string | undefined) => Promise<CommandOutcome> {
  return onRun((context, run, command) => decide(context, run, taskOf(run, command.task_id), command))
}

async function settle(
  engine: Engine,
  run: RunState,
  command: CommandOf<'task.settle'>,
  posted: string | undefined,
): Promise<CommandOutcome> {
  // The receipt to settle is read from the store, so it must be there.
  await engine.settled()
  const seq = taskOf(run, command.task_id).receipts.at(-1)
  const latest = seq === undefined ? undefined : { seq, receipt: await readReceipt(engine.core.store, run.header.id, seq) }
  return onTask((context, found, task, { verdict }: CommandOf<'task.settle'>) =>
    settleTask(context, found, task, latest, verdict),
  )(engine, run, command, posted)
}

/** A run that someone started or resumed here is carried on by this fleet, if it leases at all (ST11). */
function carriedOn<Kind extends RunCommand['kind']>(perform: Performer<Kind>): Performer<Kind> {
  return async (engine, run, command, posted) => {
    const outcome = await perform(engine, run, command, posted)
    const now = present(engine, run.header.id)
    now.carried = true
    updateTurn(engine.core.state, now)
    engine.core.turns.nudge()
    return outcome
  }
}

function present(engine: Engine, id: string): RunState {
  const run = engine.core.state.runs.get(id)
  if (run === undefined) throw unknownRun(id)
  return run
}

function taskOf(run: RunState, id: string): TaskState {
  const task = run.tasks.get(id)
  if (task === undefined) throw unknownTask(run, id)
  return task
}

/** The first entry of a posted command carries its id. */
function* marked<Answer>(decision: Decision<Answer>, posted: string | undefined): Decision<Answer> {
  let mark = posted
  let step = decision.next()
  while (step.done !== true) {
    yield mark === undefined ? step.value : { ...step.value, posted: mark }
    mark = undefined
    step = decision.next()
  }
  return step.value
}
