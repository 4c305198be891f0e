import { engineDefaults } from '../engine/defaults.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { seededIds } from '../host/ids.ts'
import type { Store } from '../ports/store.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import type { Duration } from './duration.ts'
import type { Fault, FaultPlan } from './faults.ts'
import { fleetInvariants } from './invariants.ts'
import type { Invariant, World } from './invariants.ts'
import { follow, hasEnded } from './model.ts'
import type { ModelRun } from './model.ts'
import { situationsOf } from './situations.ts'
import { openTestFleet } from './test-fleet.ts'
import type { TestFleetOptions, WatchedTestFleet } from './test-fleet.ts'
import { timeline } from './timeline.ts'

/** A scenario's hands: what it does, and what it draws, follows from the seed. */
export interface Stage {
  readonly seed: string
  /** Of `most` things so many: 1 to `most`, and no more than the simulation's size, which grows small when a failure is shrunk. */
  upTo(most: number): number
  chance(probability: number): boolean
  /** A whole number, both ends included. */
  number(from: number, to: number): number
  pick<Item>(items: readonly [Item, ...Item[]]): Item
  /** Lets time pass. */
  wait(time: Duration): Promise<void>
  /** Creates a run with this id and starts it; when the process dies over it, the next one is asked again. */
  start(spec: FleetRunSpecInput & { readonly id: string }): Promise<void>
  /**
   * Does something with the fleet. A refusal, a store that fails and a process that dies are part of the story: then it gives false. What
   * is not a `FleetError` is a failure.
   */
  act(what: string, act: (fleet: Fleet) => Promise<unknown>): Promise<boolean>
  /** The process ends, and the next one comes up. */
  crash(options?: { readonly downFor?: Duration }): Promise<void>
  /** Another process takes the store over while this one goes on, and finds out that it lost it. */
  takeOver(): Promise<void>
  /** The process closes in good order, and the next one comes up. */
  restart(): Promise<void>
  /** Counts that something worth seeing happened. */
  saw(situation: string): void
}

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
}

/** Size of a simulation that is not shrunk. */
export const fullSize = 1_000

/** Time enough for every run to end once nothing goes wrong any more: a week, in this many deadlines. */
const patienceSteps = 50_000

/** While nothing is stored, only time can break a rule. */
const checkEveryMs = 10_000

class Broken extends Error {
  readonly invariant: string
  readonly run: string | undefined

  constructor(invariant: string, message: string, run?: string) {
    super(message)
    this.name = 'Broken'
    this.invariant = invariant
    this.run = run
  }
}

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
    return { violation: undefined, struck: kit.struck, situations }
  } catch (error) {
    const violation = await violationOf(watch.broken ?? error, kit, [...watch.runs.keys()])
    return { violation, struck: kit?.struck ?? [], situations }
  } finally {
    // A fleet that broke a rule may not be able to close.
    if (watch.broken === undefined) await kit?.close().catch(() => undefined)
  }
}

interface Watch {
  readonly observer: Parameters<typeof openTestFleet>[1]
  readonly situations: Record<string, number>
  readonly runs: ReadonlyMap<string, ModelRun>
  /** Runs that the fleet said are stalled. */
  readonly stalled: ReadonlySet<string>
  /** The first rule that was broken. */
  readonly broken: Broken | undefined
  began(kit: WatchedTestFleet): void
  /** Resolves when the present process dies. */
  death(): Promise<void>
  /** Throws when a rule is broken. */
  check(): void
  saw(situation: string): void
}

