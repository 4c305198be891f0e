import type { FleetWorkerSpec } from '../protocol/worker.ts'
import { dialIn } from './dial-in.ts'
import type { WorkerPlan } from './workers-of.ts'

/**
 * A worker of a task file that proves itself by a token was started by nobody here: it dials in. `labels.handlers` names what it serves,
 * separated by commas; without it, it does tasks that name neither a handler nor a command. Undefined for every other worker (SE7).
 */
export function dialInWorkerOf(spec: FleetWorkerSpec): WorkerPlan | undefined {
  if (spec.auth?.method !== 'token' || spec.host.kind !== 'local') return undefined
  const { key, source } = spec.auth.token_ref
  const handlers = namesIn(spec.labels['handlers'])
  const transport = dialIn({ handlers, plain: handlers.length === 0, token: { key, ...(source !== undefined && { source }) } })
  return {
    transport,
    facts: {
      id: spec.id,
      serves: transport.serves,
      capabilities: spec.capabilities,
      roles: namesIn(spec.labels['role']),
      host: 'remote',
      verified: true,
      trust: spec.trust_level,
      enforces: transport.enforces,
      checks: undefined,
      runsUnenforced: false,
      slots: spec.max_concurrent_tasks ?? 1,
    },
  }
}

/** The names that a label holds, separated by commas. */
export function namesIn(label = ''): string[] {
  return label
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
