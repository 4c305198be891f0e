import type { FleetEffectivePermissions, FleetReceipt } from '../protocol/receipt.ts'
import { namedPermissions } from '../security/trust.ts'
import type { PermissionsName } from '../security/trust.ts'
import type { Draft, Entry } from './entry.ts'
import { instant } from './instant.ts'
import { fleetReporter } from './state.ts'

/** What a receipt says that the entry that holds it says as well, or may. */
type Said = 'run_id' | 'task_id' | 'worker_id' | 'attempt' | 'terminal_seq' | 'completed_at' | 'artifacts' | 'spent'

/**
 * A receipt as its entry holds it: without what the rest of the entry says (CO4). Left out are whose it is, when it was given, and of which
 * attempt; a worker that reported the events of the entry, the last of which ended the attempt; no artifacts; and what was spent where that
 * was nothing but the time. A record that names its run is whole.
 */
export interface ReceiptRecord extends Omit<FleetReceipt, Said | 'effective_permissions'>, Partial<Pick<FleetReceipt, Said>> {
  readonly effective_permissions?: FleetEffectivePermissions | PermissionsName | undefined
}

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

/** The receipt that an entry of the run holds, whole. */
export function wholeReceipt(run: string, entry: Entry): FleetReceipt | undefined {
  const { receipt: record } = entry
  if (record === undefined || isWhole(record)) return record
  const { effective_permissions: permissions } = record
  const terminalSeq = record.terminal_seq ?? lastReported(entry)
  return {
    run_id: run,
    task_id: record.task_id ?? entry.task ?? '',
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
      effective_permissions: typeof permissions === 'string' ? namedPermissions[permissions] : permissions,
    }),
    ...(record.profile !== undefined && { profile: record.profile }),
    ...(record.usage !== undefined && { usage: record.usage }),
    spent: record.spent ?? { tokens: 0, tool_calls: 0, seconds: (entry.set?.spentMs ?? 0) / 1000 },
    ...(record.output !== undefined && { output: record.output }),
    ...(record.evidence !== undefined && { evidence: record.evidence }),
  }
}

function isWhole(record: ReceiptRecord): record is FleetReceipt {
  return record.run_id !== undefined
}
