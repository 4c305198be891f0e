import type { FleetReceipt } from '../protocol/receipt.ts'
import type { Store } from '../ports/store.ts'
import type { Entry } from './entry.ts'

/** The receipt that an entry holds; records keep only its sequence (CO4). */
export async function readReceipt(store: Store, run: string, seq: number): Promise<FleetReceipt | undefined> {
  const [entry] = (await store.read(run, { from: seq, limit: 1 })) as unknown as Entry[]
  return entry?.receipt
}
