import { checkRun, jsonStore, openControl } from '../index.ts'
import type { FleetRunSpec } from '../index.ts'
import { isTerminalRunStatus } from '../protocol/index.ts'
import { freshStanding, readStanding } from './standing.ts'
import type { Standing } from './standing.ts'
import { outcomeRow, report } from './report.ts'
import { naming, readTaskFile } from './task-file.ts'
import { secretSources } from './secret-sources.ts'
import { oneLine } from './text-width.ts'
import type { Invocation, Verb } from './verb.ts'
import { checkWorkspace, work } from './work.ts'
import { loadWorkerModules, workersFor } from './worker-modules.ts'

export const run: Verb = {
  takes: 'FILE',
  does: 'Runs the tasks of a file, JSON or TOML, and waits for them.',
  least: 1,
  most: 1,
  options: ['max-workers', 'worker', 'secrets', 'workspace', 'key', 'strict', 'await-verdicts', 'grace', 'take-over', 'record'],
  async perform(invocation) {
    const { words, options, output } = invocation
    const [file = ''] = words
    // All that can be wrong with the input shows before anything is written.
    const spec = await readTaskFile(file)
    const modules = await loadWorkerModules(options.workers)
    const workers = workersFor([spec], modules, options.maxWorkers)
    const secrets = await secretSources(options, modules)
    naming(file, () => checkRun(spec, { workers, secrets, ...modules.profiles }))
    await checkWorkspace(options.workspace)
    const known = await knownRun(invocation)
    const done = await work(invocation, {
      workers,
      secrets,
      profiles: modules.profiles,
      verifier: modules.verifier,
      carryOn: known === undefined || isTerminalRunStatus(known.standing.status) ? [] : [known.id],
      async begin(fleet, say) {
        const started = await fleet.start(spec, options.key === undefined ? {} : { idempotencyKey: options.key })
        // Nothing could add to it from here, so it would never end.
        if (spec.open === true) await started.seal()
        if (!output.json) say(greeting(spec, started.id, started.created))
        for (const warning of started.warnings) output.note(warning)
        return [{ run: started, ...(known?.standing ?? freshStanding(spec)) }]
      },
    })
    const exitCode = report(done.outcomes, { ...invocation, stoppedBy: done.stoppedBy })
    const [outcome] = done.outcomes
    output.summary({
      exit_code: exitCode,
      ...(done.stoppedBy !== undefined && { stopped_by: done.stoppedBy }),
      ...(outcome !== undefined && { created: known === undefined, run: outcomeRow(outcome) }),
    })
    return exitCode
  },
}

/** The run that the key belongs to, and how it stands (RU2). */
async function knownRun({ options }: Invocation): Promise<{ readonly id: string; readonly standing: Standing } | undefined> {
  if (options.key === undefined) return undefined
  const control = openControl(jsonStore({ folder: options.folder }))
  try {
    const row = (await control.runs()).find((one) => one.key === options.key)
    return row === undefined ? undefined : { id: row.id, standing: await readStanding(control, row.id) }
  } finally {
    await control.close()
  }
}

function greeting(spec: FleetRunSpec, id: string, isNew: boolean): string {
  const tasks = spec.tasks.length === 1 ? '1 task' : `${spec.tasks.length} tasks`
  return `${id} · ${oneLine(spec.name)} · ${tasks}${isNew ? '' : ', of an earlier start with this key'}`
}
