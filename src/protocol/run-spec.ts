import { displayName, isRecord, list, object, optional } from './field.ts'
import { aliased } from './alias.ts'
import { contract, type InputOf, type ValueOf } from './codec.ts'
import { runExtras, runId, runOptions } from './run.ts'
import { pathProblems } from './path-check.ts'
import { addProblem, checkRun } from './run-check.ts'
import { FleetTaskSpec } from './task.ts'

/**
 * What a run is created from. Besides the shape, `parse` checks what only the whole shows: ids that stand twice, unknown, own and
 * cyclic dependencies (SC5), roles that the run does not have, and a run of no tasks that is not `open` (RU3). Reads `workers` as
 * `worker_specs`.
 */
export const FleetRunSpec = contract(
  'FleetRunSpec',
  aliased(
    object({
      id: optional(runId),
      name: displayName,
      tasks: list(FleetTaskSpec.schema),
      ...runOptions,
      ...runExtras,
    })
      .superRefine(checkRun('tasks'), { when: () => true })
      .superRefine(
        (run: unknown, context) => {
          const problems = isRecord(run) ? pathProblems(run['tasks'], 'tasks') : []
          for (const problem of problems) addProblem(context, problem)
        },
        { when: () => true },
      )
      .superRefine(
        (run: unknown, context) => {
          if (!isRecord(run) || run['open'] === true || !Array.isArray(run['tasks']) || run['tasks'].length > 0) return
          addProblem(context, { path: ['tasks'], expected: 'at least one task, or `open: true` beside it', got: 'none' })
        },
        { when: () => true },
      ),
    { workers: 'worker_specs' },
  ),
)
export type FleetRunSpec = ValueOf<typeof FleetRunSpec>
export type FleetRunSpecInput = InputOf<typeof FleetRunSpec>
