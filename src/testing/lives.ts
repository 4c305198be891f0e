import { engineDefaults } from '../engine/defaults.ts'
import { openFleet } from '../fleet/open-fleet.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { FleetOptions, WorkerOptions } from '../fleet/options.ts'
import type { Batch, Store } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'
import { FleetError } from '../protocol/errors.ts'
import type { AttemptMessage, ToWorker } from '../protocol/wire.ts'
import type { Recorder } from '../recording/recorder.ts'
import type { RecordingSink } from '../recording/sink.ts'
import type { AttemptContext } from '../worker/attempt.ts'
import type { Handler, Handlers } from '../worker/handlers.ts'
import type { FaultKind, FaultSource } from './faults.ts'
import { faultyStore } from './faulty-store.ts'
import { faultyTransport } from './faulty-transport.ts'
import type { RealTime } from './real-time.ts'
import { script } from './script.ts'
import { createScriptedHost } from './scripted-host.ts'
import type { ScriptedHost } from './scripted-host.ts'
import type { Play, ScriptedWorker } from './scripted-worker.ts'
import type { TestStore } from './test-store.ts'
import type { ProcessClock, VirtualClock } from './virtual-clock.ts'

/** Sees what happens, without taking part in it. */
export interface FleetObserver {
  /** The store was asked to keep something, and may have. */
  appended?(store: Store, batches: readonly Batch[]): Promise<void>
  /** An append failed, as far as the fleet can know. */
  rejected?(): void
  told?(worker: string, message: ToWorker): void
  heard?(worker: string, message: AttemptMessage): void
  /** A deadline was met, and everything has settled. May throw: then whoever moves the clock is told. */
  settled?(): void
  /** A process died. */
  died?(): void
  /** The next one is up. */
  opened?(fleet: Fleet, store: Store): Promise<void>
}

/** The processes that own the store, one after the other. */
export interface Lives {
  /** Of the newest process. Throws while none was ever up. */
  readonly fleet: Fleet
  readonly store: Store
  /** Ends the present process as a crash would. */
  kill(): void
  /** Resolves once a process is up; one that is coming up already is that one. */
  open(downMs?: number): Promise<void>
  /** The present process loses the store to the next one and does not die: it goes on, and finds out (LE10, ST6). */
  takeOver(): Promise<void>
  /** Closes the present process in good order, and brings up the next. */
  restart(): Promise<void>
  close(): Promise<void>
  /** Nothing goes wrong any more, and every line to a worker is opened anew: what was lost on it is known to be lost. */
  calm(): void
  /** Throws what went wrong where nobody was waiting. */
  throwIfBroken(): void
  /** Resolves when everything that came to a fleet which records was dealt with; undefined when it was. */
  dealing(): Promise<unknown> | undefined
}

interface LifeParts {
  readonly options: FleetOptions
  readonly store: TestStore
  readonly workers: readonly (ScriptedWorker | WorkerOptions)[]
  readonly clock: VirtualClock
  readonly source: FaultSource
  readonly realTime: RealTime
  readonly observer: FleetObserver
  /** Where recordings of all processes go. */
  readonly sink: RecordingSink
}

interface Life {
  readonly clock: ProcessClock
  readonly owned: TestStore
  readonly store: Store
  readonly death: AbortController
  recorder?: Recorder
}

