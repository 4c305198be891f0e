import type { Engine } from '../engine/engine.ts'
import { knownSecrets } from '../engine/redacted-report.ts'
import { isWorking } from '../engine/state.ts'
import type { RunState, TaskState } from '../engine/state.ts'

/**
 * Attempts of an earlier fleet may still be heard of, and what they left may yet be scored: their secrets are known before anything is said,
 * as far as they can be resolved (SE5).
 */
export async function knowEarlierSecrets(engine: Engine, runs: readonly RunState[]): Promise<void> {
  const { secrets, inUse, defaults, deadlines } = engine.core
  const refs = runs.flatMap((run) =>
    [...run.tasks.values()].some(hasBegun) ? (run.header.security_policy?.allowed_secrets ?? []) : [],
  )
  if (refs.length === 0) return
  const limit = new AbortController()
  const disarm = deadlines.after(defaults.secretTimeoutMs, () => limit.abort())
  // One by one: that one cannot be resolved any more must not leave the others unknown.
  const outcomes = await Promise.all(refs.map((ref) => secrets.resolve([ref], { signal: limit.signal })))
  disarm()
  for (const outcome of outcomes) if ('values' in outcome) inUse.use(knownSecrets(outcome.values))
}

function hasBegun(task: TaskState): boolean {
  return isWorking(task.status) || task.status === 'verifying'
}
