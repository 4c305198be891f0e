import { lengthOfTime } from '../timeline.ts'

/** Epoch milliseconds from here on are read as moments. */
const firstMoment = Date.UTC(2000, 0, 1)
const instant = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/

/** Every field that two values differ in, one line each: `set.notBefore: +7s recorded, +12s now`. Moments count from `began`. */
export function differencesOf(recorded: unknown, now: unknown, began: number, path = ''): string[] {
  if (isObject(recorded) && isObject(now)) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(now)])
    return [...keys].flatMap((key) => differencesOf(recorded[key], now[key], began, path === '' ? key : `${path}.${key}`))
  }
  const [was, is] = [shown(recorded, began), shown(now, began)]
  return was === is ? [] : [`${path}: ${was} recorded, ${is} now`]
}

/** Lists are compared by place. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function shown(value: unknown, began: number): string {
  if (typeof value === 'string' && instant.test(value)) return shown(Date.parse(value), began)
  if (typeof value === 'number' && value > firstMoment && value >= began) return `+${lengthOfTime(value - began)}`
  return JSON.stringify(value) ?? 'nothing'
}
