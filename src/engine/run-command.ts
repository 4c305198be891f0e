import { FleetError } from '../protocol/errors.ts'
import type { CommandOutcome, RunCommand } from '../protocol/command.ts'
import { restartedWith } from './commands/restart.ts'
import { cancelRun, failedTasks, pauseRun, resumeRun, retryFailed, sealRun, startRun } from './commands/run.ts'
import { cancelOneTask, cancelTagged, restartThese, settleTask } from './commands/task.ts'
import type { DecideContext } from './decide.ts'
import type { Engine } from './engine.ts'
import { lengthen, readSpecs } from './ended-spec.ts'
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
  'run.retry_failed': restarting(
    (run, command: CommandOf<'run.retry_failed'>) => failedTasks(run, command.tags),
    (context, run, tasks) => retryFailed(context, run, tasks),
  ),
  'tasks.cancel': onRun((context, run, { tags, by, reason = 'cancelled' }: CommandOf<'tasks.cancel'>) =>
    cancelTagged(context, run, { tags, by, reason }),
  ),
  'task.cancel': onTask((context, run, task, command: CommandOf<'task.cancel'>) =>
    cancelOneTask(context, run, task, { by: command.by, reason: command.reason ?? 'cancelled', attempt: command.attempt }),
  ),
  'task.restart': restarting(
    (run, command: CommandOf<'task.restart'>) => [taskOf(run, command.task_id)],
    (context, run, tasks) => restartThese(context, run, tasks),
  ),
  'task.settle': settle,
}

/**
 * Performs a command on a run, whoever sent it. Rejects `unknown_run`, `unknown_task`, and the command's own refusals. A posted command
 * counts once, whatever happens to its file (ST10).
 */
export function performCommand(engine: Engine, command: RunCommand, posted?: string): Promise<CommandOutcome> {
  return engine.use(command.run_id, async (run) => {
    // A creation that was cut off is no run (RU1).
    if (run?.opened !== true) throw unknownRun(command.run_id)
    if (posted !== undefined && run.posted.has(posted)) return { changed: false, message: 'The command was taken before.' }
    // The table pairs each kind with its performer.
    const perform = performers[command.kind] as Performer<RunCommand['kind']>
    return perform(engine, run, command, posted)
  })
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

function onRun<Command extends RunCommand, Answer = CommandOutcome>(
  decide: (context: DecideContext, run: RunState, command: Command) => Decision<Answer>,
): (engine: Engine, run: RunState, command: Command, posted: string | undefined) => Promise<Answer> {
  return (engine, run, command, posted) =>
    engine.command((context) => marked(decide(context, present(engine, run.header.id), command), posted))
}

function onTask<Command extends Extract<RunCommand, { task_id: string }>>(
  decide: (context: DecideContext, run: RunState, task: TaskState, command: Command) => Decision<CommandOutcome>,
): (engine: Engine, run: RunState, command: Command, posted: string | undefined) => Promise<CommandOutcome> {
  return onRun((context, run, command) => decide(context, run, taskOf(run, command.task_id), command))
}

/**
 * Restarts tasks, which work with their whole specs again: those are read from the store first. What ends while they are read is read
 * in another round.
 */
function restarting<Command extends RunCommand>(
  select: (run: RunState, command: Command) => readonly TaskState[],
  decide: (context: DecideContext, run: RunState, tasks: readonly TaskState[]) => Decision<CommandOutcome>,
): (engine: Engine, run: RunState, command: Command, posted: string | undefined) => Promise<CommandOutcome> {
  const shortOnes = (run: RunState, command: Command): TaskState[] =>
    restartedWith(run, select(run, command)).filter((task) => task.isShort)
  const perform = onRun((context, run, command: Command): Decision<CommandOutcome | undefined> => {
    if (shortOnes(run, command).length > 0) return undecided()
    return decide(context, run, select(run, command))
  })
  return async (engine, run, command, posted) => {
    for (;;) {
      const short = shortOnes(present(engine, run.header.id), command)
      if (short.length > 0) await readWhole(engine, run.header.id, short)
      const outcome = await perform(engine, run, command, posted)
      if (outcome !== undefined) return outcome
    }
  }
}

async function readWhole(engine: Engine, id: string, short: readonly TaskState[]): Promise<void> {
  // The entries that hold the specs must be there.
  await engine.settled()
  const specs = await readSpecs(engine.core, id, short)
  lengthen(present(engine, id), specs)
  const lost = short.find((task) => !specs.has(task.id))
  if (lost === undefined) return
  throw new FleetError(
    'store_damaged',
    `The spec of the task ${lost.id} of run ${id} cannot be read from the store, so it cannot be restarted. Restore the store from a copy.`,
    { details: { run_id: id, task_id: lost.id } },
  )
}

function* undecided(): Decision<undefined> {}

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