function createWatch(scenario: Scenario, invariants: Readonly<Record<string, Invariant>>): Watch {
  const runs = new Map<string, ModelRun>()
  const situations: Record<string, number> = {}
  const heard = new Map<string, number>()
  const said = new Map<string, string>()
  const deaths = new Set<() => void>()
  const stalled = new Set<string>()
  const entryRows = Object.entries(invariants).filter(([, { entry }]) => entry !== undefined)
  const stepRows = Object.entries(invariants).filter(([, { step }]) => step !== undefined)
  let broken: Broken | undefined
  let kit: WatchedTestFleet | undefined
  let troubleAt = 0
  let splitAt: number | undefined
  let isNews = false
  let reading = Promise.resolve()
  let checkedAt = 0

  const monotonic = (): number => kit?.clock.monotonic() ?? 0
  const world: World = {
    get now() {
      return monotonic()
    },
    get splitAt() {
      return splitAt
    },
    runs,
    slots: Object.fromEntries(
      (scenario.fleet.workers ?? []).map((one) => [one.id, ('playOf' in one ? one.options.slots : one.slots) ?? 1]),
    ),
    maxLeases: scenario.fleet.limits?.maxLeases ?? engineDefaults.maxLeases,
    leaseTtlMs: scenario.fleet.limits?.leaseTtlMs ?? engineDefaults.leaseTtlMs,
    heardAt: (...attempt) => Math.max(troubleAt, heard.get(attempt.join('/')) ?? 0),
    saidBy: (...attempt) => said.get(attempt.join('/')),
  }

  function breaks(invariant: string, message: string, run?: string): void {
    broken ??= new Broken(invariant, message, run)
  }

  function saw(situation: string): void {
    situations[situation] = (situations[situation] ?? 0) + 1
  }

  /** One after the other: two readers of one run would both tell what is new. */
  function read(store: Store, ids: Iterable<string>): Promise<void> {
    return (reading = reading.then(() => readNow(store, ids)))
  }

  async function readNow(store: Store, ids: Iterable<string>): Promise<void> {
    for (const id of ids) {
      for await (const happened of follow(store, runs, id)) {
        const { entry, run, task } = happened
        isNews = true
        if (task !== undefined) heard.set(`${run.id}/${task.id}/${task.attempt}`, monotonic())
        for (const situation of situationsOf(happened)) saw(situation)
        for (const [name, { entry: check }] of entryRows) {
          const problem = check?.(happened, world)
          if (problem !== undefined) breaks(name, `entry ${entry.seq} of ${run.id}, task ${task?.id ?? '-'}: ${problem}`, run.id)
        }
      }
    }
  }

  /** What was read once is there for ever (ST1). */
  async function recall(store: Store): Promise<void> {
    for (const run of runs.values()) {
      const [entry] = await store.read(run.id, { from: run.seq, limit: 1 })
      if (JSON.stringify(entry) !== run.last)
        breaks('ST1 what was stored stays', `entry ${run.seq} of ${run.id} is another now`, run.id)
    }
  }

  function check(): void {
    if (isNews || monotonic() - checkedAt > checkEveryMs) {
      isNews = false
      checkedAt = monotonic()
      for (const [name, { step: look }] of stepRows) {
        const problem = look?.(world)
        if (problem !== undefined) breaks(name, problem)
      }
    }
    if (broken !== undefined) throw broken
  }

  return {
    runs,
    stalled,
    situations,
    saw,
    check,
    get broken() {
      return broken
    },
    began: (opened) => void (kit = opened),
    death: () => new Promise((resolve) => deaths.add(resolve)),
    observer: {
      appended: (store, batches) => read(store, new Set(batches.map(({ run }) => run))),
      settled: check,
      rejected: () => void (troubleAt = monotonic()),
      told(worker, message) {
        if (message.type !== 'assign') return
        const task = runs.get(message.run_id)?.tasks.get(message.task_id)
        if (task?.attempt !== message.attempt || task.worker !== worker)
          breaks(
            'CO1 an attempt begins only when its lease is durable',
            `${worker} was given attempt ${message.attempt} of ${message.task_id}; durable is attempt ${task?.attempt ?? 0} on ${task?.worker ?? 'nobody'}`,
            message.run_id,
          )
      },
      heard(worker, message) {
        const attempt = `${message.run_id}/${message.task_id}/${message.attempt}`
        heard.set(attempt, monotonic())
        if (message.type === 'result' || message.type === 'failed') said.set(`${attempt}/${message.type}`, worker)
      },
      died() {
        troubleAt = monotonic()
        if (kit?.struck.at(-1)?.kind === 'store.torn') splitAt = troubleAt
        saw('the process died')
        for (const resolve of deaths) resolve()
        deaths.clear()
      },
      async opened(fleet, store) {
        troubleAt = monotonic()
        await recall(store)
        await read(
          store,
          (await store.runs()).map(({ id }) => id),
        )
        fleet.on('run.stalled', ({ run_id }) => {
          stalled.add(run_id)
          saw('a run was stalled')
        })
      },
    },
  }
}

