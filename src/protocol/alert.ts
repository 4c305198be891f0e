import { z } from 'zod'
import { aliased, alsoRead } from './alias.ts'
import { contract, type ValueOf } from './codec.ts'
import { filled, list, object, optional, u32, u64 } from './field.ts'
import { FleetSecretRef } from './security.ts'

/** Everything that can be worth an alert, by the names of the wire. */
export const alertEventClasses = [
  'stale',
  'restart_exhausted',
  'needs_human',
  'budget_exceeded',
  'verifier_failed',
  'run_completed',
] as const

/** What can be worth an alert (AL1). */
export const FleetAlertEventClass = contract('FleetAlertEventClass', () => z.enum(alertEventClasses))
export type FleetAlertEventClass = ValueOf<typeof FleetAlertEventClass>

const endpointShape = () => ({
  url: optional(filled()),
  /** Wins over `url`. */
  url_ref: optional(FleetSecretRef.schema),
  secret_ref: optional(FleetSecretRef.schema),
})

const endpointAliases = {
  webhook_url: 'url',
  endpoint_url: 'url',
  webhook_url_ref: 'url_ref',
  webhook_ref: 'url_ref',
  url_secret_ref: 'url_ref',
  secret: 'secret_ref',
  webhook_secret: 'secret_ref',
  signing_secret: 'secret_ref',
}

/** Where an alert is posted to, and the secret that signs it. Printed only redacted (AL3, SE5). */
export const FleetAlertEndpoint = contract('FleetAlertEndpoint', () => aliased(object(endpointShape()), endpointAliases))
export type FleetAlertEndpoint = ValueOf<typeof FleetAlertEndpoint>

const channel = () =>
  z.discriminatedUnion('kind', [
    object({ kind: z.literal('slack'), ...endpointShape() }),
    object({ kind: z.literal('webhook'), ...endpointShape() }),
    object({ kind: z.literal('pager_duty'), routing_key: filled(), severity: filled() }),
  ])

/** A way to alert somebody: `kind` tells which, a channel of Slack or a webhook holds its endpoint's fields (AL3). */
export const FleetAlertChannel = contract('FleetAlertChannel', () =>
  alsoRead(
    aliased(channel(), endpointAliases, ({ kind }) => kind !== 'pager_duty'),
    { pagerduty: 'pager_duty' },
    'kind',
  ),
)
export type FleetAlertChannel = ValueOf<typeof FleetAlertChannel>

/** When to alert whom (AL1). No classes means all. */
export const FleetAlertPolicy = contract('FleetAlertPolicy', () =>
  object({
    events: list(FleetAlertEventClass.schema),
    channels: list(FleetAlertChannel.schema),
    /** Holds back until so many attempts have failed. */
    after_attempts: optional(u32()),
    /** Holds back until a task has been stale for so many minutes. */
    after_minutes_stale: optional(u64()),
  }),
)
export type FleetAlertPolicy = ValueOf<typeof FleetAlertPolicy>
