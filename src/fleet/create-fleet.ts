import { resolve, sep } from 'node:path'
import { createEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'
import { engineDefaults } from '../engine/defaults.ts'
import { fleetStream } from '../engine/fold.ts'
import { performCommand } from '../engine/run-command.ts'
import { loadFleetStream } from '../engine/run-loader.ts'
import { isEndedRun, isWorking } from '../engine/state.ts'
import { FleetError } from '../protocol/errors.ts'
import type { CommandOutcome, RunCommand } from '../protocol/command.ts'
import { createBus } from '../observability/bus.ts'
import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { diskFiles } from '../host/files.ts'
import { systemIds } from '../host/ids.ts'
import { makeFolder } from '../host/make-folder.ts'
import { sha256 } from '../host/sha256.ts'
import { createTemporaryFolder } from '../host/temporary-folder.ts'
import { reapOrphans } from '../transports/orphans.ts'
import { probeSandbox } from '../transports/sandbox-probe.ts'
import { createScorers } from '../verification/scorers.ts'
import { collectorLimits, createCollector } from '../workspace/collector.ts'
import { createWorkspaces } from '../workspace/requirements.ts'
import { alertSinksOf } from './alerts.ts'
import { checkOptions } from './check-options.ts'
import { closeEngine } from './close.ts'
import { createCreations } from './creations.ts'
import { environmentSecrets } from './environment-secrets.ts'
import { createFleetFacade } from './fleet.ts'
import type { Fleet } from './fleet.ts'
import { serveInbox } from './inbox.ts'
import type { FleetLimits, FleetOptions } from './options.ts'
import { createRegistrar } from './registrar.ts'
import { keepRetention } from './retention.ts'
import { memoryStore } from './stores.ts'
import { workersOf } from './workers-of.ts'

/** An opening that read more of the fleet's own entries saves them as a snapshot, whether it closes in good order or not. */
const fleetEntriesRead = 256

const limitDefaults: FleetLimits = { ...engineDefaults, ...collectorLimits, eventBuffer: 1_024 }

/**
 * Opens a fleet: takes the store, ends what an earlier fleet left running, brings the workers up, and carries on the runs that have not
 * ended (ST11) and the alerts that are owed (AL2). Rejects `store_owned` when another process has the store, `invalid_option` with everything that is wrong with the
 * options. Importing the package starts nothing; a fleet shares nothing with another (CO7).
 */
export async function createFleet(options: FleetOptions = {}): Promise<Fleet> {
  return (await openFleet(options)).fleet
}

/** The fleet, and the way for commands as they come from outside. */
export interface OpenedFleet {
  readonly fleet: Fleet
  perform(command: RunCommand): Promise<CommandOutcome>
}

/** `reap` ends what an earlier fleet left running; whoever knows that it started no processes need not look for them. */
export async function openFleet(
  options: FleetOptions,
  { reap = reapOrphans }: { readonly reap?: typeof reapOrphans } = {},
): Promise<OpenedFleet> {
  const limits = { ...limitDefaults, ...checkOptions(options) }
  const clock = options.clock ?? systemClock()
  const ids = options.ids ?? systemIds()
  const environment = systemEnvironment()
  const store = options.store ?? memoryStore()
  const host = {
    clock,
    environment,
    ...(options.files === undefined && { makeFolder }),
    probe: once(probeSandbox),
    hidden: [store.home ?? store.folder ?? []].flat(),
  }
  const plans = workersOf(options, host)
  const folder = resolve(options.workspace ?? '.')
  const files = options.files ?? diskFiles()
  const bus = createBus({ buffer: limits.eventBuffer })
  const workspace = await files.real(folder)
  if (workspace === undefined)
    throw new FleetError('invalid_option', `workspace: there is no folder ${folder}. Make it, or name another.`)
  const opening = await store.open({
    instance: ids.next('fleet'),
    ...(options.waitForStoreMs !== undefined && { waitMs: options.waitForStoreMs }),
    ...(options.takeOver !== undefined && { takeOver: options.takeOver }),
  })
  const temporary = store.folder === undefined && options.files === undefined ? await createTemporaryFolder() : undefined
  const attempts = store.folder ?? temporary?.path ?? '/fleet'
  const engine = createEngine(
    {
      store,
      clock,
      ids: ids.forEpoch?.(opening.epoch) ?? ids,
      scorers: createScorers({ files }),
      alertSinks: alertSinksOf(options.alerts ?? {}, { clock, blobs: store.blobs, secret: environmentSecrets(environment) }),
      collector: createCollector({ files, blobs: options.blobs ?? store.blobs, sha256, limits }),
      workspaces: createWorkspaces({ files, environment }),
      // Ids are names of files as they are (WI9).
      folderOf: (run, task, attempt) => `${attempts}${sep}${run}${sep}attempts${sep}${task}${sep}${attempt}`,
      announce: (event) => bus.emit(event),
      hasListeners: () => bus.hasListeners(),
      isListenedTo: (name) => bus.isListenedTo(name),
      defaults: limits,
      concurrency: options.concurrency ?? {},
    },
    () => opening.storeId,
  )
  const registrar = createRegistrar(engine, host)
  const creations = createCreations(engine, { registrar, host, workspace })
  const stop = new AbortController()
  try {
    const { read } = await loadFleetStream(engine.core.state, { store, clock })
    const runs = await claimRuns(engine, options.carryOn ?? 'all')
    const processes = runs.flatMap((run) =>
      [...run.tasks.values()].flatMap((task) => (isWorking(task.status) && task.process ? [task.process] : [])),
    )
    // Nothing may be leased again before what an earlier fleet left is gone (LE6).
    await reap({ storeId: opening.storeId, recorded: processes, clock })
    for (const plan of plans) registrar.add(plan)
    // A run that has ended and owes an alert needs no worker.
    const open = runs.filter((run) => !isEndedRun(run.status))
    for (const run of open) for (const spec of run.header.worker_specs) registrar.addFromFile(spec)
    for (const run of runs) engine.recover(run)
    if (options.leasing !== false) {
      await registrar.ready()
      engine.leasing = true
    }
    await engine.settled()
    if (read > fleetEntriesRead) await engine.keepFleetStream()
  } catch (error) {
    await store.close()
    await temporary?.remove()
    throw error
  }
  // The loop ends with the fleet; a store that breaks tells so through its appends.
  const inbox = serveInbox(engine, stop.signal).catch(() => undefined)
  const retention = options.retention && keepRetention(engine, bus, options.retention)
  const hurry = new AbortController()
  let closed: Promise<void> | undefined

  async function close(graceMs: number): Promise<void> {
    const takenBack = creations.close()
    await closeEngine(engine, { graceMs, hurry: hurry.signal })
    await takenBack
    stop.abort()
    await inbox
    await retention?.close()
    await engine.announced()
    await store.close()
    await temporary?.remove()
    bus.close()
  }

  const fleet = createFleetFacade({
    engine,
    bus,
    registrar,
    creations,
    host,
    warnings: opening.warnings,
    closed: stop.signal,
    close({ graceMs = limits.closeGraceMs } = {}) {
      if (closed !== undefined && graceMs === 0) hurry.abort()
      return (closed ??= close(graceMs))
    },
  })
  return { fleet, perform: (command) => performCommand(engine, command) }
}

/** Takes the unfinished runs that the options name, and reads them; a creation that was cut off is discarded (RU1). */
async function claimRuns(
  engine: Engine,
  carryOn: NonNullable<FleetOptions['carryOn']>,
): Promise<NonNullable<Awaited<ReturnType<Engine['read']>>>[]> {
  if (carryOn === 'none') return []
  const runs = []
  for await (const claim of engine.core.store.claim(carryOn === 'all' ? {} : { runs: carryOn })) {
    if (claim.run === fleetStream) continue
    const run = await engine.read(claim.run)
    if (run === undefined) continue
    if (run.opened) runs.push(run)
    else await engine.discard(claim.run)
  }
  return runs
}

/** Asks the first time only. */
function once<Answer>(ask: () => Answer): () => Answer {
  let answered: { readonly answer: Answer } | undefined
  return () => (answered ??= { answer: ask() }).answer
}
