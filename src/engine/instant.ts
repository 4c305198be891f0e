/** Epoch milliseconds as the wire writes instants: RFC 3339, UTC, milliseconds. */
export function instant(at: number): string {
  return new Date(at).toISOString()
}

/** A durable moment with its length, so that a jump of the wall clock cannot move it far (LE5). */
export function moment(now: number, delayMs: number): { notBefore: number | null; notBeforeMs: number | null } {
  return delayMs > 0 ? { notBefore: now + delayMs, notBeforeMs: delayMs } : { notBefore: null, notBeforeMs: null }
}
