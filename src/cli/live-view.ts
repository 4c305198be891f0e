import type { Board, BoardTask } from './board.ts'
import { formatDuration } from './duration.ts'
import type { Paint } from './paint.ts'
import { cut, fit, oneLine, widthOf } from './text-width.ts'

/** What the live part of the screen shows besides the board. */
export interface LiveFacts {
  readonly now: number
  readonly startedAt: number
  readonly columns: number
  readonly rows: number
  readonly paint: Paint
  /** A word on what the whole is at: `paused`, `stopping`. */
  readonly mood: string
  /** The task whose verdict is asked for. */
  readonly question: BoardTask | undefined
  /** What somebody may read before giving it. */
  readonly hint: string
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const spinnerMs = 120

/** The live part of the screen: a lane per task that runs or waits for its next attempt, a bar, and a question. No line is too wide. */
export function renderLive(board: Board, facts: LiveFacts): string {
  const { columns, rows } = facts
  const width = Math.max(20, columns - 1)
  const question = facts.question === undefined ? [] : questionLines(facts.question, facts, width)
  const room = Math.max(1, rows - question.length - 5)
  return ['', ...laneLines(board, facts, { width, room }), barLine(board, facts, width), ...question].join('\n')
}

function laneLines(board: Board, facts: LiveFacts, { width, room }: { readonly width: number; readonly room: number }): string[] {
  const lanes = [...board.running(), ...board.backingOff()]
  const shown = lanes.length > room ? lanes.slice(0, room - 1) : lanes
  const widths = {
    worker: width < narrow ? 0 : widest(shown, (task) => task.worker ?? '', Math.floor(width / 6)),
    task: widest(shown, (task) => task.label, Math.max(8, Math.floor(width / 3))),
  }
  const lines = shown.map((task) => laneLine(task, facts, { ...widths, width }))
  if (shown.length < lanes.length) lines.push(facts.paint.dim(`    and ${lanes.length - shown.length} more`))
  return lines
}

function laneLine(
  task: BoardTask,
  facts: LiveFacts,
  widths: { readonly worker: number; readonly task: number; readonly width: number },
): string {
  const { paint, now } = facts
  const isRunning = task.state === 'running'
  const mark = isRunning ? paint.cyan(spinner[Math.floor(now / spinnerMs) % spinner.length]!) : paint.yellow('↻')
  const worker = fit(isRunning ? (task.worker ?? '') : '', widths.worker)
  const attempt = task.attempt > 1 || !isRunning ? `#${task.attempt}` : ''
  const time = isRunning ? formatDuration(now - task.startedAt) : `in ${formatDuration(task.notBefore - now)}`
  const told = isRunning ? task.doing : `failed${task.receipt?.evidence === undefined ? '' : `: ${task.receipt.evidence}`}`
  const aside = worker === '' ? '' : `${worker}  `
  const room = widths.width - 4 - widths.task - 1 - 3 - 1 - 8 - 2 - widthOf(aside)
  const start = `  ${mark} ${fit(task.label, widths.task)} ${paint.dim(fit(attempt, 3))} ${fit(time, 8, 'right')}`
  return `${start}  ${paint.dim(aside + cut(oneLine(told), room))}`.trimEnd()
}

const barWidth = 24
/** Below this many columns there is no room for the worker. */
const narrow = 64

function barLine(board: Board, facts: LiveFacts, width: number): string {
  const { paint, now, startedAt } = facts
  const { done, failed, cancelled, running, waiting, backoff } = board.counts
  const total = board.tasks.size
  const ended = done + failed + cancelled
  const told: [text: string, tone: keyof Paint][] = [
    [`${ended}/${total}`, 'bold'],
    [`${formatDuration(now - startedAt)} elapsed`, 'dim'],
  ]
  if (failed > 0) told.push([`${failed} failed`, 'red'])
  if (cancelled > 0) told.push([`${cancelled} cancelled`, 'yellow'])
  if (running > 0) told.push([`${running} running`, 'cyan'])
  if (backoff > 0) told.push([`${backoff} to retry`, 'yellow'])
  if (waiting > 0) told.push([`${waiting} waiting`, 'dim'])
  const worked = board.spentMs + board.running().reduce((sum, task) => sum + Math.max(0, now - task.startedAt), 0)
  if (facts.mood !== '') told.push([facts.mood, 'yellow'])
  told.push([`${formatDuration(worked)} worked`, 'dim'])
  const cells = Math.min(barWidth, Math.max(6, Math.floor(width / 4)))
  let room = width - 2 - cells
  let line = `  ${bar({ done, failed: failed + cancelled, total, cells, paint })}`
  for (const [text, tone] of told) {
    room -= 2 + widthOf(text)
    if (room < 0) break
    line += `  ${paint[tone](text)}`
  }
  return line
}

function bar(part: {
  readonly done: number
  readonly failed: number
  readonly total: number
  readonly cells: number
  readonly paint: Paint
}): string {
  const { done, failed, total, cells, paint } = part
  const cellsOf = (count: number): number => (total === 0 ? 0 : Math.floor((count / total) * cells))
  // A failure shows however small its share is.
  const red = failed === 0 ? 0 : Math.max(1, cellsOf(failed))
  const green = Math.min(cells - red, cellsOf(done))
  return paint.green('━'.repeat(green)) + paint.red('━'.repeat(red)) + paint.dim('─'.repeat(cells - green - red))
}

function questionLines(task: BoardTask, { paint, hint }: LiveFacts, width: number): string[] {
  const said = task.summary === '' ? [] : [paint.dim(cut(`    it says: ${oneLine(task.summary)}`, width))]
  return [
    '',
    `  ${paint.yellow('?')} ${paint.bold(cut(`${task.label} awaits your verdict`, width - 4))}`,
    ...said,
    paint.dim(cut(`    ${hint}`, width)),
    cut('    (p)ass  (f)ail  (l)ater', width),
  ]
}

function widest(tasks: readonly BoardTask[], text: (task: BoardTask) => string, most: number): number {
  return Math.min(most, Math.max(0, ...tasks.map((task) => widthOf(text(task)))))
}
