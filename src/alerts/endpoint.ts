import type { Alert, AlertOutcome, AlertPreview, AlertSink } from '../ports/alert-sink.ts'
import type { Clock } from '../ports/clock.ts'
import type { FleetAlertChannel, FleetAlertEndpoint } from '../protocol/alert.ts'
import { formatSecretRef } from '../protocol/security.ts'
import type { HttpSender } from './http-sender.ts'
import type { ResolveSecret } from './resolve-secret.ts'
import { signedHeaders } from './signature.ts'

/** What sinks that post to an endpoint are made of. */
export interface EndpointParts {
  readonly send: HttpSender
  readonly secret: ResolveSecret
  readonly clock: Pick<Clock, 'now'>
}

const json = { 'content-type': 'application/json', 'user-agent': 'flotilla' } as const

/** Posts to an endpoint what `bodyOf` makes of an alert. It hears of no ends: there is nothing to be resolved. */
export function endpointSink<Channel extends FleetAlertChannel & FleetAlertEndpoint>(
  { send, secret, clock }: EndpointParts,
  bodyOf: (alert: Alert) => unknown,
): AlertSink<Channel> {
  async function deliver(alert: Alert, channel: Channel, options: { readonly signal: AbortSignal }): Promise<AlertOutcome> {
    const { url_ref, secret_ref } = channel
    // The reference wins over an address beside it.
    const url = url_ref === undefined ? channel.url : await secret(url_ref, alert.run.id)
    if (url === undefined) return missing(url_ref === undefined ? 'an address' : formatSecretRef(url_ref))
    const secrets = secret_ref === undefined ? undefined : await secret(secret_ref, alert.run.id)
    if (secret_ref !== undefined && (secrets ?? '').trim() === '') return missing(formatSecretRef(secret_ref))
    const body = JSON.stringify(bodyOf(alert))
    const signed = signedHeaders({ id: alert.id, body, now: clock.now() }, secrets)
    return send({ url: url.trim(), headers: { ...json, ...signed }, body }, options)
  }

  function preview(alert: Alert, { url_ref, url, secret_ref }: Channel): AlertPreview {
    return {
      method: 'POST',
      url: url_ref === undefined ? coveredUrl(url ?? '') : formatSecretRef(url_ref),
      headers: {
        ...json,
        'webhook-id': alert.id,
        'webhook-timestamp': '<seconds>',
        ...(secret_ref !== undefined && { 'webhook-signature': `v1,<signed with ${formatSecretRef(secret_ref)}>` }),
      },
      body: bodyOf(alert),
    }
  }

  return { resolves: false, deliver, preview }
}

/** Of an address only its origin is shown: what follows may be what lets one post there. */
function coveredUrl(text: string): string {
  return URL.canParse(text) && new URL(text).origin !== 'null' ? `${new URL(text).origin}/<redacted>` : '<redacted>'
}

export function missing(what: string): AlertOutcome {
  return { delivered: false, reason: `there is no value for ${what}` }
}
