import type { FleetEvent, Run, TaskView } from '../index.ts'
import { isTerminalRunStatus } from '../protocol/index.ts'
import type { FleetRunStatus } from '../protocol/index.ts'
import type { Board, BoardTask } from './board.ts'
import type { Display } from './display.ts'
import { momentOf } from './event-line.ts'

/** A run to watch, as it stood after an event: `after`, or none when it is new. */
export interface WatchedRun {
  readonly run: Run
  readonly status: FleetRunStatus
  readonly views: readonly TaskView[]
  readonly after?: string
}

/** What to do about verdicts that a person must give. */
export interface Judge {
  /** Hears of a task that awaits one. */
  offer(task: BoardTask): void
  /** Hears that a task awaits none any more. */
  withdraw(task: BoardTask): void
  /** Whether a run that waits for nothing but these tasks is waited for. */
  waitsFor(tasks: readonly BoardTask[]): boolean
  /** Calls back when an answer was put off. */
  onLater(listener: () => void): void
}

interface WatchParts {
  readonly board: Board
  readonly display: Display
  readonly judge: Judge
  readonly signal: AbortSignal
}

/** Shows what happens in a run until it has ended, or nothing but verdicts is left that nobody here waits for, or `signal` aborts. */
export async function watchRun(
  { run, after, status: statusBefore }: WatchedRun,
  { board, display, judge, signal }: WatchParts,
): Promise<void> {
  const over = new AbortController()
  const stop = AbortSignal.any([signal, over.signal])
  let status = statusBefore
  let shown = after
  let last: string | undefined

  /** Once it is over, what is stored already is still shown. */
  async function endWhenOver(): Promise<void> {
    if (!(await isOver(run, status, { board, judge }))) return
    last = (await run.replay({ limit: 1 })).next_cursor
    if (shown === last) over.abort()
  }

  judge.onLater(() => void endWhenOver())
  for (const task of board.awaiting()) if (task.run === run.id) judge.offer(task)
  try {
    await endWhenOver()
    for await (const event of run.events({ follow: true, ...(after !== undefined && { after }), signal: stop })) {
      const task = board.take(event)
      shown = event.cursor
      if (event.event === 'run.status_changed') {
        status = event.payload.status
        display.mood(status === 'paused' ? 'paused' : '')
      }
      display.event(event, momentOf(event, task, await retryOf(run, event, task, board)))
      if (task !== undefined && isVerdictNews(event)) judge[task.awaitsVerdict ? 'offer' : 'withdraw'](task)
      if (mayEnd(event) || shown === last) await endWhenOver()
    }
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

/** The moment of the next attempt, when a receipt tells of one that failed and is tried again. */
async function retryOf(run: Run, event: FleetEvent, task: BoardTask | undefined, board: Board): Promise<number | undefined> {
  if (event.event !== 'task.receipt_recorded' || task === undefined) return undefined
  const { result, receipt } = event.payload
  if ((result !== 'fail' && result !== 'timeout') || receipt.settled !== undefined) return undefined
  const view = await run.task(task.id)
  const isSame = view.attempt === (receipt.attempt ?? 0)
  if (view.status !== 'backoff' || !isSame || view.not_before === undefined)
    return isSame ? undefined : Date.parse(event.timestamp)
  board.backOff(task, Date.parse(view.not_before))
  return task.notBefore
}

function isVerdictNews({ event }: FleetEvent): boolean {
  return event === 'task.receipt_recorded' || event === 'task.leased'
}

function mayEnd(event: FleetEvent): boolean {
  if (event.event === 'run.status_changed' || event.event === 'task.terminal') return true
  return event.event === 'task.receipt_recorded' && event.payload.receipt.settled !== undefined
}

/** Whether there is nothing more to wait for, as far as it was shown. */
async function isOver(run: Run, status: FleetRunStatus, { board, judge }: Pick<WatchParts, 'board' | 'judge'>): Promise<boolean> {
  const open = board.openOf(run.id)
  const awaiting = board.awaiting().filter((task) => task.run === run.id)
  if (isTerminalRunStatus(status)) {
    return open === 0 && (status !== 'completed' || awaiting.length === 0 || !judge.waitsFor(awaiting))
  }
  if (status === 'paused' || (open > 0 && awaiting.length === 0) || (awaiting.length > 0 && judge.waitsFor(awaiting)))
    return false
  // Only what waits for those verdicts is left; or nothing, in a run that was left open for more tasks.
  const left = (await run.tasks()).filter((task) => !isEnded(task))
  return left.length === open && left.every((task) => task.status === 'blocked') && (await run.summary()).status === status
}

function isEnded({ status }: TaskView): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}
