import type { Entry } from '../../src/engine/entry.ts'
import { wholeReceipt } from '../../src/engine/receipt-record.ts'
import type { FleetReceipt } from '../../src/protocol/receipt.ts'

/** The receipt that an entry of the run `r` holds, as whoever reads it from the store finds it. */
export function receiptIn(entry: Partial<Entry> | undefined): FleetReceipt {
  const stored = JSON.parse(JSON.stringify({ seq: 0, at: 0, ...entry })) as Entry
  const whole = wholeReceipt('r', stored)
  if (whole === undefined) throw new Error('The entry has no receipt.')
  return whole
}
