import { FleetError } from '../protocol/errors.ts'
import type { Batch, RunRow, StoredEntry } from '../ports/store.ts'
import { Gathering } from '../protocol/gathering.ts'
import type { EnginePorts } from './core.ts'
import type { Entry } from './entry.ts'

/** One command's worth of entries, waiting to be durable together. */
export interface Turn {
  /** Entries in the order in which they were decided. */
  readonly entries: readonly { readonly run: string; readonly entry: Entry }[]
  /** All of it is durable. What concerns many turns waits for `Recovery.followed`. */
  readonly durable: () => void
  /** Of what is discarded, these entries were stored all the same: they happened, and have to be followed (ST1). */
  readonly stored: (entries: Turn['entries']) => void
  /** The store did not take it: the tentative state that it made, or saw, is gone (CO1). */
  readonly discarded: (error: FleetError) => void
}

/** Queues turns, groups them into one append at a time, and says of each what became of it, in order. */
export interface Commits {
  push(turn: Turn): void
  /** Resolves once all that was pushed so far is durable: true, or false when some of it was discarded. */
  durable(): Promise<boolean>
  /** Resolves when everything pushed so far is settled. */
  settled(): Promise<void>
  /** Nothing waits and nothing is being written. */
  readonly idle: boolean
}

type Asking = (isDurable: boolean) => void

/** What the pipeline needs of the engine when an append fails. */
export interface Recovery {
  /**
   * The state of these runs is no longer to be trusted: read it again from the store. Resolves with each run's last durable
   * sequence once the store can be read; commands are refused until then.
   */
  restore(runs: ReadonlySet<string>, error: FleetError): Promise<ReadonlyMap<string, number>>
  /** Every turn of an append was told that it is durable. */
  followed(): void
  /** Everybody was told what became of their turn: what was kept is decided again. */
  resumed(): void
  rowOf(run: string): RunRow | undefined
}

export function createCommits({ store, clock }: Pick<EnginePorts, 'store' | 'clock'>, recovery: Recovery): Commits {
  const gathering = new Gathering(clock)
  let queued: Turn[] = []
  let writing: Promise<void> | undefined
  // Who only asks waits beside the turns, since asking moves nothing: with those that are being written, or with those that are queued.
  let asking: Asking[] | undefined
  let askingNext: Asking[] = []

  async function write(): Promise<void> {
    while (queued.length > 0) {
      // What is decided together shares one append, however it is spread over promises.
      await gathering.wait()
      const turns = queued
      queued = []
      gathering.came(turns.length)
      asking = askingNext
      askingNext = []
      // What decided nothing waits for what came before, and that is durable now.
      while (turns[0]?.entries.length === 0) turns.shift()?.durable()
      const batches = batchesOf(turns, recovery)
      try {
        if (batches.length > 0) await store.append(batches)
      } catch (error) {
        await fail(turns, asStoreError(error))
        continue
      }
      for (const turn of turns) turn.durable()
      answer(true)
      recovery.followed()
    }
    writing = undefined
  }

  function answer(isDurable: boolean): void {
    const all = asking ?? []
    asking = undefined
    for (const tell of all) tell(isDurable)
  }

  async function fail(turns: readonly Turn[], error: FleetError): Promise<void> {
    // Whatever was decided since has seen the state that is now discarded.
    const since = queued
    queued = []
    asking?.push(...askingNext)
    askingNext = []
    const all = [...turns, ...since]
    const runs = new Set(all.flatMap((turn) => turn.entries.map(({ run }) => run)))
    const stored = await recovery.restore(runs, error)
    const asked = new Set(turns)
    for (const turn of all) {
      // An append whose outcome was unknown may have been stored, run by run: reading tells (ST1).
      const isAsked = error.code === 'outcome_unknown' && asked.has(turn)
      const kept = isAsked ? turn.entries.filter(({ run, entry }) => entry.seq <= (stored.get(run) ?? 0)) : []
      if (kept.length > 0 && kept.length === turn.entries.length) turn.durable()
      else {
        if (kept.length > 0) turn.stored(kept)
        turn.discarded(blamed(turn, error))
      }
    }
    answer(false)
    recovery.followed()
    recovery.resumed()
  }

  function push(turn: Turn): void {
    queued.push(turn)
    writing ??= write()
  }

  return {
    push,
    durable: () =>
      new Promise((resolve) => {
        if (queued.length > 0) askingNext.push(resolve)
        else if (asking !== undefined) asking.push(resolve)
        else resolve(true)
      }),
    async settled() {
      while (writing !== undefined) await writing
    },
    get idle() {
      return writing === undefined
    },
  }
}

/** An id that was used before is the mistake of whoever creates it; what shared the append with it may be asked again. */
function blamed(turn: Turn, error: FleetError): FleetError {
  const id = error.details['run']
  if (error.code !== 'run_exists' || typeof id !== 'string' || turn.entries.some(({ run }) => run === id)) return error
  return new FleetError(
    'not_stored',
    'The append that this shared with another command was refused, so nothing was changed. Try again.',
    {
      cause: error,
    },
  )
}

/** Entries of the same run in consecutive turns become one batch. */
function batchesOf(turns: readonly Turn[], recovery: Recovery): Batch[] {
  const byRun = new Map<string, Entry[]>()
  for (const turn of turns) {
    for (const { run, entry } of turn.entries) {
      const entries = byRun.get(run)
      if (entries === undefined) byRun.set(run, [entry])
      else entries.push(entry)
    }
  }
  return [...byRun].map(([run, entries]) => ({
    run,
    after: (entries[0]?.seq ?? 1) - 1,
    // An entry is plain JSON by construction.
    entries: entries as unknown as StoredEntry[],
    ...(entries.some((entry) => entry.run !== undefined) && { row: recovery.rowOf(run) }),
  }))
}

function asStoreError(error: unknown): FleetError {
  if (FleetError.is(error)) return error
  return new FleetError('not_stored', `The store refused an append: ${String(error)}`, { cause: error })
}
