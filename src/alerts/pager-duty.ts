import type { Alert, AlertOutcome, AlertPreview, AlertSink } from '../ports/alert-sink.ts'
import type { FleetAlertChannel } from '../protocol/alert.ts'
import { formatSecretRef } from '../protocol/security.ts'
import { missing } from './endpoint.ts'
import type { EndpointParts } from './endpoint.ts'
import { parseSecretText } from './secret-text.ts'
import { bodyOf, sentenceOf } from './wording.ts'

type PagerDutyChannel = Extract<FleetAlertChannel, { kind: 'pager_duty' }>

/** Where Events v2 are taken. */
const eventsUrl = 'https://events.pagerduty.com/v2/enqueue'
const mostOfSummary = 1024

/** The severities that PagerDuty knows. */
export const pagerDutySeverities: readonly string[] = ['critical', 'error', 'warning', 'info']

/**
 * Triggers incidents through PagerDuty's Events v2, one for all alerts of one class of one task, and resolves them when their cause has
 * ended (AL3). `routing_key` names its secret as `<secret:KEY>`.
 */
export function pagerDutySink({
  send,
  secret,
  url = eventsUrl,
}: EndpointParts & { readonly url?: string | undefined }): AlertSink<PagerDutyChannel> {
  async function deliver(
    alert: Alert,
    channel: PagerDutyChannel,
    options: { readonly signal: AbortSignal },
  ): Promise<AlertOutcome> {
    const ref = parseSecretText(channel.routing_key)
    const key = ref === undefined ? channel.routing_key : await secret(ref, alert.run.id)
    if (ref !== undefined && (key ?? '').trim() === '') return missing(formatSecretRef(ref))
    const body = JSON.stringify({ routing_key: key?.trim(), ...eventOf(alert, channel) })
    return send({ url, headers: { 'content-type': 'application/json', 'user-agent': 'flotilla' }, body }, options)
  }

  function preview(alert: Alert, channel: PagerDutyChannel): AlertPreview {
    const ref = parseSecretText(channel.routing_key)
    return {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', 'user-agent': 'flotilla' },
      body: { routing_key: ref === undefined ? '<redacted>' : formatSecretRef(ref), ...eventOf(alert, channel) },
    }
  }

  return { resolves: true, deliver, preview }
}

function eventOf(alert: Alert, { severity }: PagerDutyChannel): Readonly<Record<string, unknown>> {
  const named = { event_action: alert.action, dedup_key: alert.incident }
  if (alert.action === 'resolve') return named
  return {
    ...named,
    payload: {
      summary: sentenceOf(alert).slice(0, mostOfSummary),
      source: `flotilla/${alert.run.id}`,
      severity,
      timestamp: new Date(alert.raisedAt).toISOString(),
      component: alert.task.id,
      group: alert.run.id,
      class: alert.class,
      custom_details: bodyOf(alert)['data'],
    },
  }
}
