import type { FleetAlertChannel } from '../protocol/alert.ts'
import type { TaskState } from './state.ts'

/** What kind of channel an alert goes through. */
export function channelKind({ policy }: TaskState, channel: number): FleetAlertChannel['kind'] {
  const found = policy?.channels[channel]
  // An alert is made of its task's policy, which never changes.
  if (found === undefined) throw new Error(`The policy has no channel ${channel}.`)
  return found.kind
}
