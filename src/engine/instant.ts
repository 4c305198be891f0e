const dayMs = 86_400_000

/** Of the day that was written last: instants of a fleet lie close to one another. */
let lastDay = NaN
let lastDate = ''

/** Numbers as two digits. */
const digits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'))

/**
 * Epoch milliseconds as the wire writes instants: RFC 3339, UTC, milliseconds. The same as `toISOString`, which takes several times as
 * long for each, and every lease has one.
 */
export function instant(at: number): string {
  const whole = Math.trunc(at)
  const day = Math.floor(whole / dayMs)
  if (day !== lastDay) {
    lastDate = new Date(day * dayMs).toISOString().slice(0, -'00:00:00.000Z'.length)
    lastDay = day
  }
  const inDay = whole - day * dayMs
  const seconds = Math.floor(inDay / 1_000)
  const minutes = Math.floor(seconds / 60)
  const ms = inDay - seconds * 1_000
  return `${lastDate}${digits[Math.floor(minutes / 60)]}:${digits[minutes % 60]}:${digits[seconds % 60]}.${ms < 100 ? '0' : ''}${digits[ms] ?? ms}Z`
}

/** A durable moment with its length, so that a jump of the wall clock cannot move it far (LE5). */
export function moment(now: number, delayMs: number): { notBefore: number | null; notBeforeMs: number | null } {
  return delayMs > 0 ? { notBefore: now + delayMs, notBeforeMs: delayMs } : { notBefore: null, notBeforeMs: null }
}
