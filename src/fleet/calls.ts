import { addTasks } from '../engine/commands/run.ts'
import type { DecideContext } from '../engine/decide.ts'
import type { Engine } from '../engine/engine.ts'
import type { Decision } from '../engine/entry.ts'
import { performCommand, unknownRun } from '../engine/run-command.ts'
import type { RunState } from '../engine/state.ts'
import type { CommandOutcome, RunCommand } from '../protocol/command.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import { inSlices } from '../protocol/steps.ts'
import type { Steps } from '../protocol/steps.ts'
import type { ProfileTables } from '../security/profile-layers.ts'
import { parsingTasks } from '../protocol/task-list.ts'
import type { FleetTaskSpec, FleetTaskSpecInput } from '../protocol/task.ts'
import { refusingUnenforceableTasks } from './acceptance.ts'
import type { Created, CreateOptions, Creations } from './creations.ts'
import { keepAddresses } from './kept-addresses.ts'
import { mergingProfiles } from './profiles.ts'
import type { Registrar } from './registrar.ts'
import type { WorkerPlan } from './workers-of.ts'

/** Everything that can be asked of a fleet and changes something. Looking is not among it. */
export interface FleetCalls {
  create(asked: { readonly spec: FleetRunSpecInput; readonly start: boolean; readonly options: CreateOptions }): Promise<Created>
  perform(command: RunCommand): Promise<CommandOutcome>
  add(asked: { readonly run: string; readonly tasks: readonly FleetTaskSpecInput[] }): Promise<CommandOutcome>
  delete(asked: { readonly run: string }): Promise<void>
  addWorker(plan: WorkerPlan): Promise<void>
  drain(asked: { readonly worker: string; readonly graceMs: number | undefined }): Promise<void>
  close(asked: { readonly graceMs?: number }): Promise<void>
}

export function createFleetCalls(
  engine: Engine,
  parts: {
    readonly registrar: Registrar
    readonly creations: Creations
    readonly profiles: ProfileTables
    readonly close: FleetCalls['close']
  },
): FleetCalls {
  const { registrar, creations } = parts
  return {
    create: ({ spec, start, options }) => creations.create(spec, start, options),
    perform: (command) => performCommand(engine, command),
    add: ({ run, tasks }) => addToRun(engine, run, tasks, parts.profiles),
    delete: ({ run: id }) => engine.use(id, (run) => deleteRun(engine, id, run)),
    async addWorker(plan) {
      registrar.add(plan)
      await registrar.ready()
    },
    drain: ({ worker, graceMs }) => registrar.drain(worker, graceMs),
    close: parts.close,
  }
}

async function addToRun(
  engine: Engine,
  id: string,
  input: readonly FleetTaskSpecInput[],
  profiles: ProfileTables,
): Promise<CommandOutcome> {
  for (;;) {
    const outcome = await engine.use(id, (run) => addOnce(engine, id, run, input, profiles))
    if (outcome !== undefined) return outcome
  }
}

/** Undefined when the run was read again meanwhile: tasks that the new ones were held against may be gone (CO1). */
async function addOnce(
  engine: Engine,
  id: string,
  run: RunState | undefined,
  input: readonly FleetTaskSpecInput[],
  profiles: ProfileTables,
): Promise<CommandOutcome | undefined> {
  if (run?.opened !== true) throw unknownRun(id)
  const accepted = await inSlices(accepting(engine, run, input, profiles), engine.core.clock)
  const tasks = await keepAddresses(engine.core.store.blobs, id, accepted)
  return engine.command((context) => adding(context, run, tasks))
}

function* adding(context: DecideContext, run: RunState, tasks: readonly FleetTaskSpec[]): Decision<CommandOutcome | undefined> {
  const { id } = run.header
  if (context.state.runs.get(id) !== run) return undefined
  // Another call may have added the same id meanwhile.
  const taken = tasks.filter((task) => run.tasks.has(task.id)).map((task) => task.id)
  if (taken.length > 0)
    throw new FleetError('invalid_document', `The run ${id} has tasks of these ids already: ${taken.join(', ')}.`)
  return yield* addTasks(context, run, tasks)
}

function* accepting(
  engine: Engine,
  run: RunState,
  input: readonly FleetTaskSpecInput[],
  profiles: ProfileTables,
): Steps<readonly FleetTaskSpec[]> {
  const tasks = yield* parsingTasks(input, { knownIds: run.tasks, roles: run.header.roles })
  const merging = yield* mergingProfiles(tasks, run.header, profiles)
  yield* refusingUnenforceableTasks(tasks, merging.refusals)
  return merging.tasks
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
  // The state that was handed over may have been read again meanwhile.
  const unsettled = engine.core.state.runs.get(id)?.unsettled ?? run.unsettled
  if (unsettled > 0) {
    throw new FleetError(
      'run_open',
      `The run ${id} has ended, but alerts of it are still to be delivered: ${unsettled}. Try again when they are, or were given up.`,
      { details: { unsettled } },
    )
  }
  await engine.drop(id)
}
