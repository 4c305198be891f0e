import type { FleetScore } from './receipt.ts'

/** The score that a line of output gives (VE3): a JSON object whose `value` is a number, with an optional `max` and `notes`. Undefined: it is another line. */
export function scoreFromLine(line: string): FleetScore | undefined {
  const text = line.trim()
  if (!text.startsWith('{') || !text.endsWith('}') || !text.includes('"value"')) return undefined
  const { value, max, notes } = objectFrom(text)
  if (!isFinite(value)) return undefined
  return { value, ...(isFinite(max) && { max }), ...(typeof notes === 'string' && { notes }) }
}

function objectFrom(text: string): { readonly value?: unknown; readonly max?: unknown; readonly notes?: unknown } {
  try {
    return JSON.parse(text) as object
  } catch {
    return {}
  }
}

function isFinite(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
