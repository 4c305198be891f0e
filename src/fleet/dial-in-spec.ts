import type { Transport } from '../ports/transport.ts'
import type { FleetWorkerSpec } from '../protocol/worker.ts'
import { dialIn } from './dial-in.ts'

/**
 * A worker of a task file that proves itself by a token was started by nobody here: it dials in. `labels.handlers` names what it serves,
 * separated by commas; without it, it does tasks that name neither a handler nor a command. Undefined for every other worker (SE7).
 */
export function dialInOfSpec({ auth, host, labels }: FleetWorkerSpec): Transport | undefined {
  if (auth?.method !== 'token' || host.kind !== 'local') return undefined
  const { key, source } = auth.token_ref
  const handlers = namesIn(labels['handlers'])
  return dialIn({ handlers, plain: handlers.length === 0, token: { key, ...(source !== undefined && { source }) } })
}

/** The names that a label holds, separated by commas. */
export function namesIn(label = ''): string[] {
  return label
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
