import type { FleetAlertChannel, FleetAlertEventClass } from '../protocol/alert.ts'

/** One alert on its way through one channel (AL2). Texts were written by tasks and their workers: they are data, not markup. */
export interface Alert {
  /** The same at every delivery of it, so that a receiver can tell a repetition. At most 64 characters of `[A-Za-z0-9_]`. */
  readonly id: string
  /** `resolve` says that the cause of an earlier `trigger` has ended; only sinks that resolve get it. */
  readonly action: 'trigger' | 'resolve'
  readonly class: FleetAlertEventClass
  /** The same for all alerts of one class of one task of one run. At most 200 characters of `[A-Za-z0-9._/-]`. */
  readonly incident: string
  readonly run: { readonly id: string; readonly name: string }
  /** Of `run_completed`: the first task whose policy asks for it. */
  readonly task: { readonly id: string; readonly name: string }
  readonly attempt: number
  /** Who had the attempt, where a worker had it. */
  readonly worker?: string
  /** Why, in a line of at most 240 characters, where there is more to say than the class. */
  readonly reason?: string
  /** When it was raised; epoch milliseconds. */
  readonly raisedAt: number
}

/** What became of one delivery. Without `final` it is tried again, after `retryAfterMs` at the earliest where the receiver asked for that. */
export type AlertOutcome =
  | { readonly delivered: true }
  | { readonly delivered: false; readonly reason: string; readonly final?: boolean; readonly retryAfterMs?: number }

/** What would be sent, with everything secret covered (AL5). */
export interface AlertPreview {
  readonly method: 'POST'
  /** The address, or the name of the secret that holds it. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Delivers alerts through channels of one kind. Give your own as `createFleet({ alerts: { sinks: { slack: mySink } } })`. */
export interface AlertSink<Channel extends FleetAlertChannel = FleetAlertChannel> {
  /** Whether it wants to be told when the cause of a delivered alert has ended. */
  readonly resolves: boolean
  /** Delivers it once, or says why not. Reasons hold no secret: they are recorded. What it throws counts as a failed delivery. */
  deliver(alert: Alert, channel: Channel, options: { readonly signal: AbortSignal }): Promise<AlertOutcome>
  /** What `deliver` would send. Resolves no secret, and sends nothing. */
  preview(alert: Alert, channel: Channel): AlertPreview
}

/** One sink per kind of channel: a new kind is a compile error until it has its row. */
export type AlertSinks = {
  readonly [Kind in FleetAlertChannel['kind']]: AlertSink<Extract<FleetAlertChannel, { kind: Kind }>>
}
