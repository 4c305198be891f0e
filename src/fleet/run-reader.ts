import { readSpecs } from '../engine/ended-spec.ts'
import { explainTask } from '../engine/explain.ts'
import type { FleetFacts, Explanation } from '../engine/explain.ts'
import { inboxEntry } from '../engine/inbox-entry.ts'
import { loadRun } from '../engine/run-loader.ts'
import { unknownRun } from '../engine/run-command.ts'
import { createFleetState, isEndedRun, isEndedTask, isWorking } from '../engine/state.ts'
import type { RunState, TaskState } from '../engine/state.ts'
import { isTagged } from '../engine/tagged.ts'
import { countersOf, specOf, taskView, writingSpec } from '../engine/views.ts'
import type { RunSummary, TaskView } from '../engine/views.ts'
import { joinSignals } from '../protocol/joined-signal.ts'
import type { FleetArtifactRef } from '../protocol/artifact.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetInboxEntry } from '../protocol/event.ts'
import type { FleetEvent } from '../protocol/fleet-event.ts'
import type { FleetReceipt } from '../protocol/receipt.ts'
import type { FleetRun } from '../protocol/run.ts'
import type { FleetWorkerStatus } from '../protocol/worker.ts'
import { inSlices } from '../protocol/steps.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { allEvents, eventsOfTagged } from './event-selection.ts'
import type { EventSelection } from './event-selection.ts'
import { projectedRun, replayEvents, streamEvents } from './event-stream.ts'
import type { EventPage, EventsOptions, ReplayOptions } from './event-stream.ts'
import { readArtifacts } from './run-artifacts.ts'
import type { RunArtifact } from './run-artifacts.ts'
import { readLog } from './run-log.ts'
import type { RunLog } from './run-log.ts'
import { makingResult, readReceipts } from './run-result.ts'
import type { RunResult } from './run-result.ts'

/** Reads a run. Everything that it gives is durable (CO1). Methods reject `unknown_run` when the store has no such run. */
export interface RunReader {
  readonly id: string
  /** The run as the wire writes it, tasks included. */
  spec(): Promise<FleetRun>
  summary(): Promise<RunSummary>
  tasks(): Promise<readonly TaskView[]>
  /** One task. Rejects `unknown_task`. */
  task(taskId: string): Promise<TaskView>
  /** The tasks that have not ended, as the wire writes what waits for a worker or is held by one, in the order of the spec. */
  inbox(): Promise<readonly FleetInboxEntry[]>
  /** All receipts, of one task or of all, oldest first. */
  receipts(taskId?: string): Promise<readonly FleetReceipt[]>
  /** The latest receipt of a task, or undefined when no attempt has ended. */
  receipt(taskId: string): Promise<FleetReceipt | undefined>
  /** What attempts left behind, late arrivals included. */
  artifacts(taskId?: string): Promise<readonly RunArtifact[]>
  /** The bytes of an artifact that the fleet keeps, or undefined when it stays in the workspace (AR1). */
  openArtifact(artifact: FleetArtifactRef): Promise<Uint8Array | undefined>
  /** What an attempt wrote, of the latest by default; while it runs, what it wrote so far. Undefined when it wrote nothing. */
  log(taskId: string, options?: { readonly attempt?: number }): Promise<RunLog | undefined>
  /** The events from the first on, or after a cursor, then live, until the run has ended (EV2). */
  events(options?: EventsOptions): AsyncIterable<FleetEvent>
  /** A page of events: the newest, or after a cursor (EV7). */
  replay(options?: ReplayOptions): Promise<EventPage>
  /** Why a task is not running (RU9). */
  explain(taskId: string): Promise<Explanation>
  /** The same for every task that has not ended, or for those with one of the tags. */
  explainAll(options?: { readonly tags?: readonly string[] }): Promise<readonly Explanation[]>
  /** Waits for the run's end, and tells how it ended; it resolves on failure too. Rejects with the signal's reason. */
  result(options?: { readonly signal?: AbortSignal }): Promise<RunResult>
}

/** Where a reader gets the present state of its run, and of the fleet when there is one here. */
export interface ReaderSource {
  readonly store: Store
  /** Long readings are done in slices, with turns between them. */
  readonly clock: Clock
  /** What a view makes of the run as the fleet of this process has it, or else the store; all that it saw is durable (CO1). */
  look<View>(id: string, view: (run: RunState | undefined) => View): Promise<View>
  /** Aborts when the fleet is closed: whoever waits for more is told. */
  readonly closed: AbortSignal
  workers(): Readonly<Record<string, FleetWorkerStatus>>
  considered(): FleetFacts | undefined
  /** When the lease of an attempt ends unless it is heard of; epoch milliseconds, known to the fleet of this process alone (LE3). */
  leaseEndsAt(run: string, task: string, attempt: number): number | undefined
}

/** Reads a run by folding it anew each time: for processes that do not own it. */
export function storeSource(store: Store, clock: Clock): ReaderSource {
  return {
    store,
    clock,
    look: async (id, view) => view(await loadRun(createFleetState(), { store, clock }, id, false)),
    closed: new AbortController().signal,
    workers: () => ({}),
    considered: () => undefined,
    leaseEndsAt: () => undefined,
  }
}

