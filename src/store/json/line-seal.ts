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
  const crc = crc32(bytes.subarray(0, body))
  for (let at = 0; at < sealLength; at += 1) {
    const place = at - digitsAt
    if (bytes[body + at] !== (place >= 0 && place < 8 ? digitOf(crc, place) : pattern[at])) return false
  }
  return true
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
