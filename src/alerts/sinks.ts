import type { AlertSinks } from '../ports/alert-sink.ts'
import type { EndpointParts } from './endpoint.ts'
import { pagerDutySink } from './pager-duty.ts'
import { slackSink } from './slack.ts'
import { webhookSink } from './webhook.ts'

/** A sink for every kind of channel of the contract. */
export function createAlertSinks(parts: EndpointParts & { readonly pagerDutyUrl?: string | undefined }): AlertSinks {
  return {
    slack: slackSink(parts),
    webhook: webhookSink(parts),
    pager_duty: pagerDutySink({ ...parts, url: parts.pagerDutyUrl }),
  }
}
