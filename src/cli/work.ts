import { stat } from 'node:fs/promises'
import { createFleet, FleetError, jsonStore, openControl } from '../index.ts'
import type { Fleet, ProfileOptions, Run, SecretSource, Verifier, WorkerOptions } from '../index.ts'
import { createBoard } from './board.ts'
import type { Board } from './board.ts'
import { createDisplay } from './display.ts'
import type { Display } from './display.ts'
import { absentJudge, presentJudge } from './judge.ts'
import { readOutcome } from './outcome.ts'
import type { RunOutcome } from './outcome.ts'
import { stopOnSignals } from './stopping.ts'
import { readTails } from './tails.ts'
import type { EndSignal } from './terminal.ts'
import type { Invocation } from './verb.ts'
import { watchRun } from './watch-runs.ts'
import type { Judge, WatchedRun } from './watch-runs.ts'
import { hint } from './hint.ts'

/** Runs to work on, and what to open for it. */
export interface Work {
  readonly workers: readonly WorkerOptions[]
  readonly secrets: readonly SecretSource[]
  readonly profiles: Required<ProfileOptions>
  readonly verifier: Verifier | undefined
  /** Unfinished runs of the store to take. */
  readonly carryOn: readonly string[]
  /** Gives the runs to wait for, once the fleet is open. */
  begin(fleet: Fleet, say: (text: string) => void): Promise<readonly WatchedRun[]>
}

/** How it came out. */
export interface WorkDone {
  readonly outcomes: readonly RunOutcome[]
  /** The first run, as `begin` gave it. */
  readonly runs: readonly Run[]
  /** The signal that cut it short. */
  readonly stoppedBy: EndSignal | undefined
}

const tailMs = 1_000

/** Opens a fleet, shows how the runs go on until they have ended or the process is asked to end, and closes it. */
export async function work(
  invocation: Invocation,
  { workers, secrets, verifier, profiles, carryOn, begin }: Work,
): Promise<WorkDone> {
  const { options, terminal, output } = invocation
  const fleet = await createFleet({
    store: jsonStore({ folder: options.folder }),
    workers,
    secrets,
    ...profiles,
    ...(verifier !== undefined && { verifier }),
    carryOn: carryOn.length === 0 ? 'none' : carryOn,
    workspace: options.workspace,
    takeOver: options.takeOver,
    record: options.record,
    ...(options.maxWorkers !== undefined && { limits: { maxLeases: options.maxWorkers } }),
  })
  const manual = new Set<string>()
  const board = createBoard((run, task) => manual.has(`${run}/${task}`))
  const display = createDisplay({ terminal, output, board })
  const closed = new AbortController()
  const running = (): number => board.counts.running
  const stopping = stopOnSignals({ terminal, fleet, display, graceMs: options.graceMs, running, closed: () => closed.abort() })
  let watched: readonly WatchedRun[] = []
  try {
    for (const warning of fleet.warnings) output.note(warning)
    tellTrouble(fleet, display)
    watched = await begin(fleet, display.say)
    await fill(board, watched, manual, verifier === undefined)
    const judge = judgeOf(invocation, { fleet, display, signal: AbortSignal.any([stopping.signal, closed.signal]) })
    const endTails = terminal.live && !output.json ? keepTails(invocation, board, watched) : undefined
    await Promise.all(watched.map((one) => watchRun(one, { board, display, judge, signal: closed.signal })))
    endTails?.()
  } catch (error) {
    // Whatever a closing store refuses is no news.
    if (stopping.by === undefined) throw error
  } finally {
    closed.abort()
    await fleet.close({ graceMs: options.graceMs })
    display.close()
    stopping.off()
  }
  const runs = watched.map(({ run }) => run)
  return { runs, outcomes: await outcomesOf(options.folder, runs), stoppedBy: stopping.by }
}

/** The workspace must be there before anything is opened. */
export async function checkWorkspace(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
  if (!isFolder) throw new FleetError('usage', `--workspace ${path}: there is no such folder.`, { details: { path } })
}

/** Puts the runs on the board as they stood at the event after which they are watched. `judgesPrompts`: a person does, since no verifier is there. */
async function fill(board: Board, watched: readonly WatchedRun[], manual: Set<string>, judgesPrompts: boolean): Promise<void> {
  for (const { run, views } of watched) {
    const spec = await run.spec()
    for (const { id, scorer } of spec.task_specs)
      if (scorer?.kind === 'manual' || (judgesPrompts && scorer?.kind === 'code_whale_verifier_prompt'))
        manual.add(`${run.id}/${id}`)
    board.add(run.id, views, watched.length > 1 ? `${spec.name}/` : '')
  }
}

function judgeOf(
  invocation: Invocation,
  { fleet, display, signal }: { readonly fleet: Fleet; readonly display: Display; readonly signal: AbortSignal },
): Judge {
  const { options, terminal } = invocation
  if (options.awaitVerdicts || options.json || !terminal.interactive) return absentJudge({ waits: options.awaitVerdicts })
  const hintOf = ({ run, id }: { readonly run: string; readonly id: string }): string =>
    `its log: ${hint(`logs ${run} ${id}`, options)}`
  return presentJudge({ terminal, display, fleet, by: terminal.user(), hintOf, signal })
}

function tellTrouble(fleet: Fleet, display: Display): void {
  fleet.on('store.failing', ({ payload }) =>
    display.say(`The store cannot be written: ${payload.reason.replace(/\.+$/, '')}. Nothing new starts until it can.`),
  )
  fleet.on('store.recovered', () => display.say('The store can be written again.'))
  fleet.on('run.stalled', ({ run_id, payload }) =>
    display.say(`No worker here can take these tasks of ${run_id}: ${payload.waiting.join(', ')}.`),
  )
}

function keepTails({ terminal }: Invocation, board: Board, watched: readonly WatchedRun[]): () => void {
  const readers = new Map(watched.map(({ run }) => [run.id, run]))
  let isReading = false
  return terminal.every(tailMs, () => {
    if (isReading) return
    isReading = true
    void readTails(board, readers).finally(() => (isReading = false))
  })
}

async function outcomesOf(folder: string, runs: readonly Run[]): Promise<RunOutcome[]> {
  const control = openControl(jsonStore({ folder }))
  const outcomes: RunOutcome[] = []
  for (const run of runs) outcomes.push(await readOutcome(control, run.id))
  await control.close()
  return outcomes
}
