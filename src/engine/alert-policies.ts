import type { FleetAlertEventClass, FleetAlertPolicy } from '../protocol/alert.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'

/** The alert policies of one run's tasks; tasks whose policies are equal share one. */
export interface AlertPolicies {
  of(spec: FleetTaskSpec): FleetAlertPolicy | null
  /** Whether any task has one that names a channel. */
  readonly any: boolean
}

export function createAlertPolicies(): AlertPolicies {
  const known = new Map<string, FleetAlertPolicy>()
  return {
    of({ alert_policy: policy }) {
      // Without a channel nobody is alerted; what is raised is an event all the same.
      if (policy === undefined || policy.channels.length === 0) return null
      const text = JSON.stringify(policy)
      const before = known.get(text)
      if (before === undefined) known.set(text, policy)
      return before ?? policy
    },
    get any() {
      return known.size > 0
    },
  }
}

/** Whether a policy asks for alerts of a class: no classes means all (AL1). */
export function covers({ events }: FleetAlertPolicy, name: FleetAlertEventClass): boolean {
  return events.length === 0 || events.includes(name)
}
