import type { AlertSink } from '../ports/alert-sink.ts'
import type { FleetAlertChannel } from '../protocol/alert.ts'
import { endpointSink } from './endpoint.ts'
import type { EndpointParts } from './endpoint.ts'
import { bodyOf } from './wording.ts'

/** Posts alerts as JSON to a URL, signed as Standard Webhooks are (AL3). */
export function webhookSink(parts: EndpointParts): AlertSink<Extract<FleetAlertChannel, { kind: 'webhook' }>> {
  return endpointSink(parts, bodyOf)
}
