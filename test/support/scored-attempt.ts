import type { ScoredAttempt } from '../../src/ports/scorer.ts'
import { FleetTaskSpec } from '../../src/protocol/task.ts'
import { createScorers } from '../../src/verification/scorers.ts'
import type { ScorerParts } from '../../src/verification/scorers.ts'

/** The first attempt of a task that left nothing. */
export function scoredAttempt(more: Partial<ScoredAttempt> = {}): ScoredAttempt {
  return {
    key: { run_id: 'r', task_id: 't', attempt: 1 },
    worker: 'w',
    task: FleetTaskSpec.parse({ id: 't', name: 't', instructions: 'do it' }),
    folder: '/nowhere/attempt',
    environment: {},
    confined: undefined,
    output: undefined,
    artifacts: [],
    previous: [],
    ...more,
  }
}

/** Scorers over some files; a command that is asked for all the same fails the test. */
export function scorersOf(parts: Pick<ScorerParts, 'files'> & Partial<ScorerParts>) {
  const run = () => Promise.reject(new Error('No command was expected.'))
  return createScorers({ checks: { run }, storeId: 'store', verifier: undefined, ...parts })
}
