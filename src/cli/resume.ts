import { checkRun, FleetError, jsonStore, openControl } from '../index.ts'
import type { Control, FleetRunSpecInput, RunRow, SecretSource, WorkerOptions } from '../index.ts'
import { isTerminalRunStatus } from '../protocol/index.ts'
import type { FleetRun } from '../protocol/index.ts'
import { readOutcome } from './outcome.ts'
import { outcomeRow, report } from './report.ts'
import { readStanding } from './standing.ts'
import { secretSources } from './secret-sources.ts'
import { steer } from './steer.ts'
import { oneLine } from './text-width.ts'
import type { Invocation, Verb } from './verb.ts'
import type { WatchedRun } from './watch-runs.ts'
import { whichRun } from './which-run.ts'
import { checkWorkspace, work } from './work.ts'
import { loadWorkerModules, servedHandlers, workersFor } from './worker-modules.ts'
import { hint } from './hint.ts'

export const resume: Verb = {
  takes: '[RUN]',
  does: 'Carries on every run that is neither ended nor paused, and waits for them; with RUN only that one, from a pause too.',
  least: 0,
  most: 1,
  options: ['max-workers', 'worker', 'secrets', 'workspace', 'strict', 'await-verdicts', 'grace', 'take-over', 'record'],
  async perform(invocation) {
    const { words, options } = invocation
    const control = openControl(jsonStore({ folder: options.folder }))
    try {
      const named = words[0] === undefined ? undefined : await whichRun(control, words[0])
      const rows = await control.runs()
      const owner = await control.owner()
      if (owner !== undefined && owner.alive !== false && !options.takeOver)
        return await resumeElsewhere(invocation, control, { named, rows, pid: owner.pid })
      const chosen = chooseRuns(rows, named)
      if (chosen.length === 0) return nothingToDo(invocation, rows)
      const [only] = chosen
      if (only !== undefined && isTerminalRunStatus(only.status)) return await tellEnded(invocation, control, only)
      return await carryOn(invocation, control, chosen)
    } finally {
      await control.close()
    }
  },
}

/** The runs that are meant: the one that is named, else those that go on by themselves, else the only one there is, from its pause. */
function chooseRuns(rows: readonly RunRow[], named: string | undefined): readonly RunRow[] {
  if (named !== undefined) return rows.filter((row) => row.id === named)
  const active = rows.filter((row) => row.status === 'queued' || row.status === 'running')
  const open = rows.filter((row) => !isTerminalRunStatus(row.status))
  return active.length === 0 && open.length === 1 && open[0]?.status === 'paused' ? open : active
}

async function carryOn(invocation: Invocation, control: Control, rows: readonly RunRow[]): Promise<number> {
  const { options, output } = invocation
  const modules = await loadWorkerModules(options.workers)
  await checkWorkspace(options.workspace)
  const specs = await Promise.all(rows.map((row) => control.run(row.id).spec()))
  const workers = workersFor(specs, modules, options.maxWorkers)
  const secrets = await secretSources(options, modules)
  for (const spec of specs) await checkOpenTasks(control, spec, { workers, secrets })
  const standings = await Promise.all(rows.map((row) => readStanding(control, row.id)))
  const done = await work(invocation, {
    workers,
    secrets,
    profiles: modules.profiles,
    verifier: modules.verifier,
    carryOn: rows.map((row) => row.id),
    async begin(fleet, say) {
      const watched: WatchedRun[] = []
      for (const [index, { id, name, status }] of rows.entries()) {
        const run = await fleet.run(id)
        if (!output.json) say(`${id} · ${oneLine(name)}, resumed`)
        if (status === 'paused') await run.resume()
        if (status === 'pending') await run.start()
        watched.push({ run, ...standings[index]! })
      }
      return watched
    },
  })
  const exitCode = report(done.outcomes, { ...invocation, stoppedBy: done.stoppedBy })
  output.summary({
    exit_code: exitCode,
    ...(done.stoppedBy !== undefined && { stopped_by: done.stoppedBy }),
    runs: done.outcomes.map(outcomeRow),
  })
  return exitCode
}

