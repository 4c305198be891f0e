import { crc32 } from 'node:zlib'

/** What ends every line before its line feed: the checksum of the bytes before it. */
const pattern = Buffer.from(',"crc":"00000000"}')
const digitsAt = 8
const digits = Buffer.from('0123456789abcdef')

export const sealLength = pattern.length

/** Seals the bytes between two offsets, behind them; gives the offset behind the seal. */
export function seal(bytes: Buffer, from: number, to: number): number {
  const crc = crc32(bytes.subarray(from, to))
  bytes.set(pattern, to)
  for (let place = 0; place < 8; place += 1) bytes[to + digitsAt + place] = digitOf(crc, place)
  return to + sealLength
}

/** Whether the checksum at the end is that of the bytes before, written as strictly as it is. */
export function isSealed(bytes: Buffer): boolean {
  const body = bytes.length - sealLength
  if (body < 2) return false
  // The sum comes last: it takes the longest.
  for (let at = 0; at < sealLength; at += 1) if (!isDigit(at) && bytes[body + at] !== pattern[at]) return false
  const crc = crc32(bytes.subarray(0, body))
  for (let place = 0; place < 8; place += 1) if (bytes[body + digitsAt + place] !== digitOf(crc, place)) return false
  return true
}

function isDigit(at: number): boolean {
  return at >= digitsAt && at < digitsAt + 8
}

/** The line that a text makes, for those of which there are few. */
export function sealedLine(text: string): string {
  const length = Buffer.byteLength(text)
  const bytes = Buffer.alloc(length + sealLength)
  bytes.write(text)
  seal(bytes, 0, length)
  return `${bytes.toString()}\n`
}

/** A hexadecimal digit of a checksum, the highest first. */
function digitOf(crc: number, place: number): number {
  return digits[(crc >>> (28 - 4 * place)) & 15] ?? 0
}
