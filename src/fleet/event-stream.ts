import type { Entry } from '../engine/entry.ts'
import { readCursor, writeCursor } from '../engine/cursor.ts'
import { placesOf, project } from '../engine/project.ts'
import type { ProjectedRun } from '../engine/project.ts'
import { isEndedRun } from '../engine/state.ts'
import { entryPages } from './entry-pages.ts'
import type { EventSelection } from './event-selection.ts'
import { joinSignals } from '../protocol/joined-signal.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetEvent } from '../protocol/fleet-event.ts'
import type { Store } from '../ports/store.ts'
import type { Resting } from '../protocol/steps.ts'

const page = 250
const restAfterMs = 8

/** How to read a run's events. */
export interface EventsOptions {
  /** A cursor: begin after the event that has it. Default: at the first event. */
  readonly after?: string
  /** Go on after the run has ended, for what a restart may bring. Default false. */
  readonly follow?: boolean
  /** Only the events of tasks with one of these tags. Default: every event. */
  readonly tags?: readonly string[]
  readonly signal?: AbortSignal
}

/** How to read a page of a run's events. */
export interface ReplayOptions {
  /** A cursor: the page begins after it. Default: the page is the newest one. */
  readonly after?: string
  /** 1 to 1000, default 250. */
  readonly limit?: number
  /** Only the events of tasks with one of these tags. Default: every event. */
  readonly tags?: readonly string[]
}

/** A page of a run's events. */
export interface EventPage {
  readonly run_id: string
  readonly events: readonly FleetEvent[]
  /** More events stand after the page. */
  readonly has_more: boolean
  /** Events stand before the page, which began at no cursor. */
  readonly history_truncated: boolean
  /** Pass it as `after` for the next page; absent when the page is empty. */
  readonly next_cursor?: string
}

interface Selecting {
  readonly clock: Resting
  readonly selection: EventSelection
}
interface Paging extends Selecting {
  readonly limit: number
}

/** The facts of a run that its events need, from its first entry. */
export async function projectedRun(store: Store, run: string): Promise<ProjectedRun | undefined> {
  const [first] = await readEntries(store, run, 1, 1)
  const header = first?.created
  return header === undefined ? undefined : { id: header.id, short: header.short, name: header.name }
}

/**
 * The events of a run in order, replayed and then live, without gap or duplicate: whoever is slow simply reads on from the store (EV2).
 * Ends after the run has ended, unless told to follow, and when `closed` aborts.
 */
export async function* streamEvents(
  store: Store,
  run: ProjectedRun,
  { clock, closed, selection, ...options }: EventsOptions & Selecting & { readonly closed: AbortSignal },
): AsyncGenerator<FleetEvent, void, void> {
  const signal = options.signal ?? new AbortController().signal
  const start = options.after === undefined ? undefined : await placeOf(store, run, options.after)
  let from = start?.seq ?? 1
  // Read before any entry: where the reader begins behind the end, no entry tells of it.
  let ended = isEndedRun((await store.row({ id: run.id }))?.status ?? 'pending')
  const stop = new AbortController()
  using over = joinSignals([signal, stop.signal, closed])
  const growth = store.watch(run.id, { from: from - 1, signal: over.signal })[Symbol.asyncIterator]()
  try {
    for (;;) {
      const before = from
      let beganAt = clock.monotonic()
      for await (const entries of entryPages(store, run.id, clock, from)) {
        signal.throwIfAborted()
        for (const entry of entries) {
          if (entry.run?.status !== undefined) ended = isEndedRun(entry.run.status)
          selection.learn(entry)
          for (const [index, event] of project(run, entry).entries()) {
            const isNew = start === undefined || entry.seq > start.seq || index > start.index
            if (isNew && selection.includes(event)) yield event
          }
          if (clock.monotonic() - beganAt < restAfterMs) continue
          await clock.turn()
          beganAt = clock.monotonic()
        }
        from += entries.length
      }
      if (from > before) continue
      if (ended && options.follow !== true) return
      if ((await growth.next()).done === true) {
        signal.throwIfAborted()
        return
      }
    }
  } finally {
    stop.abort()
    // A watch that rests between two looks ends only when it is told.
    await growth.return?.()
  }
}

/** One page of a run's events (EV7). */
export async function replayEvents(
  store: Store,
  run: ProjectedRun,
  { clock, selection, ...options }: ReplayOptions & Selecting,
): Promise<EventPage> {
  const { limit = page } = options
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new FleetError('invalid_option', `limit: expected an integer from 1 to 1000, got ${limit}.`)
  }
  const how = { limit, clock, selection }
  return options.after === undefined ? newestPage(store, run, how) : pageAfter(store, run, options.after, how)
}

async function pageAfter(
  store: Store,
  run: ProjectedRun,
  after: string,
  { limit, clock, selection }: Paging,
): Promise<EventPage> {
  const start = await placeOf(store, run, after)
  const events: FleetEvent[] = []
  for await (const entries of entryPages(store, run.id, clock, start.seq)) {
    for (const entry of entries) {
      if (events.length > limit) break
      selection.learn(entry)
      const all = project(run, entry)
      const after = entry.seq === start.seq ? all.slice(start.index + 1) : all
      events.push(...after.filter(selection.includes))
    }
    if (events.length > limit) break
  }
  return pageOf(run, events.slice(0, limit), { more: events.length > limit, truncated: false })
}

async function newestPage(store: Store, run: ProjectedRun, { limit, clock, selection }: Paging): Promise<EventPage> {
  let to = await store.last(run.id)
  let newest: readonly FleetEvent[] = []
  // An entry may stand for many events, or for none.
  for (let count = 8; to > 0 && newest.length <= limit; count = Math.min(limit, count * 2)) {
    const from = Math.max(1, to - count + 1)
    const entries = await readEntries(store, run.id, from, to - from + 1)
    newest = [...entries.flatMap((entry) => project(run, entry)).filter(selection.includes), ...newest]
    to = from - 1
    await clock.turn()
  }
  return pageOf(run, newest.slice(-limit), { more: false, truncated: newest.length > limit })
}

function pageOf(run: ProjectedRun, events: readonly FleetEvent[], rest: { more: boolean; truncated: boolean }): EventPage {
  const last = events.at(-1)
  return {
    run_id: run.id,
    events,
    has_more: rest.more,
    history_truncated: rest.truncated,
    ...(last !== undefined && { next_cursor: last.cursor }),
  }
}

/** The place of a cursor, once it is known to name an event of this run. */
async function placeOf(store: Store, run: ProjectedRun, cursor: string): Promise<{ seq: number; index: number }> {
  const place = readCursor(cursor, run.short)
  const [entry] = await readEntries(store, run.id, place.seq, 1)
  // An entry without events has a place too: what is live only may stand there (EV1).
  const places = entry?.seq === place.seq ? Math.max(1, placesOf(entry)) : 0
  if (place.index >= places || writeCursor(place) !== cursor) {
    throw new FleetError('cursor_unavailable', `The run ${run.id} has no event at this cursor. Read again without a cursor.`)
  }
  return place
}

async function readEntries(store: Store, run: string, from: number, limit: number): Promise<Entry[]> {
  return (await store.read(run, { from, limit })) as unknown as Entry[]
}
