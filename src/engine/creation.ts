import { FleetError } from '../protocol/errors.ts'
import { weigh } from '../protocol/json-weight.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import { addSlices, beginRun, createRun, openRun } from './commands/run.ts'
import type { DecideContext } from './decide.ts'
import type { Engine } from './engine.ts'
import type { Decision } from './entry.ts'
import type { RunHeader } from './run-header.ts'

/** A run that is to be. */
export interface Creation {
  readonly header: RunHeader
  readonly tasks: readonly FleetTaskSpec[]
  readonly start: boolean
}

/** How many tasks, and about how many characters of them, one decision creates. */
interface SliceLimits {
  readonly tasks: number
  readonly weight: number
}

/** A creation within one slice is one append: it is worth a longer one. */
const sliceOfMany: SliceLimits = { tasks: 250, weight: 262_144 }
const onlySliceWeight = 1_048_576

const firstWaitMs = 50
const longestWaitMs = 5_000

/**
 * Creates a run, whole or not at all (RU1): a small one in one decision, else a decision for each slice, the next when the one before
 * is durable and `turn` has resolved. When one fails, or `turn` rejects, nobody has seen the run, and nobody will: `takeBack` is called
 * for what there is of it.
 */
export async function createInSlices(
  engine: Engine,
  { header, tasks, start }: Creation,
  hooks: { readonly turn: () => Promise<void>; readonly takeBack: (run: string) => void },
): Promise<void> {
  const { taskSlice } = engine.core.defaults
  if (sliceEnd(tasks, 0, { tasks: taskSlice, weight: onlySliceWeight }) === tasks.length)
    return engine.command((context) => createRun(context, header, tasks, start))
  const limits = { ...sliceOfMany, tasks: Math.min(taskSlice, sliceOfMany.tasks) }
  await hooks.turn()
  let done = sliceEnd(tasks, 0, limits)
  const first = tasks.slice(0, done)
  await engine.command((context) => beginWith(context, header, tasks.length, first))
  try {
    while (done < tasks.length) {
      await hooks.turn()
      const slice = tasks.slice(done, sliceEnd(tasks, done, limits))
      await engine.command((context) => addSlices(context, header.id, slice))
      done += slice.length
    }
    await hooks.turn()
    await engine.command((context) => openRun(context, header.id, start))
  } catch (error) {
    hooks.takeBack(header.id)
    throw error
  }
}

function* beginWith(context: DecideContext, header: RunHeader, taskCount: number, first: readonly FleetTaskSpec[]): Decision {
  yield* beginRun(context, header, taskCount)
  yield* addSlices(context, header.id, first)
}

/**
 * Takes back what there is of a creation, as soon as the store lets it. Gives up when the store belongs to somebody else, or when it
 * still refuses after `closed` has aborted: whoever opens it next discards the rest (RU1).
 */
export async function takeBack(engine: Engine, run: string, closed: AbortSignal): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      // An append whose outcome was unknown may have opened it after all (ST1).
      if (await engine.look(run, (found) => found === undefined || found.opened)) return
      await engine.discard(run)
      return
    } catch (error) {
      if (closed.aborted || FleetError.is(error, 'store_conflict')) return
    }
    await engine.core.clock.sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** tries), { signal: closed, keepAlive: false })
  }
}

/** Where the slice that begins at `from` ends; a task that is too heavy for any is a slice of its own. */
function sliceEnd(tasks: readonly FleetTaskSpec[], from: number, limits: SliceLimits): number {
  let weight = 0
  let end = from
  for (; end < tasks.length && end - from < limits.tasks; end += 1) {
    weight += weigh(tasks[end])
    if (weight > limits.weight && end > from) break
  }
  return end
}
