const fallbacks = ['[redacted]', '***', '###', '···', '■', '□', '◆', '◇', '●', '○']

/** What a cover must not touch. */
export interface CoveredValues {
  /** Whether a text holds a secret. */
  readonly holdsSecret: (text: string) => boolean
  readonly values: readonly { readonly bytes: Uint8Array }[]
}

/**
 * The text that stands in the place of a secret: the wanted one, unless it holds a secret itself, or what stands beside it could become
 * one together with it.
 */
export function safeCover(wanted: string, known: CoveredValues): string {
  return [wanted, ...fallbacks].find((cover) => isSafe(cover, known)) ?? ''
}

function isSafe(cover: string, { holdsSecret, values }: CoveredValues): boolean {
  if (holdsSecret(cover)) return false
  const bytes = new TextEncoder().encode(cover)
  return values.every(({ bytes: value }) => !overlap(value, bytes) && !overlap(bytes, value))
}

/** Whether the end of one is the beginning of the other, as far as that reaches. */
function overlap(one: Uint8Array, other: Uint8Array): boolean {
  const most = Math.min(one.length, other.length)
  for (let length = 1; length <= most; length++) {
    const end = one.subarray(one.length - length)
    if (end.every((byte, index) => byte === other[index])) return true
  }
  return false
}
