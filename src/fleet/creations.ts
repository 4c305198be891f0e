import type { Core } from '../engine/core.ts'
import { createInSlices, takeBack } from '../engine/creation.ts'
import type { Engine } from '../engine/engine.ts'
import { performCommand } from '../engine/run-command.ts'
import type { WorkerFacts } from '../engine/worker-facts.ts'
import type { RunRow } from '../ports/store.ts'
import { FleetError } from '../protocol/errors.ts'
import { parsingRunSpec } from '../protocol/run-spec.ts'
import type { FleetRunSpec, FleetRunSpecInput } from '../protocol/run-spec.ts'
import { allAtOnce, inSlices } from '../protocol/steps.ts'
import type { Resting, Steps } from '../protocol/steps.ts'
import { refusingUnenforceable, throwingRefusals } from './acceptance.ts'
import { runtimeProblems } from './container.ts'
import { findingImpossible, refuseUnenforced, refusingImpossible } from './check-run.ts'
import type { ImpossibleTask } from './check-run.ts'
import { keepAddresses } from './kept-addresses.ts'
import { digesting, headerOf } from './new-run.ts'
import { mergingProfiles } from './profiles.ts'
import type { Registrar } from './registrar.ts'
import type { ProfileTables } from '../security/profile-layers.ts'
import { workerOfSpec } from './spec-workers.ts'
import type { HostPorts } from './workers-of.ts'

/** How to create a run. */
export interface CreateOptions {
  /** Creating twice with the same key gives the first run; with another spec it is refused with `run_conflict` (RU2). */
  readonly idempotencyKey?: string
  /** What to do about tasks that no registered worker could take: warn (the default), or refuse with `impossible_task` (SC3, RU10). */
  readonly impossible?: 'warn' | 'refuse'
}

/** What a creation gave: the run's id, whether it is new, and what of it cannot run (SC3). */
export interface Created {
  readonly id: string
  readonly created: boolean
  readonly warnings: readonly string[]
}

/** Creates the runs of a fleet. */
export interface Creations {
  create(input: FleetRunSpecInput, start: boolean, options: CreateOptions): Promise<Created>
  /** Ends what is under way with `fleet_closed`, and takes back what there is of it. */
  close(): Promise<void>
}

export function createCreations(
  engine: Engine,
  parts: {
    readonly registrar: Registrar
    readonly host: HostPorts
    readonly workspace: string
    readonly profiles: ProfileTables
  },
): Creations {
  const { store, ids, clock } = engine.core
  const byKey = new Map<string, Promise<Created>>()
  const underWay = new Set<Promise<unknown>>()
  const closed = new AbortController()
  const resting: Resting = {
    monotonic: () => clock.monotonic(),
    async turn() {
      await clock.turn()
      if (closed.signal.aborted) throw closedMeanwhile()
    },
  }

  function workersFor(spec: FleetRunSpec): readonly WorkerFacts[] {
    const own = spec.worker_specs.map((worker) => workerOfSpec(worker, parts.host).facts)
    return [...engine.workers.all().map((worker) => worker.facts), ...own]
  }

  async function createNew(input: FleetRunSpecInput, start: boolean, options: CreateOptions): Promise<Created> {
    const key = options.idempotencyKey
    const { spec, digest } = await inSlices(accepting(input, key !== undefined, { ...parts, core: engine.core }), resting)
    const existing = key === undefined ? undefined : await store.row({ key })
    if (existing !== undefined) return reattach(existing, spec, digest, start)
    if (spec.id !== undefined && (await store.row({ id: spec.id })) !== undefined) {
      throw new FleetError('run_exists', `A run ${spec.id} exists in this store. Leave the id out, or choose another.`)
    }
    allAtOnce(throwingRefusals(runtimeProblems(spec.worker_specs, parts.host)))
    const impossible = await inSlices(findingImpossible(spec, workersFor(spec)), resting)
    refuseUnenforced(spec, impossible)
    if (options.impossible === 'refuse') await inSlices(refusingImpossible(impossible), resting)
    for (const worker of spec.worker_specs) parts.registrar.addFromFile(worker)
    const keyed = key === undefined ? undefined : { key, digest }
    const header = headerOf(spec, { ids, now: clock.now(), workspace: parts.workspace, keyed })
    const { turn } = resting
    const tasks = await keepAddresses(store.blobs, header.id, spec.tasks)
    await createInSlices(
      engine,
      { header, tasks, start },
      { turn, takeBack: (run) => void tracked(takeBack(engine, run, closed.signal)) },
    )
    return { id: header.id, created: true, warnings: impossible.map(warningOf) }
  }

  async function reattach(row: RunRow, spec: FleetRunSpec, digest: string, start: boolean): Promise<Created> {
    if (row.digest !== digest) {
      throw new FleetError(
        'run_conflict',
        `The idempotency key belongs to the run ${row.id}, which has another spec. Use another key, or pass the same spec.`,
        { details: { run_id: row.id } },
      )
    }
    if (start) {
      // A fleet that did not carry the run on has not met the workers that it brings.
      for (const worker of spec.worker_specs) parts.registrar.addFromFile(worker)
      await performCommand(engine, { kind: 'run.start', run_id: row.id })
    }
    return { id: row.id, created: false, warnings: [] }
  }

  /** Calls with one key follow one another, so that the second sees what the first made (RU2). */
  async function createWithKey(key: string, create: () => Promise<Created>): Promise<Created> {
    const before = byKey.get(key)
    const mine = (before ?? Promise.resolve()).catch(() => undefined).then(create)
    byKey.set(key, mine)
    try {
      return await mine
    } finally {
      if (byKey.get(key) === mine) byKey.delete(key)
    }
  }

  function tracked<Value>(work: Promise<Value>): Promise<Value> {
    const settled: Promise<unknown> = work.then(
      () => underWay.delete(settled),
      () => underWay.delete(settled),
    )
    underWay.add(settled)
    return work
  }

  return {
    create(input, start, options) {
      const key = options.idempotencyKey
      const create = () => createNew(input, start, options)
      return tracked(key === undefined ? create() : createWithKey(key, create))
    },
    async close() {
      closed.abort()
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

/** In steps: the canonical spec, with the profiles merged into its tasks, and its digest where a key needs one. */
function* accepting(
  input: FleetRunSpecInput,
  keyed: boolean,
  { profiles, core }: { readonly profiles: ProfileTables; readonly core: Core },
): Steps<{ spec: FleetRunSpec; digest: string }> {
  const spec = yield* parsingRunSpec(input)
  const { tasks, refusals } = yield* mergingProfiles(spec.tasks, spec, profiles)
  yield* refusingUnenforceable(spec, core, refusals)
  // The same spec is the same run, whatever profiles there are meanwhile (RU2).
  const digest = keyed ? yield* digesting(spec) : ''
  return { spec: tasks === spec.tasks ? spec : { ...spec, tasks }, digest }
}

function warningOf({ path, reasons }: ImpossibleTask): string {
  return `${path}: no worker can take it: ${reasons.join('; ')}.`
}

function closedMeanwhile(): FleetError {
  return new FleetError(
    'fleet_closed',
    'The fleet was closed while the run was being created, so nothing of it is kept. Create it with the next fleet.',
  )
}
