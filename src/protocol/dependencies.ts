import { describeFound, quote, type DocumentProblem } from './problem.ts'
import { allAtOnce, type Steps } from './steps.ts'

/** As much of a task as its dependencies need. What is undefined is passed over: it has a problem of its own. */
export interface DependentTask {
  readonly id: string | undefined
  readonly depends_on: readonly (string | undefined)[]
}

/**
 * What is wrong with the ids and dependencies of tasks: ids that stand twice or are known already, dependencies on oneself or on
 * nobody, and cycles, each named `a → b → a` (SC5). `knownIds` are tasks that exist already, which new ones may depend on. Paths begin
 * with `under`. Takes time in proportion to the tasks and their dependencies.
 */
export function dependencyProblems(
  tasks: readonly DependentTask[],
  knownIds?: Pick<ReadonlySet<string>, 'has'>,
  under = 'tasks',
): readonly DocumentProblem[] {
  return allAtOnce(checkingDependencies(tasks, knownIds, under))
}

/** As `dependencyProblems`, in steps. */
export function* checkingDependencies(
  tasks: readonly DependentTask[],
  knownIds: Pick<ReadonlySet<string>, 'has'> | undefined,
  under: string,
): Steps<readonly DocumentProblem[]> {
  const at = (...path: (string | number)[]) => [under, ...path]
  const indexOf = new Map<string, number>()
  const problems: DocumentProblem[] = []

  for (const [index, { id }] of tasks.entries()) {
    if (index > 0) yield
    if (id === undefined) continue
    if (indexOf.has(id) || knownIds?.has(id))
      problems.push({ path: at(index, 'id'), expected: 'an id of its own', got: `${quote(id)} again` })
    else indexOf.set(id, index)
  }
  if (tasks.every(({ depends_on }) => depends_on.length === 0)) return problems
  for (const [index, { id, depends_on }] of tasks.entries()) {
    if (index > 0) yield
    for (const [place, other] of depends_on.entries()) {
      if (other === undefined) continue
      const path = at(index, 'depends_on', place)
      if (other === id) problems.push({ path, expected: 'the id of another task', got: `${quote(id)} itself` })
      else if (!indexOf.has(other) && !knownIds?.has(other)) {
        problems.push({ path, expected: 'the id of a task of the run', got: describeFound(other, path) })
      }
    }
  }
  for (const cycle of yield* findingCycles(tasks, indexOf)) {
    const got = cycle.map((index) => tasks[index]!.id).join(' → ')
    problems.push({ path: at(cycle[0]!, 'depends_on'), expected: 'no cycle', got })
  }
  return problems
}

/** Cycles of more than one task, at most one for each task that closes one, each beginning and ending with the same index. */
function* findingCycles(
  tasks: readonly DependentTask[],
  indexOf: ReadonlyMap<string, number>,
): Steps<readonly (readonly number[])[]> {
  const found: number[][] = []
  const place = new Map<number, number>()
  const done = new Set<number>()
  for (const start of tasks.keys()) {
    if (done.has(start)) continue
    const path: { task: number; next: number; closed: boolean }[] = []
    const enter = (task: number) => {
      place.set(task, path.length)
      path.push({ task, next: 0, closed: false })
    }
    enter(start)
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      yield
      const { depends_on } = tasks[step.task]!
      const id = depends_on[step.next++]
      if (step.next > depends_on.length) {
        done.add(step.task)
        place.delete(step.task)
        path.pop()
        continue
      }
      const other = id === undefined ? undefined : indexOf.get(id)
      if (other === undefined || other === step.task || done.has(other)) continue
      const from = place.get(other)
      if (from === undefined) enter(other)
      else if (!step.closed) {
        step.closed = true
        found.push([...path.slice(from).map(({ task }) => task), other])
      }
    }
  }
  return found
}
