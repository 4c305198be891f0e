import { keptSource, parseSecretText } from '../alerts/secret-text.ts'
import type { FleetAlertChannel } from '../protocol/alert.ts'
import { formatSecretRef } from '../protocol/security.ts'
import type { FleetSecretRef } from '../protocol/security.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import type { Blobs } from '../ports/blobs.ts'

/**
 * Takes addresses and routing keys that stand in alert policies out of the tasks: whoever has one may post to it, so none enters an
 * entry. Each is kept as bytes of its run, and the policy names it by the bytes' sha256 (SE5). Tasks without one stay as they are.
 */
export async function keepAddresses(
  blobs: Blobs,
  run: string,
  tasks: readonly FleetTaskSpec[],
): Promise<readonly FleetTaskSpec[]> {
  if (!tasks.some(({ alert_policy }) => alert_policy?.channels.some(holdsValue))) return tasks
  const kept = new Map<string, FleetSecretRef>()
  async function keep(value: string): Promise<FleetSecretRef> {
    const before = kept.get(value)
    if (before !== undefined) return before
    const { sha256 } = await blobs.put(run, new TextEncoder().encode(value))
    const ref = { key: sha256, source: keptSource }
    kept.set(value, ref)
    return ref
  }
  const done: FleetTaskSpec[] = []
  for (const task of tasks) {
    const { alert_policy } = task
    if (alert_policy === undefined || !alert_policy.channels.some(holdsValue)) done.push(task)
    else {
      const channels: FleetAlertChannel[] = []
      for (const channel of alert_policy.channels) channels.push(await namedOnly(channel, keep))
      done.push({ ...task, alert_policy: { ...alert_policy, channels } })
    }
  }
  return done
}

/** What `keepAddresses` kept. */
export async function openKept(blobs: Blobs, run: string, { key }: FleetSecretRef): Promise<string | undefined> {
  const bytes = await blobs.open(run, key)
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
}

/** The sha256 of what a task's policy names and the fleet keeps. */
export function keptAddressesOf({ alert_policy }: Pick<FleetTaskSpec, 'alert_policy'>): readonly string[] {
  return (alert_policy?.channels ?? []).flatMap((channel) => {
    const ref = channel.kind === 'pager_duty' ? parseSecretText(channel.routing_key) : channel.url_ref
    return ref?.source === keptSource ? [ref.key] : []
  })
}

function holdsValue(channel: FleetAlertChannel): boolean {
  return channel.kind === 'pager_duty' ? parseSecretText(channel.routing_key) === undefined : channel.url !== undefined
}

async function namedOnly(
  channel: FleetAlertChannel,
  keep: (value: string) => Promise<FleetSecretRef>,
): Promise<FleetAlertChannel> {
  if (!holdsValue(channel)) return channel
  if (channel.kind === 'pager_duty') return { ...channel, routing_key: formatSecretRef(await keep(channel.routing_key)) }
  const { url, ...rest } = channel
  // The reference wins over an address beside it, which is then of no use.
  return url === undefined || rest.url_ref !== undefined ? rest : { ...rest, url_ref: await keep(url) }
}
