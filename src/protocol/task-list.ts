import { contract } from './codec.ts'
import { list, object } from './field.ts'
import { invalidDocument } from './problem.ts'
import { pathProblems } from './path-check.ts'
import { taskProblems } from './run-check.ts'
import { FleetTaskSpec } from './task.ts'

const taskList = contract('tasks', object({ tasks: list(FleetTaskSpec.schema) }))

/**
 * Reads tasks that are added to a run (RU8). `knownIds` are the run's tasks, which the new ones may depend on and whose ids they cannot
 * have; `roles` the run's roles, when it names some. Throws `invalid_document` with every problem, each under `tasks[…]`.
 */
export function parseTasks(
  tasks: readonly unknown[],
  run: { readonly knownIds?: Pick<ReadonlySet<string>, 'has'>; readonly roles?: readonly string[] } = {},
): readonly FleetTaskSpec[] {
  const reading = taskList.read({ tasks })
  const problems = [
    ...taskProblems(tasks, { knownIds: run.knownIds, roles: run.roles, under: 'tasks' }),
    ...pathProblems(tasks, 'tasks'),
  ]
  if (reading.ok && problems.length === 0) return reading.value.tasks
  throw invalidDocument('tasks', [...(reading.ok ? [] : reading.problems), ...problems])
}