function stageOf(kit: WatchedTestFleet, watch: Watch, { seed, size }: { readonly seed: string; readonly size: number }): Stage {
  const draws = seededIds(`${seed} stage`)
  const number = (from: number, to: number): number => from + Math.floor(draws.random() * (to - from + 1))

  async function act(what: string, doIt: (fleet: Fleet) => Promise<unknown>): Promise<boolean> {
    const outcome = await step(kit, watch, async (fleet) => {
      try {
        await doIt(fleet)
        return true
      } catch (error) {
        if (!FleetError.is(error)) throw error
        watch.saw(`refused: ${error.code}`)
        return false
      }
    })
    if (outcome === true) watch.saw(what)
    return outcome === true
  }

  async function ended(end: () => Promise<void>): Promise<void> {
    await end()
    watch.check()
  }

  return {
    seed,
    upTo: (most) => Math.min(number(1, most), size),
    chance: (probability) => draws.random() < probability,
    number,
    // A number that is drawn from the list's own length is a place in it.
    pick: (items) => items[number(0, items.length - 1)] ?? items[0],
    wait: (time) => ended(() => kit.advance(time)),
    async start(spec) {
      for (let tries = 0; tries < 20; tries += 1) {
        if (await act('a run was started', (fleet) => fleet.start(spec, { idempotencyKey: spec.id }))) return
        await kit.advance('1s')
        watch.check()
      }
    },
    act,
    crash: (options) => ended(() => kit.crash(options)),
    takeOver: () => ended(() => kit.takeOver()),
    restart: () => ended(() => kit.restart()),
    saw: watch.saw,
  }
}

/** Does something with the present process, and gives undefined when that dies, or takes longer than anybody waits. */
async function step<Answer>(
  kit: WatchedTestFleet,
  watch: Watch,
  act: (fleet: Fleet) => Promise<Answer>,
): Promise<Answer | undefined> {
  const patience = kit.clock.sleep(600_000).then(() => undefined)
  const doing = kit.ready().then((fleet) => Promise.race([act(fleet), watch.death().then(() => undefined)]))
  const answer = await kit.until(Promise.race([doing, patience]))
  watch.check()
  return answer
}

/** Lets everything that waits for a person go on, and waits until every run has ended (DE4). */
async function untilAllEnded(kit: WatchedTestFleet, watch: Watch): Promise<void> {
  const open = (): ModelRun[] => [...watch.runs.values()].filter((run) => run.opened && !hasEnded(run))
  for (let steps = 0; open().length > 0; steps += 1) {
    watch.check()
    for (const run of open()) await letGoOn(kit, watch, run)
    if (steps < patienceSteps && (await kit.step())) continue
    const [first] = open().filter((run) => !isStalled(run, watch))
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

/** It was said to be stalled; or all that is open waits for what ended badly, which may have been said while nobody could listen yet. */
function isStalled(run: ModelRun, watch: Watch): boolean {
  const open = [...run.tasks.values()].filter((task) => !hasEnded(task))
  return watch.stalled.has(run.id) || open.every((task) => task.status === 'blocked')
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
