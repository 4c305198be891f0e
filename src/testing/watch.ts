import { engineDefaults } from '../engine/defaults.ts'
import type { Store } from '../ports/store.ts'
import { Broken } from './broken.ts'
import { slackMs } from './invariants.ts'
import type { Invariant, World } from './invariants.ts'
import type { FleetObserver } from './lives.ts'
import { follow } from './model.ts'
import type { ModelRun } from './model.ts'
import type { Scenario } from './simulation.ts'
import { situationsOf } from './situations.ts'
import type { WatchedTestFleet } from './test-fleet.ts'

/** While nothing is stored, only time can break a rule. */
const checkEveryMs = 10_000

/** Holds everything that happens in one simulated run against the rules. */
export interface Watch {
  readonly observer: FleetObserver
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

export function createWatch(scenario: Scenario, invariants: Readonly<Record<string, Invariant>>): Watch {
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
  /** The process died, maybe after an append of which nobody heard: one run of it alone is half of what happened. */
  let hasMissed = false
  let checkedAt = 0

  const monotonic = (): number => kit?.clock.monotonic() ?? 0
  const world: World = {
    get now() {
      return monotonic()
    },
    isTorn: () => splitAt !== undefined && monotonic() - splitAt <= world.leaseTtlMs + slackMs,
    runs,
    slots: Object.fromEntries(
      (scenario.fleet.workers ?? []).map((one) => [one.id, ('playOf' in one ? one.options.slots : one.slots) ?? 1]),
    ),
    maxLeases: scenario.fleet.limits?.maxLeases ?? engineDefaults.maxLeases,
    concurrency: scenario.fleet.concurrency ?? {},
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
      appended: async (store, batches) => read(store, hasMissed ? await idsOf(store) : new Set(batches.map(({ run }) => run))),
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
        hasMissed = true
        if (kit?.struck.at(-1)?.kind === 'store.torn') splitAt = troubleAt
        saw('the process died')
        for (const resolve of deaths) resolve()
        deaths.clear()
      },
      async opened(fleet, store) {
        troubleAt = monotonic()
        // Before anything is waited for: what is told once is not told again.
        fleet.on('run.stalled', ({ run_id }) => {
          stalled.add(run_id)
          saw('a run was stalled')
        })
        await recall(store)
        await read(store, await idsOf(store))
        hasMissed = false
      },
    },
  }
}

async function idsOf(store: Store): Promise<readonly string[]> {
  return (await store.runs()).map(({ id }) => id)
}
