const shape = /^\d{4}-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-](\d{2}):(\d{2}))$/

/**
 * An RFC 3339 timestamp in its canonical form, UTC with milliseconds and `Z`; undefined for any other text. Digits after the
 * milliseconds are cut. A leap second is the first moment of the next minute.
 */
export function canonicalTimestamp(text: string): string | undefined {
  const match = shape.exec(text)
  if (match === null) return undefined
  const [month, day, hour, minute, second, offsetHours, offsetMinutes] = match.slice(1).map((part) => Number(part ?? 0))
  const leap = second === 60
  if (hour! > 23 || minute! > 59 || (second! > 59 && !leap) || offsetHours! > 23 || offsetMinutes! > 59) return undefined
  const date = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  if (Number.isNaN(date.getTime()) || date.getUTCMonth() + 1 !== month || date.getUTCDate() !== day) return undefined

  const fraction = /\.(\d{1,3})/.exec(text)?.[1] ?? ''
  const sign = text.at(-6) === '-' ? -1 : 1
  const minutes = hour! * 60 + minute! - sign * (offsetHours! * 60 + offsetMinutes!)
  const moment = new Date(date.getTime() + minutes * 60_000 + second! * 1_000 + Number(fraction.padEnd(3, '0')))
  return /^\d{4}-/.test(moment.toISOString()) ? moment.toISOString() : undefined
}
