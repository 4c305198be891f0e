import type { FleetEvent, FleetReceipt, TaskView } from '../index.ts'
import { widthOf } from './text-width.ts'

/** What a task is at, as the display shows it. `waiting` covers dependencies and the queue. */
export type BoardState = 'waiting' | 'running' | 'backoff' | 'done' | 'failed' | 'cancelled'

/** A task on the board. */
export interface BoardTask {
  readonly run: string
  readonly id: string
  /** What it is called on the screen. */
  readonly label: string
  state: BoardState
  attempt: number
  worker: string | undefined
  /** Epoch milliseconds. */
  startedAt: number
  /** When the next attempt may start, epoch milliseconds. */
  notBefore: number
  /** What it does at the moment: a tool, a model, its last line of output. */
  doing: string
  receipt: FleetReceipt | undefined
  awaitsVerdict: boolean
  summary: string
}

/** What is known of the runs that are watched. */
export interface Board {
  readonly tasks: ReadonlyMap<string, BoardTask>
  readonly counts: Readonly<Record<BoardState, number>>
  /** Tasks that run, oldest first. */
  running(): BoardTask[]
  /** Tasks that wait for their next attempt. */
  backingOff(): BoardTask[]
  awaiting(): BoardTask[]
  /** Columns of the widest label. */
  readonly idWidth: number
  /** Time that the attempts that ended have taken. */
  readonly spentMs: number
  /** Tasks of a run that have not ended. */
  openOf(run: string): number
  /** Adds a run's tasks; `prefix` tells them from those of other runs. */
  add(run: string, views: readonly TaskView[], prefix: string): void
  take(event: FleetEvent): BoardTask | undefined
  /** The task failed, and is tried again after a moment. */
  backOff(task: BoardTask, notBefore: number): void
}

const stateOf: Readonly<Record<TaskView['status'], BoardState>> = {
  blocked: 'waiting',
  enqueued: 'waiting',
  backoff: 'backoff',
  starting: 'running',
  running: 'running',
  verifying: 'running',
  completed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
}

const endOf = { completed: 'done', failed: 'failed', cancelled: 'cancelled' } as const

/** An empty board. `isManual` tells the tasks whose verdict a person gives. */
export function createBoard(isManual: (run: string, task: string) => boolean): Board {
  const tasks = new Map<string, BoardTask>()
  const active = new Set<BoardTask>()
  const open = new Map<string, number>()
  const counts: Record<BoardState, number> = { waiting: 0, running: 0, backoff: 0, done: 0, failed: 0, cancelled: 0 }
  let spentMs = 0
  let idWidth = 3

  function move(task: BoardTask, state: BoardState): void {
    counts[task.state] -= 1
    counts[state] += 1
    open.set(task.run, (open.get(task.run) ?? 0) - openness(task.state) + openness(state))
    task.state = state
    watch(task)
  }

  /** Only what the display looks at is walked, however many tasks there are. */
  function watch(task: BoardTask): void {
    if (task.state === 'running' || task.state === 'backoff' || task.awaitsVerdict) active.add(task)
    else active.delete(task)
  }

  function lease(task: BoardTask, event: FleetEvent): void {
    task.attempt = event.attempt ?? task.attempt
    task.worker = event.worker_id ?? task.worker
    task.startedAt = Date.parse(event.timestamp)
    task.doing = ''
    task.summary = ''
    task.awaitsVerdict = false
    move(task, 'running')
  }

  function take(event: FleetEvent): BoardTask | undefined {
    const task = event.task_id === undefined ? undefined : tasks.get(keyOf(event.run_id, event.task_id))
    if (task === undefined) return undefined
    if (event.event === 'task.leased') lease(task, event)
    else if (event.event === 'task.enqueued') move(task, 'waiting')
    else if (event.event === 'worker.running_tool') task.doing = event.payload.tool
    else if (event.event === 'worker.model_wait') task.doing = `waits for ${event.payload.model ?? 'its model'}`
    else if (event.event === 'worker.completed') task.summary = event.payload.summary ?? ''
    else if (event.event === 'task.receipt_recorded') {
      const { receipt } = event.payload
      if (receipt.settled === undefined) spentMs += (receipt.spent?.seconds ?? 0) * 1000
      task.receipt = receipt
      task.awaitsVerdict = receipt.result === 'partial' && receipt.settled === undefined && isManual(task.run, task.id)
      watch(task)
    } else if (event.event === 'task.terminal') move(task, endOf[event.payload.status])
    return task
  }

  return {
    tasks,
    counts,
    running: () => [...active].filter((task) => task.state === 'running').sort((a, b) => a.startedAt - b.startedAt),
    backingOff: () => [...active].filter((task) => task.state === 'backoff').sort((a, b) => a.notBefore - b.notBefore),
    awaiting: () => [...active].filter((task) => task.awaitsVerdict),
    get idWidth() {
      return idWidth
    },
    get spentMs() {
      return spentMs
    },
    openOf: (run) => open.get(run) ?? 0,
    add(run, views, prefix) {
      for (const view of views) {
        const task = taskOf(run, view, prefix)
        tasks.set(keyOf(run, view.id), task)
        idWidth = Math.max(idWidth, widthOf(task.label))
        counts[task.state] += 1
        open.set(run, (open.get(run) ?? 0) + openness(task.state))
        watch(task)
      }
    },
    take,
    backOff(task, notBefore) {
      task.notBefore = notBefore
      move(task, 'backoff')
    },
  }
}

function keyOf(run: string, task: string): string {
  return `${run}/${task}`
}

function openness(state: BoardState): number {
  return state === 'done' || state === 'failed' || state === 'cancelled' ? 0 : 1
}

function taskOf(run: string, view: TaskView, prefix: string): BoardTask {
  return {
    run,
    id: view.id,
    label: prefix + view.id,
    state: stateOf[view.status],
    attempt: view.attempt,
    worker: view.worker,
    startedAt: Date.parse(view.leased_at ?? '') || 0,
    notBefore: Date.parse(view.not_before ?? '') || 0,
    doing: '',
    receipt: undefined,
    awaitsVerdict: view.awaits_verdict === true,
    summary: '',
  }
}
