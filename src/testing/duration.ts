import { FleetError } from '../protocol/errors.ts'

/** A length of time: milliseconds, or a number with its unit, as `250ms`, `2s`, `1.5m`, `3h`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** The milliseconds of a duration. Throws `invalid_option` for what is none. */
export function milliseconds(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : fromText(duration)
  if (Number.isFinite(ms) && ms >= 0) return ms
  throw new FleetError(
    'invalid_option',
    `The duration ${JSON.stringify(duration)} cannot be read. Write milliseconds, or a number with ms, s, m, h or d.`,
  )
}

function fromText(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  return Number(count) * units[unit as keyof typeof units]
}
