/** How a byte of a text is read in a way of writing: as which byte, passed over, or as the end of what had begun. */
export type Fold = Int16Array

/** A byte that is passed over. */
const passOver = -1
/** A byte that belongs to no pattern. */
export const breakOff = -2

/** A way in which the bytes of a secret may be written, whatever escapes lie over it. */
export interface Writing {
  readonly fold: Fold
  /** What a value looks like in it, as it is folded. */
  patternsOf(value: Uint8Array): readonly Uint8Array[]
}

const base64Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * The value itself; base64 and base64url wherever the value begins in the groups of three, wrapped or not; hexadecimal digits of either
 * case, with or without separators; and lists of decimal numbers, as buffers are printed. Spaces and plus signs are the same, as in forms.
 */
export const writings: readonly Writing[] = [
  {
    fold: foldOf({ keep: everyByte(), also: { ' ': '+' } }),
    patternsOf: (value) => [value.map((byte) => (byte === 0x20 ? 0x2b : byte))],
  },
  { fold: foldOf({ keep: bytesOf(base64Letters), also: { '-': '+', _: '/' }, skip: '\r\n' }), patternsOf: base64Of },
  {
    fold: foldOf({
      keep: bytesOf('0123456789abcdef'),
      also: { A: 'a', B: 'b', C: 'c', D: 'd', E: 'e', F: 'f' },
      skip: ' \t\r\n:-,',
    }),
    patternsOf: (value) => [bytesOf(Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(''))],
  },
  { fold: foldOf({ keep: bytesOf('0123456789,'), skip: ' \t\r\n' }), patternsOf: (value) => [bytesOf(value.join(','))] },
]

/** Lines of a value of several lines count by themselves from this length on. */
const shortestLine = 16

/** The texts of a value that must not be seen: itself, what is left of it without the white space around it, and its longer lines. */
export function textsOf(value: string): readonly string[] {
  const trimmed = value.trim()
  const lines = trimmed.split(/\r?\n/).map((line) => line.trim())
  const longLines = lines.length === 1 ? [] : lines.filter((line) => line.length >= shortestLine && !line.startsWith('-----'))
  return [...new Set([value, trimmed, ...longLines])]
}

/**
 * The value at each of the three places that it may have in a group: the characters that it determines alone, whatever stands before and
 * after it; and with the last one that it shares with zeros, as at the end of the data.
 */
function base64Of(value: Uint8Array): readonly Uint8Array[] {
  return [0, 1, 2].flatMap((before) => {
    const bits = Array.from({ length: before }, () => 0)
      .concat([...value])
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join('')
    const first = Math.ceil((before * 8) / 6)
    const whole = Math.floor(bits.length / 6)
    const characters = (to: number): Uint8Array =>
      bytesOf(
        Array.from({ length: to - first }, (_, index) => {
          const at = (first + index) * 6
          return base64Letters[Number.parseInt(bits.slice(at, at + 6).padEnd(6, '0'), 2)] ?? ''
        }).join(''),
      )
    const alone = characters(whole)
    return bits.length % 6 === 0 ? [alone] : [alone, characters(whole + 1)]
  })
}

function foldOf({
  keep,
  also = {},
  skip = '',
}: {
  readonly keep: Uint8Array
  readonly also?: Readonly<Record<string, string>>
  readonly skip?: string
}): Fold {
  const fold = new Int16Array(256).fill(breakOff)
  for (const byte of keep) fold[byte] = byte
  for (const [from, to] of Object.entries(also)) fold[from.charCodeAt(0)] = to.charCodeAt(0)
  for (const byte of bytesOf(skip)) fold[byte] = passOver
  return fold
}

function everyByte(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => byte)
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
