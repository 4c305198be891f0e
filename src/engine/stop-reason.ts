import { errorCodes } from '../protocol/errors.ts'
import type { FleetErrorCode } from '../protocol/errors.ts'
import type { Entry } from './entry.ts'

/** Why an attempt is told to stop, as its entry tells it. */
export function stopReason(entry: Entry): { code: FleetErrorCode; reason: string } {
  const status = entry.set?.status
  const reason = entry.receipt?.evidence ?? entry.set?.cause ?? entryEventText(entry)
  if (status === 'cancelled') return { code: 'task_cancelled', reason }
  if (entry.set?.overBudget === null) return { code: 'budget_exceeded', reason }
  if (entry.receipt?.result === 'timeout') return { code: 'task_timeout', reason }
  if (entry.events?.some((event) => event.state === 'stale') === true) return { code: 'task_stale', reason }
  // A release names why, as a code where there is one.
  return { code: reason in errorCodes ? (reason as FleetErrorCode) : 'lease_lost', reason }
}

function entryEventText(entry: Entry): string {
  const interrupted = entry.events?.find((event) => event.state === 'interrupted')
  return interrupted?.state === 'interrupted' ? (interrupted.signal ?? 'interrupted') : 'The lease was revoked.'
}
