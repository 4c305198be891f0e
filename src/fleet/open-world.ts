import { resolve, sep } from 'node:path'
import { createEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'
import { fleetStream } from '../engine/fold.ts'
import { loadFleetStream } from '../engine/run-loader.ts'
import { isEndedRun, isWorking } from '../engine/state.ts'
import type { RunState } from '../engine/state.ts'
import { FleetError } from '../protocol/errors.ts'
import type { CheckRunner } from '../ports/check-runner.ts'
import type { Store } from '../ports/store.ts'
import type { Seam } from '../recording/seam.ts'
import { seamedClock, seamedIds } from '../recording/seamed-clock.ts'
import { seamedWork } from '../recording/seamed-ports.ts'
import { seamedStore } from '../recording/seamed-store.ts'
import { seamedTransport } from '../recording/seamed-transport.ts'
import type { ProcessRecord } from '../protocol/wire.ts'
import { createBus } from '../observability/bus.ts'
import type { SecretsInUse } from '../security/secrets-in-use.ts'
import { diskFiles } from '../host/files.ts'
import { systemIds } from '../host/ids.ts'
import { sha256 } from '../host/sha256.ts'
import type { reapOrphans } from '../transports/orphans.ts'
import { createScorers } from '../verification/scorers.ts'
import { createCollector } from '../workspace/collector.ts'
import { createWorkspaces } from '../workspace/requirements.ts'
import { alertSecrets } from './alert-secrets.ts'
import { alertSinksOf } from './alerts.ts'
import { createAttemptsFolder } from './attempts-folder.ts'
import { createFleetCalls } from './calls.ts'
import type { FleetCalls } from './calls.ts'
import { closeEngine } from './close.ts'
import { containerWays } from './container.ts'
import { createCreations } from './creations.ts'
import { createFleetFacade } from './fleet.ts'
import type { Fleet } from './fleet.ts'
import { serveInbox } from './inbox.ts'
import { knowEarlierSecrets } from './earlier-secrets.ts'
import type { FleetLimits, FleetOptions } from './options.ts'
import { profileTables } from './profiles.ts'
import type { Recording } from './recording.ts'
import { createRegistrar } from './registrar.ts'
import { keepRetention } from './retention.ts'
import { seamedCalls } from './seamed-calls.ts'
import { secretsOf } from './secrets-of.ts'
import { localChecks } from './workers-of.ts'
import type { HostPorts, WorkerPlan } from './workers-of.ts'

/** An opening that read more of the fleet's own entries saves them as a snapshot, whether it closes in good order or not. */
const fleetEntriesRead = 256

/** The fleet, and the ways in which everything is asked of it. */
export interface OpenedFleet {
  readonly fleet: Fleet
  readonly calls: FleetCalls
}

/** What a fleet is opened with. */
export interface World {
  readonly options: FleetOptions
  readonly limits: FleetLimits
  readonly host: HostPorts
  readonly plans: readonly WorkerPlan[]
  readonly store: Store
  readonly inUse: SecretsInUse
  readonly reap: typeof reapOrphans
}

/** Opens it: everything is in its place when this resolves. With a seam, all that passes between the fleet and the world passes it. */
export async function openWorld(world: World, recording: Recording, seam?: Seam): Promise<OpenedFleet> {
  const { options, limits, host, plans } = world
  const { environment } = host
  const clock = seam === undefined ? host.clock : seamedClock(seam)
  const store = seam === undefined ? world.store : seamedStore(seam, world.store)
  const ids = seam === undefined ? (options.ids ?? systemIds()) : seamedIds(seam, options.ids ?? systemIds())
  const ask: Seam['ask'] = seam === undefined ? (_, act) => act() : (what, act, noting) => seam.ask(what, act, noting)
  const files = options.files ?? diskFiles()
  const bus = createBus({ buffer: limits.eventBuffer })
  const folder = resolve(options.workspace ?? '.')
  const workspace = await ask('workspace', () => files.real(folder))
  if (workspace === undefined)
    throw new FleetError('invalid_option', `workspace: there is no folder ${folder}. Make it, or name another.`)
  const opening = await store.open({
    instance: ids.next('fleet'),
    ...(options.waitForStoreMs !== undefined && { waitMs: options.waitForStoreMs }),
    ...(options.takeOver !== undefined && { takeOver: options.takeOver }),
  })
  recording.open(opening.epoch)
  const attempts = createAttemptsFolder(store.folder, options.files !== undefined)
  const place = await ask('attempts folder', () => attempts.open())
  const stop = new AbortController()
  const secrets = secretsOf(options)
  const local = localChecks(host)
  const checks: Pick<CheckRunner, 'run'> = {
    run: (command, how) => (engine.workers.get(command.worker)?.transport.checks ?? local).run(command, how),
  }
  const work = {
    scorers: createScorers({ files, checks, storeId: opening.storeId, verifier: options.verifier }),
    collector: createCollector({ files, blobs: options.blobs ?? world.store.blobs, sha256, limits }),
    workspaces: createWorkspaces({ files, environment }),
    secrets,
    alertSinks: alertSinksOf(options.alerts ?? {}, {
      clock: host.clock,
      blobs: world.store.blobs,
      secret: alertSecrets(options, { secrets, environment, signal: stop.signal }),
    }),
  }
  const engine: Engine = createEngine(
    {
      store,
      shown: world.store,
      clock,
      ids: ids.forEpoch?.(opening.epoch) ?? ids,
      ...(seam === undefined ? work : seamedWork(seam, work)),
      inUse: world.inUse,
      // Ids are names of files as they are (WI9).
      folderOf: (run, task, attempt) => `${place}${sep}${run}${sep}attempts${sep}${task}${sep}${attempt}`,
      announce: (event) => bus.emit(event),
      hasListeners: () => bus.hasListeners(),
      isListenedTo: (name) => bus.isListenedTo(name),
      defaults: limits,
      concurrency: options.concurrency ?? {},
    },
    () => opening.storeId,
  )
  const registrar = createRegistrar(engine, host, (transport) =>
    seam === undefined ? transport : seamedTransport(seam, transport),
  )
  const profiles = profileTables(options)
  const creations = createCreations(engine, { registrar, host, workspace, profiles })
  try {
    const { read } = await loadFleetStream(engine.core.state, { store, clock })
    const runs = await claimRuns(engine, options.carryOn ?? 'all')
    await knowEarlierSecrets(engine, runs)
    // Nothing may be leased again before what an earlier fleet left is gone (LE6).
    await ask('reap', async () => {
      const { storeId } = opening
      const specs = runs.flatMap(({ header }) => header.worker_specs)
      await world.reap({ storeId, recorded: runs.flatMap(recordedProcesses), clock: host.clock })
      // A runtime that does not answer: the workers that need it look again before they come up.
      for (const way of containerWays({ plans, specs }, host)) await way.reap?.({ storeId, recorded: [] }).catch(() => undefined)
    })
    for (const plan of plans) registrar.add(plan)
    // A run that has ended and owes an alert needs no worker.
    const open = runs.filter((run) => !isEndedRun(run.status))
    for (const run of open) for (const spec of run.header.worker_specs) registrar.addFromFile(spec)
    for (const run of runs) await engine.recover(run)
    if (options.leasing !== false) {
      await registrar.ready()
      engine.leasing = true
    }
    await engine.settled()
    if (read > fleetEntriesRead) await engine.keepFleetStream()
  } catch (error) {
    await store.close()
    await attempts.remove()
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
    await attempts.remove()
    bus.close()
  }

  const direct = createFleetCalls(engine, {
    registrar,
    creations,
    profiles,
    close({ graceMs = limits.closeGraceMs }) {
      if (closed !== undefined && graceMs === 0) hurry.abort()
      return (closed ??= close(graceMs))
    },
  })
  engine.opened()
  const calls = seam === undefined ? direct : seamedCalls(seam, direct, () => recording.written())
  const fleet = createFleetFacade({
    engine,
    bus,
    calls,
    host,
    store: world.store,
    warnings: opening.warnings,
    closed: stop.signal,
    recording: () => recording.bytes(),
  })
  return { fleet, calls }
}

/** The processes that an earlier fleet had started for a run's attempts. */
function recordedProcesses({ working, tasks }: RunState): readonly ProcessRecord[] {
  const recorded: ProcessRecord[] = []
  if (working === 0) return recorded
  for (const { status, process } of tasks.values()) if (process !== null && isWorking(status)) recorded.push(process)
  return recorded
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
