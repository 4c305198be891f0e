import { FleetError } from './errors.ts'

/** How large and how deep a JSON text may be. */
export interface SizeLimits {
  readonly maxBytes: number
  /** Levels of objects and lists, the outermost counted. */
  readonly maxDepth: number
}

const mebibyte = 1_048_576

/** The limits of what comes from outside (WI7, HO8). */
export const sizeLimits = {
  taskFile: { maxBytes: 64 * mebibyte, maxDepth: 64 },
  httpBody: { maxBytes: 8 * mebibyte, maxDepth: 64 },
  message: { maxBytes: mebibyte, maxDepth: 64 },
} as const satisfies Record<string, SizeLimits>

/**
 * Counts size and nesting on the bytes of a JSON text, before anything parses it; brackets in strings do not count. Returns for any
 * bytes within the limits, also those that are no JSON. Throws `too_large` with the limit named.
 */
export function checkSize(bytes: Uint8Array, limits: SizeLimits): void {
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} bytes`, `${limits.maxBytes} bytes`, limits)
  let depth = 0
  let inText = false
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (inText) {
      if (byte === backslash) index++
      else if (byte === quotationMark) inText = false
    } else if (byte === quotationMark) inText = true
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > limits.maxDepth) throw tooDeep(limits)
    } else if (byte === closeBracket || byte === closeBrace) depth--
  }
}

/** Counts the levels of a value that is parsed already, as TOML is; it looks no deeper than the limit. Throws `too_large`. */
export function checkDepth(value: unknown, limits: SizeLimits, depth = 0): void {
  if (typeof value !== 'object' || value === null) return
  if (depth >= limits.maxDepth) throw tooDeep(limits)
  for (const member of Object.values(value)) checkDepth(member, limits, depth + 1)
}

const quotationMark = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

function tooDeep(limits: SizeLimits): FleetError {
  return tooLarge(`more than ${limits.maxDepth} levels`, `${limits.maxDepth} levels`, limits)
}

function tooLarge(has: string, limit: string, limits: SizeLimits): FleetError {
  return new FleetError('too_large', `The document has ${has}; the limit is ${limit}. Split it.`, { details: { ...limits } })
}
