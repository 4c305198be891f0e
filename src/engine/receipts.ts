import type { FleetReceipt } from '../protocol/receipt.ts'
import type { DependencyResult } from '../protocol/wire.ts'
import type { Store } from '../ports/store.ts'
import type { Entry } from './entry.ts'
import { wholeReceipt } from './receipt-record.ts'
import type { RunState, TaskState } from './state.ts'

/** The receipt that an entry holds; records keep only its sequence (CO4). */
export async function readReceipt(store: Store, run: string, seq: number): Promise<FleetReceipt | undefined> {
  const [entry] = (await store.read(run, { from: seq, limit: 1 })) as unknown as Entry[]
  return entry && wholeReceipt(run, entry)
}

/** The receipts of the attempts before, oldest first (RE5). */
export async function previousReceipts(store: Store, run: RunState, task: TaskState): Promise<FleetReceipt[]> {
  if (task.receipts.length === 0) return []
  const found = await Promise.all(task.receipts.map((seq) => readReceipt(store, run.header.id, seq)))
  return found.filter((receipt) => receipt !== undefined)
}

/** The latest receipt of each dependency (SC5). */
export async function dependencyResults(store: Store, run: RunState, task: TaskState): Promise<DependencyResult[]> {
  const results: DependencyResult[] = []
  for (const id of task.spec.depends_on ?? []) {
    const seq = run.tasks.get(id)?.receipts.at(-1)
    const receipt = seq === undefined ? undefined : await readReceipt(store, run.header.id, seq)
    if (receipt !== undefined) results.push({ task_id: id, receipt })
  }
  return results
}
