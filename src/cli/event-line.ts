import type { FleetEvent, FleetReceipt } from '../index.ts'
import type { BoardTask } from './board.ts'
import { formatClock, formatDuration } from './duration.ts'
import type { Paint } from './paint.ts'
import { cut, fit, oneLine } from './text-width.ts'

/** A notable moment in the life of a task or a run, for a person. */
export interface Moment {
  readonly at: string
  readonly mark: string
  readonly tone: keyof Paint
  /** The task, or empty for the run. */
  readonly subject: string
  readonly what: string
  /** What else there is to say; given up first when there is no room. */
  readonly note: string
}

/** What happened, if a person would want to hear of it. `retryAt` is known of failures that are tried again. */
export function momentOf(event: FleetEvent, task: BoardTask | undefined, retryAt: number | undefined): Moment | undefined {
  const of = (mark: string, tone: keyof Paint, what: string, note = ''): Moment => ({
    at: event.timestamp,
    mark,
    tone,
    subject: task?.label ?? '',
    what,
    note: oneLine(note),
  })
  if (event.event === 'run.status_changed') {
    const { status } = event.payload
    if (status === 'paused') return of('‖', 'yellow', 'paused', 'what runs goes on; nothing new starts')
    return status === 'cancelled' ? of('⊘', 'yellow', 'cancelled') : undefined
  }
  if (task === undefined) return undefined
  if (event.event === 'task.leased')
    return of('▸', 'cyan', 'started', `${task.attempt > 1 ? `attempt ${task.attempt}, ` : ''}on ${task.worker ?? '?'}`)
  if (event.event === 'worker.stale') return of('!', 'yellow', 'stale', 'nothing was heard of it for too long')
  if (event.event === 'worker.interrupted' && task.state === 'running')
    return of('⊘', 'yellow', 'interrupted', `attempt ${task.attempt} was stopped`)
  if (event.event === 'task.terminal') return endMoment(of, task, event.payload)
  if (event.event !== 'task.receipt_recorded') return undefined
  const { receipt } = event.payload
  if (receipt.settled !== undefined) return settledMoment(of, receipt)
  if (retryAt === undefined) return undefined
  const why = reasonOf(receipt)
  return of(
    '↻',
    'yellow',
    'retry',
    `attempt ${receipt.attempt ?? task.attempt} ${failed(receipt)}; again at ${formatClock(retryAt)}${why === '' ? '' : ` — ${why}`}`,
  )
}

/** The moment as a line of at most `width` columns. The subject has its own column, `subjectWidth` wide. */
export function renderMoment(
  moment: Moment,
  { paint, width, subjectWidth }: { paint: Paint; width: number; subjectWidth: number },
): string {
  const { at, mark, tone, subject, what, note } = moment
  const start = width < narrow ? '' : `${formatClock(at)} `
  const room = width - start.length - 2 - subjectWidth - 2 - whatWidth - 1
  const line = `${paint.dim(start)}${paint[tone](mark)} ${fit(oneLine(subject), subjectWidth)}  ${paint[tone](fit(what, whatWidth))} ${paint.dim(cut(note, room))}`
  return line.trimEnd()
}

const whatWidth = 11
/** Below this many columns there is no room for the time of day. */
const narrow = 64

type MakeMoment = (mark: string, tone: keyof Paint, what: string, note?: string) => Moment

function endMoment(
  of: MakeMoment,
  task: BoardTask,
  end: { readonly status: string; readonly cause?: string },
): Moment | undefined {
  const { receipt } = task
  if (receipt?.settled !== undefined) return undefined
  const time = formatDuration((receipt?.spent?.seconds ?? 0) * 1000)
  if (end.status === 'cancelled') return of('⊘', 'yellow', 'cancelled', end.cause === undefined ? '' : `because of ${end.cause}`)
  if (end.status === 'failed')
    return of(
      '✗',
      'red',
      receipt?.result === 'timeout' ? 'timeout' : 'failed',
      `${time}  ${receipt === undefined ? '' : reasonOf(receipt)}`,
    )
  if (receipt?.result !== 'partial') return of('✓', 'green', 'passed', time)
  return task.awaitsVerdict
    ? of('?', 'yellow', 'to judge', `${time}  it awaits a person’s verdict`)
    : of('◐', 'yellow', 'partial', `${time}  ${receipt.evidence ?? ''}`)
}

function settledMoment(of: MakeMoment, receipt: FleetReceipt): Moment {
  const by = `by ${receipt.settled?.by ?? '?'}${receipt.settled?.why === undefined ? '' : `: ${receipt.settled.why}`}`
  return receipt.result === 'pass' ? of('✓', 'green', 'settled', `pass, ${by}`) : of('✗', 'red', 'settled', `fail, ${by}`)
}

function failed({ result, failure_kind }: FleetReceipt): string {
  if (result === 'timeout') return 'timed out'
  return failure_kind === undefined || failure_kind === 'task' ? 'failed' : `failed (${failure_kind})`
}

/** The reason of a receipt, in a line. */
export function reasonOf({ evidence = '' }: FleetReceipt): string {
  return oneLine(evidence)
}
