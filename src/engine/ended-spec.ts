import type { Store } from '../ports/store.ts'
import type { Resting } from '../protocol/steps.ts'
import type { FleetAlertPolicy } from '../protocol/alert.ts'
import type { FleetScorerSpec, FleetTaskSpec } from '../protocol/task.ts'
import { addedId, addedSpec } from './entry.ts'
import type { Entry } from './entry.ts'
import { noMetadata, none } from './spec-record.ts'
import type { RunState, TaskState } from './state.ts'

/**
 * What stays in memory of the spec of a task that has ended: what is asked of it later, and what it required of its worker (CO9). The
 * whole spec is in the entry that added the task.
 */
export function shortenSpec(spec: FleetTaskSpec, policy: FleetAlertPolicy | null): FleetTaskSpec {
  const { command } = spec.metadata
  return {
    id: spec.id,
    name: spec.name,
    instructions: '',
    input_files: none,
    context: none,
    expected_artifacts: none,
    tags: spec.tags.length === 0 ? none : spec.tags,
    depends_on: spec.depends_on.length === 0 ? none : spec.depends_on,
    metadata: command === undefined ? noMetadata : { command },
    handler: spec.handler,
    worker: spec.worker,
    // Its alerts may still be under way, and more may follow from the end of the run.
    alert_policy: policy ?? undefined,
    scorer: spec.scorer === undefined ? undefined : shortScorer(spec.scorer),
  }
}

/** Whose verdict it awaits, and whether its worker must run a command for it. */
function shortScorer(scorer: FleetScorerSpec): FleetScorerSpec | undefined {
  if (scorer.kind === 'manual') return scorer
  return scorer.kind === 'command' ? { ...scorer, args: none } : undefined
}

/** The whole specs of those of the tasks that have a short one, by id. */
export async function readSpecs(
  { store, clock }: { readonly store: Store; readonly clock: Resting },
  run: string,
  tasks: Iterable<Pick<TaskState, 'id' | 'isShort' | 'addedBy'>>,
): Promise<Map<string, FleetTaskSpec>> {
  const wanted = new Map<number, Set<string>>()
  for (const { id, isShort, addedBy } of tasks) {
    if (!isShort) continue
    const ids = wanted.get(addedBy)
    if (ids === undefined) wanted.set(addedBy, new Set([id]))
    else ids.add(id)
  }
  const found = new Map<string, FleetTaskSpec>()
  for (const [seq, ids] of wanted) {
    const [entry] = (await store.read(run, { from: seq, limit: 1 })) as unknown as Entry[]
    for (const added of entry?.tasks ?? []) if (ids.has(addedId(added))) found.set(addedId(added), addedSpec(added))
    await clock.turn()
  }
  return found
}

/** Gives tasks their whole specs back. */
export function lengthen(run: RunState, specs: ReadonlyMap<string, FleetTaskSpec>): void {
  for (const [id, spec] of specs) {
    const task = run.tasks.get(id)
    if (task?.isShort !== true) continue
    task.spec = spec
    task.isShort = false
  }
}
