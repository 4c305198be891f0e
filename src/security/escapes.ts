/** What the beginning of an escape stands for: its bytes, `open` while more must be seen, `none` when it is no escape. */
type Reading = readonly number[] | 'open' | 'none'

/** A way of writing bytes by others. */
export interface EscapeKind {
  /** The byte that begins every escape. */
  readonly trigger: number
  /** Reads bytes that begin with the trigger; it is asked again with each byte, so what it gives stands for all of them. */
  read(bytes: readonly number[]): Reading
}

/**
 * The escapes that a text is read through: backslashes (JSON, JavaScript, C, Python, the shell), percent signs (URLs), and character
 * references (HTML, XML).
 */
export const escapeKinds: readonly EscapeKind[] = [
  { trigger: code('\\'), read: readBackslash },
  { trigger: code('%'), read: readPercent },
  { trigger: code('&'), read: readReference },
]

const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', a: '\x07', e: '\x1b' }

/** What a backslash and one more byte stand for: that byte, unless it is a letter or a digit. */
const short = Array.from({ length: 256 }, (_, byte): Reading => {
  const letter = letters[String.fromCharCode(byte)]
  if (letter !== undefined) return [code(letter)]
  return /[A-Za-z0-9]/.test(String.fromCharCode(byte)) ? 'none' : [byte]
})

function readBackslash(bytes: readonly number[]): Reading {
  const second = bytes[1]
  if (second === undefined) return 'open'
  if (second === code('u')) return readUnicode(bytes)
  if (second === code('x')) return bytes.length < 4 ? openWhile(bytes, 2, isHex) : oneByte(hexOf(bytes, 2, 4))
  if (isOctal(second)) return bytes.length < 4 ? openWhile(bytes, 2, isOctal) : oneByte(octalOf(bytes))
  return short[second] ?? 'none'
}

/** `\u0041`, `\ud83d\ude00` as one character, `\u{41}`. */
function readUnicode(bytes: readonly number[]): Reading {
  if (bytes[2] === code('{')) {
    if (bytes.at(-1) !== code('}')) return bytes.length > 9 || !bytes.slice(3).every(isHex) ? 'none' : 'open'
    return utf8(hexOf(bytes, 3, bytes.length - 1))
  }
  if (bytes.length < 6) return openWhile(bytes, 2, isHex)
  const first = hexOf(bytes, 2, 6)
  if (first === undefined || first < 0xd800 || first > 0xdbff) return utf8(first)
  if (bytes.length < 12) return startsLike(bytes.slice(6), '\\u') ? 'open' : 'none'
  const second = hexOf(bytes, 8, 12)
  if (second === undefined || second < 0xdc00 || second > 0xdfff) return 'none'
  return utf8(0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00))
}

function readPercent(bytes: readonly number[]): Reading {
  return bytes.length < 3 ? openWhile(bytes, 1, isHex) : oneByte(hexOf(bytes, 1, 3))
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' }
const longestReference = 12

function readReference(bytes: readonly number[]): Reading {
  const last = bytes[bytes.length - 1] ?? 0
  if (bytes.length === 1) return 'open'
  if (last !== code(';')) {
    const fits = isWord(last) || (last === code('#') && bytes.length === 2)
    return fits && bytes.length < longestReference ? 'open' : 'none'
  }
  const text = String.fromCharCode(...bytes)
  const name = text.slice(1, -1)
  const [, decimal, hex] = /^#(?:(\d+)|[xX]([0-9A-Fa-f]+))$/.exec(name) ?? []
  if (decimal !== undefined) return utf8(Number(decimal))
  if (hex !== undefined) return utf8(Number.parseInt(hex, 16))
  const character = Object.hasOwn(named, name) ? named[name] : undefined
  return character === undefined ? 'none' : utf8(character.charCodeAt(0))
}

function openWhile(bytes: readonly number[], from: number, fits: (byte: number) => boolean): Reading {
  for (let at = from; at < bytes.length; at++) if (!fits(bytes[at] ?? 0)) return 'none'
  return 'open'
}

function startsLike(bytes: readonly number[], start: string): boolean {
  return bytes.every((byte, index) => (index < start.length ? byte === start.charCodeAt(index) : isHex(byte)))
}

function oneByte(value: number | undefined): Reading {
  return value === undefined || value > 0xff ? 'none' : [value]
}

function utf8(point: number | undefined): Reading {
  if (point === undefined || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return 'none'
  return [...new TextEncoder().encode(String.fromCodePoint(point))]
}

function hexOf(bytes: readonly number[], from: number, to: number): number | undefined {
  const digits = bytes.slice(from, to)
  return digits.length > 0 && digits.every(isHex) ? Number.parseInt(String.fromCharCode(...digits), 16) : undefined
}

function octalOf(bytes: readonly number[]): number | undefined {
  const digits = bytes.slice(1, 4)
  return digits.every(isOctal) ? Number.parseInt(String.fromCharCode(...digits), 8) : undefined
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}

function isWord(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}

function isOctal(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x37
}

function code(character: string): number {
  return character.charCodeAt(0)
}