export function createLives(parts: LifeParts): Lives {
  const { clock, source, observer } = parts
  const hosts = new Map(
    parts.workers.flatMap((one) => (isScripted(one) ? [[one.id, hostOf(one, parts)] as [string, ScriptedHost]] : [])),
  )
  /** Nobody looks at messages that nothing happens to: then they need no way of their own. */
  const meddles = source.strikesAt('told') || source.strikesAt('heard') || !isBlind(observer)
  /** Nor does a store that nothing happens to. */
  const meddlesWithStore = source.strikesAt('append') || observer.appended !== undefined || observer.rejected !== undefined
  const startsProcesses = parts.workers.some((one) => !isScripted(one) && one.commands === true)
  let life: Life | undefined
  let fleet: Fleet | undefined
  let opening: Promise<void> | undefined
  let broken: { readonly error: unknown } | undefined
  let isClosing = false
  const outlived: Life[] = []

  function born(): Life {
    const owned: TestStore = life === undefined ? parts.store : life.owned.peer()
    const death = new AbortController()
    const mine: Life = {
      clock: clock.process(),
      owned,
      store: meddlesWithStore
        ? faultyStore(owned, {
            strike: () => (death.signal.aborted ? undefined : source.strike('append')),
            crash: () => died(mine),
            jump: (ms) => clock.jump(ms),
            rejected: () => observer.rejected?.(),
            appended: async (batches) => observer.appended?.(owned, batches),
          })
        : owned,
      death,
    }
    return mine
  }

  /** The process dies by a fault, and the next one is started at once. */
  function died(mine: Life): void {
    if (mine !== life || mine.death.signal.aborted) return
    kill()
    if (!isClosing) open().catch((error: unknown) => void (broken ??= { error }))
  }

  function kill(): void {
    if (life === undefined || life.death.signal.aborted) return
    opening = undefined
    life.death.abort()
    life.clock.end()
    life.recorder?.end()
    life.owned.crash()
    parts.realTime.forget()
    for (const host of hosts.values()) host.fleetDied()
    observer.died?.()
  }

  function open(downMs = 0): Promise<void> {
    const mine = (opening ??= begin(downMs))
    // One that dies while it comes up is followed by another, which is waited for as well.
    return mine.then(() => (opening === mine ? undefined : open()))
  }

  async function begin(downMs: number): Promise<void> {
    if (downMs > 0) await clock.sleep(downMs)
    const mine = born()
    life = mine
    const opened = openFleet(
      {
        ...parts.options,
        ...(parts.options.handlers !== undefined && { handlers: watchedHandlers(parts.options.handlers, parts.realTime) }),
        store: mine.store,
        clock: mine.clock,
        workers: parts.workers.map((one) => workerOf(one, mine)),
      },
      {
        sink: parts.sink,
        recorded: (recorder) => void (mine.recorder = recorder),
        ...(!startsProcesses && { reap: () => Promise.resolve() }),
      },
    ).then(async (up) => {
      if (mine.death.signal.aborted) return
      fleet = up.fleet
      await observer.opened?.(up.fleet, mine.owned)
    })
    // A process that dies while it comes up never says so.
    await Promise.race([opened, dead(mine)])
  }

  function workerOf(one: ScriptedWorker | WorkerOptions, mine: Life): WorkerOptions {
    const messages = {
      strike: (point: 'told' | 'heard') => source.strike(point),
      crash: () => died(mine),
      get isDead() {
        return mine.death.signal.aborted
      },
      told: (worker: string, message: ToWorker) => observer.told?.(worker, message),
      heard: (worker: string, message: AttemptMessage) => observer.heard?.(worker, message),
    }
    if (isScripted(one)) {
      const { remote: _, ...facts } = one.options
      const host = hosts.get(one.id)
      if (host === undefined) throw new Error(`The worker ${one.id} has no host.`)
      const transport = openedBy(mine, host.transport)
      return { id: one.id, ...facts, transport: meddles ? faultyTransport(transport, clock, messages) : transport }
    }
    if (one.transport !== undefined) return { ...one, transport: faultyTransport(one.transport, clock, messages) }
    const { run } = one
    return {
      ...one,
      ...(one.handlers !== undefined && { handlers: watchedHandlers(one.handlers, parts.realTime) }),
      ...(run !== undefined && {
        run: (task, attempt) => parts.realTime.watching((watched: AttemptContext) => run(task, watched))(attempt),
      }),
    }
  }

  /** A worker belongs to the process that owns the store. */
  function openedBy(mine: Life, transport: Transport): Transport {
    return {
      ...transport,
      open(launch, options) {
        if (mine !== life) throw new Error('the worker belongs to the fleet that took over')
        return transport.open(launch, options)
      },
    }
  }

  return {
    get fleet() {
      if (fleet === undefined) throw new FleetError('fleet_closed', 'No process of this fleet is up yet.')
      return fleet
    },
    get store() {
      return life?.owned ?? parts.store
    },
    kill,
    open,
    async takeOver() {
      await open()
      if (life === undefined) return
      opening = undefined
      outlived.push(life)
      life.owned.crash()
      for (const host of hosts.values()) host.fleetDied()
      await open()
    },
    async restart() {
      await open()
      const mine = life
      if (mine === undefined) return
      // One that dies while it closes is followed by another at once.
      await Promise.race([fleet?.close(), dead(mine)])
      if (!mine.death.signal.aborted) kill()
      await open()
    },
    async close() {
      isClosing = true
      await opening
      if (life?.death.signal.aborted === false) await Promise.race([fleet?.close(), dead(life)])
      for (const host of hosts.values()) host.die('the test is over')
      parts.realTime.forget()
    },
    calm() {
      source.calm()
      for (const old of outlived) {
        old.clock.end()
        old.recorder?.end()
      }
      for (const host of hosts.values()) host.reconnect()
    },
    throwIfBroken() {
      if (broken !== undefined) throw broken.error
    },
    dealing() {
      const busy = [...outlived, life].flatMap((one) => (one?.recorder?.isIdle === false ? [one.recorder.idle()] : []))
      return busy.length === 0 ? undefined : Promise.all(busy)
    },
  }
}

function dead({ death: { signal } }: Life): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function hostOf(worker: ScriptedWorker, { clock, source, realTime, options }: LifeParts): ScriptedHost {
  const instead: Partial<Record<FaultKind, Play>> = { 'worker.crash': script().crash(), 'worker.stall': script().stall() }
  return createScriptedHost(worker, {
    clock,
    heartbeatMs: (options.limits?.leaseTtlMs ?? engineDefaults.leaseTtlMs) / 4,
    chooses(play) {
      const fault = source.strike('assigned')
      const chosen = (fault && instead[fault.kind]) ?? play
      return typeof chosen === 'function' ? realTime.watching(chosen) : chosen
    },
  })
}

function watchedHandlers(handlers: Handlers, realTime: RealTime): Handlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]): [string, Handler] => {
      if (typeof handler === 'function') return [name, realTime.watching(handler)]
      return [name, { ...handler, run: realTime.watching((attempt: AttemptContext) => handler.run(attempt as never)) }]
    }),
  )
}

function isBlind({ told, heard }: FleetObserver): boolean {
  return told === undefined && heard === undefined
}

function isScripted(one: ScriptedWorker | WorkerOptions): one is ScriptedWorker {
  return 'playOf' in one
}
