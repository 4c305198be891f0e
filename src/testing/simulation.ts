import { FleetError } from '../protocol/errors.ts'
import { Broken } from './broken.ts'
import type { Fault, FaultPlan } from './faults.ts'
import { fleetInvariants } from './invariants.ts'
import type { Invariant } from './invariants.ts'
import { hasEnded } from './model.ts'
import type { ModelRun } from './model.ts'
import { stageOf, step } from './stage.ts'
import type { Stage } from './stage.ts'
import { openTestFleet } from './test-fleet.ts'
import type { TestFleetOptions, WatchedTestFleet } from './test-fleet.ts'
import { timeline } from './timeline.ts'
import { createWatch } from './watch.ts'
import type { Watch } from './watch.ts'

/** What is simulated: a fleet, and what is done with it. */
export interface Scenario {
  readonly name: string
  readonly fleet: Omit<TestFleetOptions, 'seed' | 'faults' | 'store'>
  play(stage: Stage): Promise<void>
}

/** What a simulated run broke. */
export interface Violation {
  /** The invariant's name. */
  readonly invariant: string
  readonly message: string
  /** Milliseconds from the beginning. */
  readonly at: number
  /** The run that it was seen in, as a text. */
  readonly story: string
}

/** How one seed went. */
export interface SeedOutcome {
  readonly violation: Violation | undefined
  readonly struck: readonly Fault[]
  readonly situations: Readonly<Record<string, number>>
  /** What the fleet recorded: empty, unless the scenario's fleet records. */
  readonly recording: Uint8Array
}

/** Size of a simulation that is not shrunk. */
export const fullSize = 1_000

/** Time enough for every run to end once nothing goes wrong any more: a week, in this many deadlines. */
const patienceSteps = 50_000

/** Plays a scenario with one seed, and holds everything that happens against the invariants. */
export async function playSeed(
  scenario: Scenario,
  options: {
    readonly seed: string
    readonly size: number
    readonly faults: FaultPlan
    readonly invariants: Readonly<Record<string, Invariant>>
  },
): Promise<SeedOutcome> {
  const watch = createWatch(scenario, { ...fleetInvariants, ...options.invariants })
  const situations = watch.situations
  let kit: WatchedTestFleet | undefined
  try {
    kit = await openTestFleet({ ...scenario.fleet, seed: options.seed, faults: options.faults }, watch.observer)
    watch.began(kit)
    await scenario.play(stageOf(kit, watch, options))
    kit.calm()
    await untilAllEnded(kit, watch)
    return { violation: undefined, struck: kit.struck, situations, recording: await kit.recording() }
  } catch (error) {
    const violation = await violationOf(watch.broken ?? error, kit, [...watch.runs.keys()])
    return { violation, struck: kit?.struck ?? [], situations, recording: (await kit?.recording()) ?? new Uint8Array() }
  } finally {
    // A fleet that broke a rule may not be able to close.
    if (watch.broken === undefined) await kit?.close().catch(() => undefined)
  }
}

/** Lets everything that waits for a person go on, and waits until every run has ended (DE4). */
async function untilAllEnded(kit: WatchedTestFleet, watch: Watch): Promise<void> {
  const open = (): ModelRun[] => [...watch.runs.values()].filter((run) => run.opened && !hasEnded(run))
  for (let steps = 0; open().length > 0; steps += 1) {
    watch.check()
    for (const run of open()) await letGoOn(kit, watch, run)
    if (steps < patienceSteps && (await kit.step())) continue
    if (steps < patienceSteps && (await judge(kit, watch, open()))) continue
    const [first] = open().filter((run) => !watch.stalled.has(run.id))
    if (first === undefined) break
    const tasks = [...first.tasks.values()].filter((task) => !hasEnded(task))
    throw new Broken(
      'DE4 every run ends when faults end',
      `${first.id} is ${first.status}; open are ${tasks.map((task) => `${task.id} (${task.status})`).join(', ')}`,
      first.id,
    )
  }
  watch.check()
}

/** What a person would have to do; a process that is not well yet refuses it, and is asked again after the next deadline. */
async function letGoOn(kit: WatchedTestFleet, watch: Watch, run: ModelRun): Promise<void> {
  if (run.status !== 'paused' && run.status !== 'pending' && run.sealed) return
  await step(kit, watch, async (fleet) => {
    try {
      const handle = await fleet.run(run.id)
      if (run.status === 'paused') await handle.resume()
      if (run.status === 'pending') await handle.start()
      if (!run.sealed) await handle.seal()
    } catch (error) {
      if (!FleetError.is(error)) throw error
    }
  })
}

/** Gives the verdicts that people were asked for; whether any was given. */
async function judge(kit: WatchedTestFleet, watch: Watch, runs: readonly ModelRun[]): Promise<boolean> {
  let isGiven = false
  for (const run of runs) {
    for (const { id, status, spec } of run.tasks.values()) {
      if (status !== 'completed' || spec.scorer?.kind !== 'manual') continue
      await step(kit, watch, async (fleet) => {
        try {
          const { changed } = await (await fleet.run(run.id)).settle(id, { result: 'pass', by: 'the end' })
          isGiven ||= changed
        } catch (error) {
          if (!FleetError.is(error)) throw error
        }
      })
    }
  }
  return isGiven
}

async function violationOf(error: unknown, kit: WatchedTestFleet | undefined, runs: readonly string[]): Promise<Violation> {
  const broken = error instanceof Broken ? error : undefined
  return {
    invariant: broken?.invariant ?? 'DE4 nothing fails that is not told to',
    message: error instanceof Error ? (broken === undefined ? (error.stack ?? error.message) : error.message) : String(error),
    at: kit?.clock.monotonic() ?? 0,
    story: kit === undefined ? '' : await storiesOf(kit, broken?.run === undefined ? runs : [broken.run]),
  }
}

async function storiesOf(kit: WatchedTestFleet, runs: readonly string[]): Promise<string> {
  const stories: string[] = []
  for (const run of runs) stories.push(`${run}\n${await storyOf(kit, run)}`)
  return stories.join('\n')
}

async function storyOf(kit: WatchedTestFleet, run: string): Promise<string> {
  try {
    return await kit.clock.settle().then(async () => timeline(await kit.fleet.run(run)))
  } catch (error) {
    return `The run ${run} cannot be read: ${String(error)}\n`
  }
}
