import { attemptKey } from '../../protocol/attempt-key.ts'
import type { AssignMessage, AttemptKey, AttemptMessage } from '../../protocol/wire.ts'

/** An attempt that a member serves. */
export interface MemberWork {
  readonly key: AttemptKey
  hasAccepted: boolean
  /** It was told to stop. */
  isStopping: boolean
  /** Its last message, held until nothing of the program is left. */
  last: AttemptMessage | undefined
  /** Takes back the kill that follows a stop. */
  disarm: (() => void) | undefined
}

export function workOn(message: AssignMessage): MemberWork {
  return { key: attemptKey(message), hasAccepted: false, isStopping: false, last: undefined, disarm: undefined }
}

/** Whether a message speaks of this work. */
export function isOf(work: MemberWork, key: AttemptKey): boolean {
  return work.key.attempt === key.attempt && work.key.task_id === key.task_id && work.key.run_id === key.run_id
}

/** How work ends whose program was lost. */
export function endOf({ key, isStopping }: MemberWork, reason: string, printed: string): AttemptMessage {
  if (isStopping) return { type: 'stopped', ...key }
  const quoted = printed.trim()
  return {
    type: 'failed',
    ...key,
    failure_kind: 'transport',
    reason: `Its worker was lost: ${reason}.${quoted === '' ? '' : ` It printed: ${quoted}`}`,
  }
}

/** Names the task of an attempt in one string. */
export function taskOf({ run_id, task_id }: AttemptKey): string {
  return `${run_id}/${task_id}`
}
