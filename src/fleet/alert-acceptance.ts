import { keptSource, parseSecretText } from '../alerts/secret-text.ts'
import { pagerDutySeverities } from '../alerts/pager-duty.ts'
import type { FleetAlertChannel, FleetAlertPolicy } from '../protocol/alert.ts'
import type { FleetSecretRef } from '../protocol/security.ts'

/** What of an alert policy could never be delivered, each with its path below the policy. */
export function alertProblems(policy: FleetAlertPolicy): readonly { readonly path: string; readonly reason: string }[] {
  return policy.channels.flatMap((channel, index) =>
    Object.entries(problemsOf(channel)).flatMap(([field, reason]) =>
      reason === undefined ? [] : [{ path: `channels[${index}].${field}`, reason }],
    ),
  )
}

function problemsOf(channel: FleetAlertChannel): Readonly<Record<string, string | undefined>> {
  if (channel.kind === 'pager_duty') {
    const known = pagerDutySeverities.includes(channel.severity)
    return {
      routing_key: ownSource(parseSecretText(channel.routing_key)),
      severity: known ? undefined : `PagerDuty knows the severities ${pagerDutySeverities.join(', ')}`,
    }
  }
  const { url, url_ref, secret_ref } = channel
  return {
    url: url_ref === undefined ? urlProblem(url) : undefined,
    url_ref: ownSource(url_ref),
    secret_ref: ownSource(secret_ref),
  }
}

function ownSource(ref: FleetSecretRef | undefined): string | undefined {
  return ref?.source === keptSource ? `the source ${keptSource} is the fleet's own; name another, or none` : undefined
}

/** The address itself is not told: it may be a secret. */
function urlProblem(text: string | undefined): string | undefined {
  if (text === undefined) return 'there is no address to post to; name its secret in url_ref'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return 'this is no URL'
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname))) return undefined
  return 'alerts are sent over https only'
}

function isThisMachine(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(host)
}