export function createRunReader(source: ReaderSource, id: string): RunReader {
  const { store, clock } = source

  function look<View>(view: (run: RunState) => View): Promise<View> {
    return source.look(id, (run) => {
      if (run === undefined || !run.opened) throw unknownRun(id)
      return view(run)
    })
  }

  function lookAt<View>(taskId: string, view: (task: TaskState, run: RunState) => View): Promise<View> {
    return look((run) => {
      const task = run.tasks.get(taskId)
      if (task === undefined)
        throw new FleetError('unknown_task', `The run ${id} has no task ${taskId}.`, { details: { task_id: taskId } })
      return view(task, run)
    })
  }

  async function facts(): Promise<NonNullable<Awaited<ReturnType<typeof projectedRun>>>> {
    // A run that is being created has no row yet (RU1).
    const run = (await store.row({ id })) === undefined ? undefined : await projectedRun(store, id)
    if (run === undefined) throw unknownRun(id)
    return run
  }

  async function* events(options: EventsOptions = {}): AsyncGenerator<FleetEvent, void, void> {
    const run = await facts()
    yield* streamEvents(store, run, { ...options, selection: await selected(options.tags), clock, closed: source.closed })
  }

  async function selected(tags: readonly string[] | undefined): Promise<EventSelection> {
    return tags === undefined ? allEvents : look((run) => eventsOfTagged(tags, run.tasks.values()))
  }

  return {
    id,
    async spec() {
      const seen = await look(specOf)
      return inSlices(writingSpec(seen, await readSpecs(source, id, seen.short)), clock)
    },
    summary: () =>
      look((run) => {
        const workers = Object.fromEntries(Object.entries(source.workers()).filter(([worker]) => run.workers.has(worker)))
        const { name, workflow } = run.header
        return { id, name, status: run.status, ...(workflow !== undefined && { workflow }), ...countersOf(run), workers }
      }),
    tasks: () => look((run) => [...run.tasks.values()].map(taskView)),
    task: (taskId) => lookAt(taskId, taskView),
    inbox: () =>
      look((run) => {
        const open = [...run.tasks.values()].filter((task) => !isEndedTask(task.status))
        return open.map((task) => inboxEntry(run, task, source.leaseEndsAt(id, task.id, task.attempt)))
      }),
    async receipts(taskId) {
      await facts()
      const all = await readReceipts(store, id, clock)
      return taskId === undefined ? [...all.values()].flat() : (all.get(taskId) ?? [])
    },
    async receipt(taskId) {
      await facts()
      return (await readReceipts(store, id, clock)).get(taskId)?.at(-1)
    },
    async artifacts(taskId) {
      await facts()
      return readArtifacts(store, id, taskId, clock)
    },
    async openArtifact({ checksum }) {
      const sha256 = checksum?.replace(/^sha256:/, '')
      return sha256 === undefined ? undefined : store.blobs.open(id, sha256)
    },
    async log(taskId, { attempt } = {}) {
      const asked = await lookAt(taskId, (task) => {
        const number = attempt ?? task.attempt
        return { run: id, task: taskId, attempt: number, running: number === task.attempt && isWorking(task.status) }
      })
      return readLog(store, asked, clock)
    },
    events,
    async replay(options = {}) {
      const run = await facts()
      return replayEvents(store, run, { ...options, selection: await selected(options.tags), clock })
    },
    explain: (taskId) => lookAt(taskId, (task, run) => explainTask(run, task, source.considered())),
    explainAll: ({ tags } = {}) =>
      look((run) => {
        const open = [...run.tasks.values()].filter((task) => !isEndedTask(task.status) && isTagged(task.spec, tags))
        return open.map((task) => explainTask(run, task, source.considered()))
      }),
    async result({ signal } = {}) {
      const status = await untilEnded(source, id, signal)
      return inSlices(makingResult(id, status, await readReceipts(store, id, clock)), clock)
    },
  }
}

async function untilEnded(source: ReaderSource, id: string, signal: AbortSignal | undefined): Promise<RunState['status']> {
  const stop = new AbortController()
  using over = joinSignals([stop.signal, source.closed, signal])
  const growth = source.store.watch(id, { from: 0, signal: over.signal })[Symbol.asyncIterator]()
  try {
    for (;;) {
      signal?.throwIfAborted()
      // The row of a run that has ended says so, and spares reading all of the run only to learn it.
      const row = await source.store.row({ id })
      if (row !== undefined && isEndedRun(row.status)) return row.status
      const end = await source.look(id, (run) => {
        if (run?.opened !== true) throw unknownRun(id)
        return run.completedAt === null ? undefined : run.status
      })
      if (end !== undefined) return end
      if ((await growth.next()).done === true) {
        signal?.throwIfAborted()
        throw new FleetError(
          'fleet_closed',
          `The fleet was closed before the run ${id} ended. The next fleet of its store carries it on.`,
        )
      }
    }
  } finally {
    stop.abort()
    // A watch that rests between two looks ends only when it is told.
    await growth.return?.()
  }
}
