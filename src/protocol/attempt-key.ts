import type { AttemptKey } from './wire.ts'

/** The key of a message, to be repeated in every other message of its attempt. */
export function attemptKey({ run_id, task_id, attempt }: AttemptKey): AttemptKey {
  return { run_id, task_id, attempt }
}

/** Names an attempt in one string. */
export function attemptId({ run_id, task_id, attempt }: AttemptKey): string {
  return `${run_id}/${task_id}/${attempt}`
}
