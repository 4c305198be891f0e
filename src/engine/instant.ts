/** The instants that were written last: what is decided together happens at one moment, and its leases end at one. */
const written = new Map<number, string>()
const mostWritten = 64

/** Epoch milliseconds as the wire writes instants: RFC 3339, UTC, milliseconds. */
export function instant(at: number): string {
  const known = written.get(at)
  if (known !== undefined) return known
  if (written.size >= mostWritten) written.clear()
  const text = new Date(at).toISOString()
  written.set(at, text)
  return text
}

/** A durable moment with its length, so that a jump of the wall clock cannot move it far (LE5). */
export function moment(now: number, delayMs: number): { notBefore: number | null; notBeforeMs: number | null } {
  return delayMs > 0 ? { notBefore: now + delayMs, notBeforeMs: delayMs } : { notBefore: null, notBeforeMs: null }
}
