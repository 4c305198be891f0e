import { z } from 'zod'
import { displayName, field, isRecord, list, object, optional } from './field.ts'
import { aliased } from './alias.ts'
import { contract, readCopy, readingCopy, type InputOf, type Reading, type ValueOf } from './codec.ts'
import { copyingJson } from './json-copy.ts'
import { runExtras, runId, runOptions } from './run.ts'
import { checkingPaths } from './path-check.ts'
import { invalidDocument, reportingInvalid, type DocumentProblem } from './problem.ts'
import { addProblem, checkingTasks, refineRun, workerProblems } from './run-check.ts'
import { allAtOnce, type Steps } from './steps.ts'
import { readingTasks } from './task-reading.ts'
import { FleetTaskSpec } from './task.ts'

/**
 * What a run is created from. Besides the shape, `parse` checks what only the whole shows: ids that stand twice, unknown, own and
 * cyclic dependencies (SC5), roles that the run does not have, and a run of no tasks that is not `open` (RU3). Reads `workers` as
 * `worker_specs`.
 */
export const FleetRunSpec = contract('FleetRunSpec', () =>
  runSpecOf(list(FleetTaskSpec.schema), {
    between: ({ tasks, roles }) => allAtOnce(checkingTasks(tasks, { roles, under: 'tasks' })),
    paths: ({ tasks }) => allAtOnce(checkingPaths(tasks, 'tasks')),
  }),
)
export type FleetRunSpec = ValueOf<typeof FleetRunSpec>
export type FleetRunSpecInput = InputOf<typeof FleetRunSpec>

/** As `FleetRunSpec.parse`, in steps: the same value, or the same error. */
export function* parsingRunSpec(input: unknown): Steps<FleetRunSpec> {
  const copy = yield* copyingJson(input)
  const document = isRecord(copy.value) ? copy.value : {}
  const list = document['tasks']
  if (!Array.isArray(list) || list.length === 0) return valueOf(readCopy(FleetRunSpec.schema, copy))
  const read = yield* readingTasks(list, 'tasks')
  const between = yield* checkingTasks(read.tasks, { roles: document['roles'], under: 'tasks' })
  const paths = yield* checkingPaths(read.tasks, 'tasks')
  const standing = { [inTasks]: read.problems, [betweenTasks]: between, [inPaths]: paths }
  const reading = yield* readingCopy(aroundTasks.schema, { ...copy, value: { ...document, tasks: standing } }, standing)
  if (!reading.ok) throw yield* reportingInvalid(FleetRunSpec.typeName, reading.problems)
  // What was put around them has found no problem in them.
  return { ...reading.value, tasks: read.tasks } as FleetRunSpec
}

function valueOf<Value>(reading: Reading<Value>): Value {
  if (reading.ok) return reading.value
  throw invalidDocument(FleetRunSpec.typeName, reading.problems)
}

type Problems = readonly DocumentProblem[]

/** Phrases that stand for problems of tasks that were read before the run that they stand in; no schema has them. */
const inTasks = ' tasks'
const betweenTasks = ' between tasks'
const inPaths = ' paths of tasks'

/** The problems of tasks that were read, and checked with each other, by what stands for them. */
type FoundProblems = Readonly<Record<typeof inTasks | typeof betweenTasks | typeof inPaths, Problems>>

function standIn(found: unknown, phrase: keyof FoundProblems): Problems {
  return (found as FoundProblems)[phrase].length === 0 ? [] : [{ path: [], expected: phrase, got: '' }]
}

const tasksRead = field(() =>
  z.custom<FoundProblems>().superRefine((found, context) => {
    for (const problem of standIn(found, inTasks)) addProblem(context, problem)
  }),
)

const aroundTasks = contract('FleetRunSpec', () =>
  runSpecOf(tasksRead(), {
    between: ({ tasks }) => standIn(tasks, betweenTasks),
    paths: ({ tasks }) => standIn(tasks, inPaths),
  }),
)

interface TaskChecks {
  readonly between: (run: Readonly<Record<string, unknown>>) => Problems
  readonly paths: (run: Readonly<Record<string, unknown>>) => Problems
}

function runSpecOf<Tasks extends z.ZodType>(tasks: Tasks, { between, paths }: TaskChecks) {
  const whole = { when: () => true }
  return aliased(
    object({ id: optional(runId()), name: displayName(), tasks, ...runOptions(), ...runExtras() })
      .superRefine(
        refineRun((run) => [...between(run), ...workerProblems(run)]),
        whole,
      )
      .superRefine(refineRun(paths), whole)
      .superRefine(refineRun(emptyProblems), whole),
    { workers: 'worker_specs' },
  )
}

function emptyProblems(run: Readonly<Record<string, unknown>>): Problems {
  if (run['open'] === true || !Array.isArray(run['tasks']) || run['tasks'].length > 0) return []
  return [{ path: ['tasks'], expected: 'at least one task, or `open: true` beside it', got: 'none' }]
}
