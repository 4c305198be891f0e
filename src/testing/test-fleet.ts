import type { Fleet } from '../fleet/fleet.ts'
import type { CreateOptions } from '../fleet/creations.ts'
import type { Run } from '../fleet/run-handle.ts'
import type { FleetOptions, WorkerOptions } from '../fleet/options.ts'
import { seededIds } from '../host/seeded-ids.ts'
import type { Store } from '../ports/store.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import { memorySink } from '../recording/sink.ts'
import type { RecordingSink } from '../recording/sink.ts'
import { createMemoryStore } from '../store/memory.ts'
import { loadLaunched } from '../transports/late.ts'
import { milliseconds } from './duration.ts'
import type { Duration } from './duration.ts'
import { createAlertReceiver } from './alert-receiver.ts'
import type { AlertReceiver } from './alert-receiver.ts'
import { createFaultSource, faults } from './faults.ts'
import type { FaultPlan, FaultSource } from './faults.ts'
import { journalOf } from './journal.ts'
import { createLives } from './lives.ts'
import type { FleetObserver, Lives } from './lives.ts'
import { memoryFiles } from './memory-files.ts'
import { createRealTime } from './real-time.ts'
import type { ScriptedWorker } from './scripted-worker.ts'
import { createSettling } from './settling.ts'
import type { TestStore } from './test-store.ts'
import { createSettledClock } from './virtual-clock.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Options of {@link createTestFleet}: those of a fleet, without what the kit brings along. */
export interface TestFleetOptions extends Omit<
  FleetOptions,
  'store' | 'clock' | 'ids' | 'files' | 'blobs' | 'workers' | 'takeOver'
> {
  /** Ids, chance and faults follow from it. Default `flotilla`. */
  readonly seed?: string | number
  /** Scripted workers, and ordinary ones. */
  readonly workers?: readonly (ScriptedWorker | WorkerOptions)[]
  /** Default: a new memory store. */
  readonly store?: TestStore
  /** Files of the workspace, by path below `/workspace`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** What goes wrong (DE3). Default: nothing. */
  readonly faults?: FaultPlan
}

/** A whole fleet on virtual time: the real engine, without a real timer, file, process or socket (DE1). */
export interface TestFleet extends AsyncDisposable {
  readonly seed: string
  /** The fleet as the present process has it: after a crash, another one. */
  readonly fleet: Fleet
  readonly clock: VirtualClock
  readonly store: Store
  /** What went wrong so far. */
  readonly struck: FaultSource['struck']
  /** Takes every alert, in memory; it outlives the process. Sinks of one's own stand in `alerts`. */
  readonly alerts: AlertReceiver
  /** Wall-clock time, epoch milliseconds. */
  now(): number
  /** Milliseconds from now to every deadline that is waited for, the nearest first. */
  pendingTimers(): readonly number[]
  /** Moves time on; everything that a deadline sets off settles before the next. */
  advance(by: Duration): Promise<void>
  /** Moves until the predicate holds; rejects when nothing waits for time any more and it does not. */
  advanceUntil(predicate: () => boolean | Promise<boolean>): Promise<void>
  /** Moves until nothing waits for time any more; gives how many deadlines were met. */
  advanceUntilIdle(limit?: number): Promise<number>
  /** Moves until the promise has settled, and gives what it gives. */
  until<Value>(promise: Promise<Value>): Promise<Value>
  /** Creates a run and starts it. */
  start(spec: FleetRunSpecInput, options?: CreateOptions): Promise<Run>
  /** A run, as the present process has it. */
  run(id: string): Promise<Run>
  /** Every durable entry of every run, one line each; of one seed, always the same bytes. */
  journal(): Promise<Uint8Array>
  /** Everything that came to the fleet, of all its processes, for `openRecording`. Empty when the fleet was not made with `record: true`. */
  recording(): Promise<Uint8Array>
  /**
   * Ends the process and starts the next one: all memory is lost, and everything that was not durable. Runs and fleets that the test
   * holds belong to the dead one; get them again. `downFor`: how long nothing runs in between.
   */
  crash(options?: { readonly downFor?: Duration }): Promise<void>
  close(): Promise<void>
}

/** Where the kit's memory file system has the workspace. */
const workspace = '/workspace'
/** As many as this: it must not depend on the machine. */
const slotsOfHandlers = 4

/** Opens a {@link TestFleet}. Two of the same seed, treated the same, have byte-identical journals. */
export function createTestFleet(options: TestFleetOptions = {}): Promise<TestFleet> {
  return openTestFleet(options, {})
}

/** A test fleet that is watched, and whose faults can be ended. */
export interface WatchedTestFleet extends TestFleet {
  calm(): void
  /** Moves to the next deadline; false when none is left. */
  step(): Promise<boolean>
  /** The present process, once it is up. */
  ready(): Promise<Fleet>
  /** Another process takes the store over while this one goes on. */
  takeOver(): Promise<void>
  /** Closes the process in good order and brings the next one up. */
  restart(): Promise<void>
}

