import type { FleetAlertEventClass } from '../protocol/alert.ts'

/** Where an alert stands: held back by a threshold, owed to its channel, delivered, or given up after its last try. */
export type AlertStatus = 'held' | 'owed' | 'sent' | 'given_up'

/** One alert of a task through one channel of its policy: durable until its cause has ended and nothing of it is owed (AL2). */
export interface AlertRecord {
  readonly id: string
  readonly class: FleetAlertEventClass
  readonly attempt: number
  /** Place of the channel in the task's policy. */
  readonly channel: number
  readonly status: AlertStatus
  /** What is owed, or was sent last. */
  readonly action: 'trigger' | 'resolve'
  readonly worker: string | null
  readonly reason: string | null
  readonly raisedAt: number
  /** Deliveries of this action that failed. */
  readonly tries: number
  /** Why the last one failed. */
  readonly error: string | null
  /** When it may go at the earliest, and how long that was from when it was said (LE5, RE2). */
  readonly notBefore: number | null
  readonly notBeforeMs: number | null
}

/** A changed alert, by its id: the fields that change, or null when nothing of it is left to keep. */
export interface AlertChange {
  readonly id: string
  readonly set: Partial<AlertRecord> | null
}

/** The alerts after some of them changed. */
export function changedAlerts(alerts: readonly AlertRecord[], changes: readonly AlertChange[]): readonly AlertRecord[] {
  return changes.reduce((now, { id, set }) => {
    const at = now.findIndex((alert) => alert.id === id)
    if (set === null) return now.filter((alert) => alert.id !== id)
    // A record that is new comes whole.
    return at < 0 ? [...now, set as AlertRecord] : now.map((alert, index) => (index === at ? { ...alert, ...set } : alert))
  }, alerts)
}

/** How many of them wait for a delivery or a moment; what is held back without one waits for what may never come. */
export function unsettledAlerts(alerts: readonly AlertRecord[]): number {
  return alerts.reduce((count, { status, notBefore }) => {
    const isHeldUntil = status === 'held' && notBefore !== null
    return count + (status === 'owed' || isHeldUntil ? 1 : 0)
  }, 0)
}
