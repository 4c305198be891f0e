import { createAlertSinks } from '../alerts/sinks.ts'
import { covers } from '../engine/alert-policies.ts'
import { thresholdsOf } from '../engine/alert-rules.ts'
import { systemClock } from '../host/clock.ts'
import type { Alert, AlertPreview, AlertSinks } from '../ports/alert-sink.ts'
import { alertEventClasses } from '../protocol/alert.ts'
import type { FleetAlertChannel, FleetAlertEventClass, FleetAlertPolicy } from '../protocol/alert.ts'
import { FleetRunSpec } from '../protocol/run-spec.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import type { AlertOptions } from './alerts.ts'

/** One alert as it would be sent, with everything secret covered. */
export interface AlertDryRun {
  readonly task_id: string
  readonly class: FleetAlertEventClass
  readonly channel: FleetAlertChannel['kind']
  /** Place of the channel in the task's policy. */
  readonly place: number
  /** What would hold it back (AL1). */
  readonly after_attempts?: number
  readonly after_minutes_stale?: number
  readonly request: AlertPreview
}

/**
 * Shows what the alert policies of a run would send, for every class that they ask for or for those named, and sends nothing (AL5). No
 * secret is resolved. Throws `invalid_document`.
 */
export function dryRunAlerts(
  input: FleetRunSpecInput,
  options: { readonly classes?: readonly FleetAlertEventClass[]; readonly sinks?: AlertOptions['sinks'] } = {},
): readonly AlertDryRun[] {
  const spec = FleetRunSpec.parse(input)
  const classes = options.classes ?? alertEventClasses
  const clock = systemClock()
  const sinks = { ...createAlertSinks({ send: sendsNothing, secret: hasNone, clock }), ...options.sinks }
  const told = new Set<string>()
  return spec.tasks.flatMap((task) => {
    const { alert_policy: policy } = task
    if (policy === undefined) return []
    const asked = classes.filter((name) => covers(policy, name))
    return asked.flatMap((name) =>
      policy.channels.flatMap((channel, place) => {
        // What concerns the run is told once through each channel.
        const text = JSON.stringify(channel)
        if (name === 'run_completed' && told.has(text)) return []
        if (name === 'run_completed') told.add(text)
        const alert: Alert = {
          id: 'alert_dryrun_0_0',
          action: 'trigger',
          class: name,
          incident: `dryrun/${task.id}/${name}`,
          run: { id: spec.id ?? 'run-of-this-file', name: spec.name },
          task: { id: task.id, name: task.name },
          attempt: 1,
          reason: 'This is a dry run: nothing happened.',
          raisedAt: clock.now(),
        }
        return [
          {
            task_id: task.id,
            class: name,
            channel: channel.kind,
            place,
            ...held(name, policy),
            request: previewOf(sinks, alert, channel),
          },
        ]
      }),
    )
  })
}

function held(name: FleetAlertEventClass, policy: FleetAlertPolicy): Pick<AlertDryRun, 'after_attempts' | 'after_minutes_stale'> {
  const { after_attempts = 0, after_minutes_stale = 0 } = policy
  const thresholds = thresholdsOf(name)
  return {
    ...(thresholds.afterAttempts && after_attempts > 0 && { after_attempts }),
    ...(thresholds.afterMinutesStale && after_minutes_stale > 0 && { after_minutes_stale }),
  }
}

function previewOf(sinks: AlertSinks, alert: Alert, channel: FleetAlertChannel): AlertPreview {
  // The table pairs each kind with the sink of its own channels.
  const sink = sinks[channel.kind] as { preview(alert: Alert, channel: FleetAlertChannel): AlertPreview }
  return sink.preview(alert, channel)
}

const sendsNothing = () => Promise.resolve({ delivered: false, reason: 'this is a dry run' } as const)
const hasNone = () => Promise.resolve(undefined)