/** What has not ended must have a worker here; otherwise the run is left as it is (RU10). */
async function checkOpenTasks(
  control: Control,
  spec: FleetRun,
  { workers, secrets }: { readonly workers: readonly WorkerOptions[]; readonly secrets: readonly SecretSource[] },
): Promise<void> {
  const views = await control.run(spec.id).tasks()
  const open = new Set(
    views.filter(({ status }) => status !== 'completed' && status !== 'failed' && status !== 'cancelled').map(({ id }) => id),
  )
  const tasks = spec.task_specs.filter((task) => open.has(task.id))
  const served = servedHandlers(workers)
  const missing = new Set(tasks.flatMap(({ handler }) => (handler === undefined || served.has(handler) ? [] : [handler])))
  if (missing.size > 0) {
    const names = [...missing].join(', ')
    throw new FleetError(
      'unknown_handler',
      `The run ${spec.id} needs ${missing.size === 1 ? 'the handler' : 'the handlers'} ${names}. Pass a module that exports it with --worker. Nothing was changed.`,
      {
        details: { run_id: spec.id, handlers: [...missing] },
      },
    )
  }
  if (tasks.length === 0) return
  const { name, worker_specs, security_policy, target } = spec
  const asked = { name, worker_specs, security_policy, target, tasks: tasks.map((task) => ({ ...task, depends_on: [] })) }
  try {
    checkRun(asked as FleetRunSpecInput, { workers, secrets, asStored: true })
  } catch (error) {
    throw FleetError.is(error, 'impossible_task') ? impossibleOf(spec.id, error) : error
  }
}

/** The same error with the tasks named as the run has them. */
function impossibleOf(run: string, error: FleetError): FleetError {
  const tasks = error.details['tasks'] as readonly { readonly id: string; readonly reasons: readonly string[] }[]
  const lines = tasks.map(
    ({ id, reasons }) => `${id}: no worker can take it\n${reasons.map((reason) => `  ${reason}`).join('\n')}`,
  )
  return new FleetError(
    'impossible_task',
    `Some tasks of the run ${run} could never run here:\n${lines.join('\n')}\nNothing was changed.`,
    {
      details: { run_id: run, tasks },
    },
  )
}

/** Another process has the store: it is asked to go on with the run. */
async function resumeElsewhere(
  invocation: Invocation,
  control: Control,
  { named, rows, pid }: { readonly named: string | undefined; readonly rows: readonly RunRow[]; readonly pid: number },
): Promise<number> {
  const paused = rows.filter((row) => row.status === 'paused')
  const run = named ?? (paused.length === 1 ? paused[0]?.id : undefined)
  if (run !== undefined) {
    const isPending = rows.some((row) => row.id === run && row.status === 'pending')
    return steer(invocation, control, { kind: isPending ? 'run.start' : 'run.resume', run_id: run })
  }
  throw new FleetError(
    'store_owned',
    `The process ${pid} works in ${invocation.options.folder}. Name a run to let it go on there: \`${hint('resume RUN', invocation.options)}\`.`,
    {
      details: { pid, paused: paused.map((row) => row.id) },
    },
  )
}

function nothingToDo({ output, options }: Invocation, rows: readonly RunRow[]): number {
  output.text('There is nothing to resume.')
  for (const row of rows) {
    if (row.status === 'paused') output.text(`${row.id} is paused; go on with it: ${hint(`resume ${row.id}`, options)}`)
    if (row.status === 'pending') output.text(`${row.id} was not started; start it: ${hint(`resume ${row.id}`, options)}`)
  }
  output.summary({ exit_code: 0, runs: [] })
  return 0
}

async function tellEnded(invocation: Invocation, control: Control, row: RunRow): Promise<number> {
  const outcome = await readOutcome(control, row.id)
  invocation.output.text(`${row.id} has ended ${row.status}.`)
  const exitCode = report([outcome], { ...invocation, stoppedBy: undefined })
  invocation.output.summary({ exit_code: exitCode, runs: [outcomeRow(outcome)] })
  return exitCode
}
