import { FleetError } from '../protocol/errors.ts'
import { weigh } from '../protocol/json-weight.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import { addSlices, beginRun, createRun, openRun } from './commands/run.ts'
import type { Engine } from './engine.ts'
import type { Decision } from './entry.ts'
import type { RunHeader } from './run-header.ts'

/** A run that is to be. */
export interface Creation {
  readonly header: RunHeader
  readonly tasks: readonly FleetTaskSpec[]
  readonly start: boolean
}

/** About how many characters of tasks are written at once. */
const sliceWeight = 1_048_576

const firstWaitMs = 50
const longestWaitMs = 5_000

/**
 * Creates a run, whole or not at all (RU1): what fits one slice in one decision, else a decision for each slice, the next when the one
 * before is durable and `turn` has resolved. When one fails, or `turn` rejects, nobody has seen the run, and nobody will: `takeBack` is
 * called for what there is of it.
 */
export async function createInSlices(
  engine: Engine,
  { header, tasks, start }: Creation,
  hooks: { readonly turn: () => Promise<void>; readonly takeBack: (run: string) => void },
): Promise<void> {
  const slices = slicesOf(tasks, engine.core.defaults.taskSlice)
  const first = slices.next().value ?? []
  if (first.length === tasks.length) return engine.command((context) => createRun(context, header, tasks, start))
  await engine.command(function* (context): Decision {
    yield* beginRun(context, header, tasks.length)
    yield* addSlices(context, header.id, first)
  })
  try {
    for (const slice of slices) {
      await hooks.turn()
      await engine.command((context) => addSlices(context, header.id, slice))
    }
    await hooks.turn()
    await engine.command((context) => openRun(context, header.id, start))
  } catch (error) {
    hooks.takeBack(header.id)
    throw error
  }
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

/** Slices of at most so many tasks and about `sliceWeight`; a task that is heavier is a slice of its own. */
function* slicesOf(tasks: readonly FleetTaskSpec[], most: number): Generator<readonly FleetTaskSpec[], undefined> {
  let from = 0
  let weight = 0
  for (const [index, task] of tasks.entries()) {
    // A task is plain JSON by construction.
    const own = weigh(task as Parameters<typeof weigh>[0])
    if (index > from && (index - from === most || weight + own > sliceWeight)) {
      yield tasks.slice(from, index)
      from = index
      weight = 0
    }
    weight += own
  }
  yield tasks.slice(from)
  return undefined
}
