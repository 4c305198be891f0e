import { engineDefaults } from '../engine/defaults.ts'
import type { Recorder } from '../recording/recorder.ts'
import type { Seam } from '../recording/seam.ts'
import type { RecordingSink } from '../recording/sink.ts'
import { createRedactor } from '../security/redactor.ts'
import { createSecretsInUse } from '../security/secrets-in-use.ts'
import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { makeFolder } from '../host/make-folder.ts'
import { reapOrphans } from '../transports/orphans.ts'
import { probeSandbox } from '../transports/commands/sandbox-probe.ts'
import { collectorLimits } from '../workspace/collector.ts'
import { checkOptions } from './check-options.ts'
import { containerPorts } from './container.ts'
import { openWorld } from './open-world.ts'
import type { OpenedFleet, World } from './open-world.ts'
import type { FleetLimits, FleetOptions } from './options.ts'
import { once } from './once.ts'
import { createRecording, unrecorded } from './recording.ts'
import type { Recording } from './recording.ts'
import { openingOf } from './seamed-calls.ts'
import { memoryStore } from './stores.ts'
import { workersOf } from './workers-of.ts'
import type { WorkerPlan } from './workers-of.ts'

const limitDefaults: FleetLimits = { ...engineDefaults, ...collectorLimits, eventBuffer: 1_024 }

/** What the parts of this package may replace when they open a fleet. */
export interface OpenParts {
  /** Ends what an earlier fleet left running; whoever knows that it started no processes need not look for them. */
  readonly reap?: typeof reapOrphans
  /** Makes what covers secrets; a test that puts another in its place shows what it is good for. */
  readonly redactor?: typeof createRedactor
  /** Where a recording goes, when one is made. Default: a file beside the journal, or memory where the store has no folder. */
  readonly sink?: RecordingSink
  /** Stands in for the world, with the workers that it has (a replay). */
  readonly standIn?: { readonly seam: Seam; readonly plans: readonly WorkerPlan[] }
  /** Told of the recorder, when the fleet has one. */
  readonly recorded?: (recorder: Recorder) => void
}

/** As `createFleet`, with parts replaced, and with the ways in which everything is asked of the fleet. */
export async function openFleet(options: FleetOptions, parts: OpenParts = {}): Promise<OpenedFleet> {
  const limits = { ...limitDefaults, ...checkOptions(options) }
  const clock = options.clock ?? systemClock()
  const store = options.store ?? memoryStore()
  const inUse = createSecretsInUse(parts.redactor ?? createRedactor)
  const environment = systemEnvironment()
  const host = {
    clock,
    environment,
    ...(options.files === undefined && { makeFolder }),
    redactor: () => inUse.redactor,
    probe: once(probeSandbox),
    hidden: [store.home ?? store.folder ?? []].flat(),
    containers: containerPorts(options.containers ?? {}, environment),
  }
  const world: World = {
    options,
    limits,
    host,
    plans: parts.standIn?.plans ?? workersOf(options, host),
    store,
    inUse,
    reap: parts.reap ?? reapOrphans,
  }
  if (parts.standIn !== undefined) return openThrough(parts.standIn.seam, world, unrecorded)
  if (options.record !== true) return openWorld(world, unrecorded)
  const recording = createRecording({ store, clock, inUse, sink: parts.sink })
  parts.recorded?.(recording.recorder)
  return openThrough(recording.recorder, world, recording)
}

/** Everything that passes between the fleet and the world passes the seam, and so does what is asked of the fleet. */
async function openThrough(seam: Seam, world: World, recording: Recording): Promise<OpenedFleet> {
  return seam.call('open', openingOf(world), () => openWorld(world, recording, seam), { shown: () => undefined })
}
