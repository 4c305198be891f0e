import type { AttemptKey } from '../protocol/wire.ts'

/** Names an attempt in one string. */
export function attemptId({ run_id, task_id, attempt }: AttemptKey): string {
  return `${run_id}/${task_id}/${attempt}`
}
