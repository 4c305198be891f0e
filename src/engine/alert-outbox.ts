import type { Alert, AlertOutcome } from '../ports/alert-sink.ts'
import type { FleetAlertChannel } from '../protocol/alert.ts'
import type { AlertRecord } from './alert-record.ts'
import { alertDelivered, alertFailed, heldLongEnough } from './alerting.ts'
import type { Core } from './core.ts'
import { nothing } from './entry.ts'
import type { Entry } from './entry.ts'
import { createSendingLanes } from './sending-lanes.ts'
import type { RunState, TaskState } from './state.ts'

/** Delivers what the durable state owes, and waits for what it holds back (AL2, CO5). */
export interface AlertOutbox {
  /** An entry is durable: what it says became of a delivery is settled. */
  follow(run: RunState, entry: Entry): void
  /** Delivers, or waits for, what an entry that is durable left unsettled. */
  perform(run: RunState, entry: Entry): void
  /** The same for all tasks of a run that was read from the store: what is not known to be delivered is delivered again. */
  recover(run: RunState): void
  /** Gives what is due at most so long, ends the rest, which the next fleet delivers. Takes nothing more. */
  close(options: { readonly graceMs: number; readonly hurry: AbortSignal }): Promise<void>
}

/** Deliveries at once through one channel. What one receiver holds up is its own. */
const lanesWidth = 4

export function createAlertOutbox(core: Core): AlertOutbox {
  const lanes = createSendingLanes(lanesWidth)
  /** Alerts that are being delivered, or whose delivery is not recorded yet, as they were when it began. */
  const busy = new Map<string, AlertRecord>()
  const waits = new Map<string, () => void>()
  const ended = new AbortController()
  let closing = false

  function consider(run: RunState, task: TaskState, alerts: readonly AlertRecord[]): void {
    if (ended.signal.aborted) return
    for (const alert of alerts) {
      const key = keyOf(run, alert)
      waits.get(key)?.()
      waits.delete(key)
      if (alert.status === 'held' && alert.notBefore !== null) wait(key, alert, () => letGo(run, task, alert))
      if (alert.status === 'owed' && !busy.has(key)) wait(key, alert, () => begin(key, run, task, alert))
    }
  }

  /** However far the wall clock jumped, the wait is no longer than it was meant to be (LE5). */
  function wait(key: string, { notBefore, notBeforeMs }: AlertRecord, act: () => void): void {
    const ms = notBefore === null ? 0 : Math.min(notBefore - core.clock.now(), notBeforeMs ?? 0)
    if (ms <= 0) act()
    else if (!closing) {
      const disarm = core.deadlines.after(ms, () => {
        waits.delete(key)
        act()
      })
      waits.set(key, disarm)
    }
  }

  function letGo(run: RunState, task: TaskState, { id, notBefore }: AlertRecord): void {
    core.turns.report((context) => {
      const found = find(run.header.id, task.id, id)
      const isStill = found?.alert.status === 'held' && found.alert.notBefore === notBefore
      return isStill ? heldLongEnough(context, found.run, found.task, found.alert) : nothing()
    })
  }

  function begin(key: string, run: RunState, task: TaskState, alert: AlertRecord): void {
    const channel = task.policy?.channels[alert.channel]
    if (channel === undefined) return
    busy.set(key, alert)
    // Another delivery of it may have begun, where this one was stored and is reported, or waits, once more (ST1).
    const letGo = (): void => {
      if (busy.get(key) === alert) busy.delete(key)
    }
    lanes.run(JSON.stringify(channel), async () => {
      const found = ended.signal.aborted ? undefined : stillOwed(run, task, alert)
      if (found === undefined) return letGo()
      const outcome = await deliver(alertOf(found), channel)
      if (outcome === undefined) return
      core.turns.report((context) => {
        const now = stillOwed(run, task, alert)
        if (now === undefined) {
          letGo()
          return nothing()
        }
        if (outcome.delivered) return alertDelivered(context, now.run, now.task, now.alert)
        return alertFailed(context, now.run, now.task, now.alert, outcome)
      })
    })
  }

  /** Undefined when the fleet closed over it: nobody knows whether it arrived, so it is delivered again. */
  async function deliver(alert: Alert, channel: FleetAlertChannel): Promise<AlertOutcome | undefined> {
    const { signal } = ended
    // The table pairs each kind with the sink of its own channels.
    const sink = core.alertSinks[channel.kind] as { deliver(...of: unknown[]): Promise<AlertOutcome> }
    let giveUp = (): void => undefined
    const over = new Promise<undefined>((resolve) => (giveUp = () => resolve(undefined)))
    signal.addEventListener('abort', giveUp)
    try {
      return await Promise.race([sink.deliver(alert, channel, { signal }), over])
    } catch (error) {
      return { delivered: false, reason: error instanceof Error ? error.message : String(error) }
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  /** The alert as it is now, if this of it is owed still. */
  function stillOwed(run: RunState, task: TaskState, { id, action }: AlertRecord): Found | undefined {
    const found = find(run.header.id, task.id, id)
    return found?.alert.status === 'owed' && found.alert.action === action ? found : undefined
  }

  function find(runId: string, taskId: string, id: string): Found | undefined {
    const run = core.state.runs.get(runId)
    const task = run?.tasks.get(taskId)
    const alert = task?.alerts.find((one) => one.id === id)
    return run === undefined || task === undefined || alert === undefined ? undefined : { run, task, alert }
  }

  return {
    follow(run, entry) {
      // What was ordered by an entry that was read back is on its way by now (ST1).
      if (entry.kind !== 'alert.ordered') for (const { id } of entry.alerts ?? []) busy.delete(keyOf(run, { id }))
    },
    perform(run, { task: id = '', alerts = [] }) {
      const task = run.tasks.get(id)
      // What a later entry left is performed when that is durable (CO1).
      const named = new Set(alerts.map((change) => change.id))
      if (task !== undefined)
        consider(
          run,
          task,
          task.alerts.filter((alert) => named.has(alert.id)),
        )
    },
    recover(run) {
      if (run.unsettled === 0) return
      for (const task of run.tasks.values()) consider(run, task, task.alerts)
    },
    async close({ graceMs, hurry }) {
      closing = true
      for (const disarm of waits.values()) disarm()
      waits.clear()
      const over = new AbortController()
      const patience = core.clock.sleep(graceMs, { signal: AbortSignal.any([over.signal, hurry]) })
      await Promise.race([lanes.idle(), patience])
      over.abort()
      ended.abort()
      await lanes.idle()
    },
  }
}

interface Found {
  readonly run: RunState
  readonly task: TaskState
  readonly alert: AlertRecord
}

function keyOf(run: RunState, { id }: Pick<AlertRecord, 'id'>): string {
  return `${run.header.id}/${id}`
}

function alertOf({ run, task, alert }: Found): Alert {
  const isTrigger = alert.action === 'trigger'
  return {
    id: isTrigger ? alert.id : `${alert.id}_resolve`,
    action: alert.action,
    class: alert.class,
    incident: `${run.header.short}/${task.id}/${alert.class}`,
    run: { id: run.header.id, name: run.header.name },
    task: { id: task.id, name: task.spec.name },
    attempt: alert.attempt,
    ...(alert.worker !== null && { worker: alert.worker }),
    ...(alert.reason !== null && { reason: alert.reason }),
    raisedAt: alert.raisedAt,
  }
}