/** The same, watched. */
export async function openTestFleet(options: TestFleetOptions, observer: FleetObserver): Promise<WatchedTestFleet> {
  const {
    seed: given = 'flotilla',
    store: ownStore,
    files = {},
    faults: plan = faults({}),
    workers = [],
    ...fleetOptions
  } = options
  // What is loaded while the fleet works takes turns that virtual time does not see.
  await loadLaunched()
  const seed = String(given)
  const processes: { lives?: Lives } = {}
  const isRecorded = fleetOptions.record === true
  const clock = createSettledClock(isRecorded ? settlingWith(() => processes.lives?.dealing()) : createSettling())
  const sink = memorySink()
  const ids = seededIds(seed)
  const source = createFaultSource(plan, seededIds(`${seed} faults`))
  const realTime = createRealTime()
  const alerts = createAlertReceiver()
  const lives = createLives({
    options: {
      workspace,
      slots: slotsOfHandlers,
      ...fleetOptions,
      alerts: { ...fleetOptions.alerts, sinks: { ...alerts.sinks, ...fleetOptions.alerts?.sinks } },
      ids,
      files: memoryFiles(Object.fromEntries(Object.entries(files).map(([path, content]) => [`${workspace}/${path}`, content]))),
    },
    store: ownStore ?? createMemoryStore({ clock, ids }),
    workers,
    clock,
    source,
    realTime,
    observer,
    sink,
  })
  processes.lives = lives
  const kit = testFleet({ sink, seed, alerts, clock, source, lives, offence: realTime.offence, observer })
  await kit.until(lives.open())
  return kit
}

/** Settled is when nothing goes on by itself, and nothing waits to be let in to a fleet that records. */
function settlingWith(dealing: () => Promise<unknown> | undefined): () => Promise<void> {
  const settled = createSettling()
  return async () => {
    await settled()
    for (let busy = dealing(); busy !== undefined; busy = dealing()) {
      await busy
      await settled()
    }
  }
}

function testFleet(parts: {
  readonly sink: RecordingSink
  readonly seed: string
  readonly alerts: AlertReceiver
  readonly clock: VirtualClock
  readonly source: FaultSource
  readonly lives: Lives
  readonly offence: () => string | undefined
  readonly observer: FleetObserver
}): WatchedTestFleet {
  const { seed, alerts, clock, source, lives, offence, observer, sink } = parts
  let closing: Promise<void> | undefined

  /** What a test must be told rather than wait in vain. */
  function complain(): void {
    const problem = offence()
    if (problem !== undefined) throw new FleetError('handler_unresponsive', problem)
    lives.throwIfBroken()
    observer.settled?.()
  }

  function step(within?: number): Promise<boolean> {
    complain()
    return clock.step(within).then((moved) => {
      complain()
      return moved
    })
  }

  async function advance(by: Duration): Promise<void> {
    await clock.settle()
    const until = clock.monotonic() + milliseconds(by)
    while (await step(until - clock.monotonic()));
    await clock.advance(until - clock.monotonic())
    complain()
  }

  async function until<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false
    const settle = (): void => void (isSettled = true)
    promise.then(settle, settle)
    await clock.settle()
    while (!isSettled) {
      if (!(await step())) throw new FleetError('handler_unresponsive', `${nothingWaits} what was waited for did not come.`)
    }
    return promise
  }

  function close(): Promise<void> {
    source.calm()
    return (closing ??= until(lives.close()))
  }

  return {
    seed,
    clock,
    struck: source.struck,
    alerts,
    get fleet() {
      return lives.fleet
    },
    get store() {
      return lives.store
    },
    now: () => clock.now(),
    pendingTimers: () => clock.pendingTimers(),
    advance,
    async advanceUntil(predicate) {
      await clock.settle()
      while (!(await predicate())) {
        if (!(await step())) throw new FleetError('handler_unresponsive', `${nothingWaits} the predicate does not hold.`)
      }
    },
    async advanceUntilIdle(limit = 100_000) {
      await clock.settle()
      let met = 0
      while (met < limit && (await step())) met += 1
      return met
    },
    until,
    start: (spec, options) => until(lives.open().then(() => lives.fleet.start(spec, options))),
    run: (id) => until(lives.open().then(() => lives.fleet.run(id))),
    calm: () => lives.calm(),
    step: async () => step(),
    ready: () => lives.open().then(() => lives.fleet),
    takeOver: () => until(lives.takeOver()),
    restart: () => until(lives.restart()),
    journal: () => journalOf(lives.store),
    async recording() {
      await clock.settle()
      return sink.bytes()
    },
    async crash({ downFor = 0 } = {}) {
      lives.kill()
      await until(lives.open(milliseconds(downFor)))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

const nothingWaits = 'Nothing waits for time any more, and'
