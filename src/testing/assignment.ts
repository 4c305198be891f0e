import { FleetTaskSpec } from '../protocol/task.ts'
import type { AssignMessage } from '../protocol/wire.ts'

/**
 * What a fleet says when it gives a worker an attempt, for tests of transports: the fields of a task, the rest filled in, and of the message
 * whatever matters. Throws `invalid_document` for fields that no task can have.
 */
export function assignment(
  task: { readonly id?: string } & Readonly<Record<string, unknown>> = {},
  rest: Partial<Omit<AssignMessage, 'task' | 'type'>> = {},
): AssignMessage {
  const spec = FleetTaskSpec.parse({ id: 't1', name: 'A task', instructions: 'Do it.', ...task })
  return {
    type: 'assign',
    run_id: 'r1',
    task_id: spec.id,
    attempt: 1,
    task: spec,
    previous: [],
    dependencies: [],
    folder: '/nowhere/attempt',
    root: '/nowhere',
    environment: {},
    allow_parallel_reads: false,
    trust_level: 'local',
    ...rest,
  }
}
