import type { FleetEffectivePermissions, FleetReceipt } from '../protocol/receipt.ts'
import { permissionsCalled } from '../security/trust.ts'
import type { PermissionsName } from '../security/trust.ts'
import type { Draft, Entry } from './entry.ts'
import { instant } from './instant.ts'
import { fleetReporter } from './state.ts'

/** What the entry of every short receipt says. */
type Said = 'run_id' | 'task_id' | 'attempt' | 'completed_at'
/** What the entry may say. */
type Sayable = 'worker_id' | 'artifacts'

/**
 * A receipt without what the entry that ends an attempt says (CO4): whose it is, of which attempt, and when it was given. Left out are too the
 * worker where it reported the events of the entry, the sequence of the event that ended the attempt where that is the last of them, no
 * artifacts, and what was spent where that was nothing but the time.
 */
export interface ShortReceipt extends Omit<FleetReceipt, Said | Sayable | 'effective_permissions'> {
  readonly run_id?: undefined
  readonly worker_id?: FleetReceipt['worker_id']
  readonly artifacts?: FleetReceipt['artifacts']
  readonly effective_permissions?: FleetEffectivePermissions | PermissionsName | undefined
}

/** A receipt as its entry holds it: whole where the entry does not end the attempt, as that of a person who settles a verdict (VE5). */
export type ReceiptRecord = FleetReceipt | ShortReceipt

/** What an entry says of the events that it reports. */
type Reported = Pick<Draft, 'worker' | 'workerSeq' | 'events'>

/** Who signs a receipt that does not say it. */
export function reporterOf({ worker }: Reported): string {
  return worker ?? fleetReporter
}

/** Which event ends the attempt where its receipt does not say it; undefined where nothing is reported. */
export function lastReported({ workerSeq, events }: Reported): number | undefined {
  return workerSeq === undefined || events === undefined ? undefined : workerSeq + events.length - 1
}

/** The receipt that an entry of the run holds, whole, as events and `run.receipt()` have it (VE6); undefined where it holds none. */
export function wholeReceipt(run: string, entry: Entry): FleetReceipt | undefined {
  const { receipt: record } = entry
  if (record === undefined || record.run_id !== undefined) return record
  const { effective_permissions: permissions } = record
  const terminalSeq = record.terminal_seq ?? lastReported(entry)
  return {
    run_id: run,
    task_id: entry.task ?? '',
    worker_id: record.worker_id ?? reporterOf(entry),
    ...(entry.attempt !== undefined && { attempt: entry.attempt }),
    ...(terminalSeq !== undefined && { terminal_seq: terminalSeq }),
    completed_at: instant(entry.at),
    result: record.result,
    ...(record.failure_kind !== undefined && { failure_kind: record.failure_kind }),
    artifacts: record.artifacts ?? [],
    ...(record.score !== undefined && { score: record.score }),
    ...(record.resolved_route !== undefined && { resolved_route: record.resolved_route }),
    ...(permissions !== undefined && {
      effective_permissions: typeof permissions === 'string' ? permissionsCalled(permissions) : permissions,
    }),
    ...(record.profile !== undefined && { profile: record.profile }),
    ...(record.usage !== undefined && { usage: record.usage }),
    spent: record.spent ?? { tokens: 0, tool_calls: 0, seconds: (entry.set?.spentMs ?? 0) / 1000 },
    ...(record.output !== undefined && { output: record.output }),
    ...(record.evidence !== undefined && { evidence: record.evidence }),
  }
}
