import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSealed, seal, sealedLine, sealLength } from '../../../../src/store/json/line-seal.ts'

test('ST4 a seal is the checksum of the bytes before it, eight lower-case hexadecimal digits, and stands right behind them', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 2, unit: 'grapheme' }), fc.nat(9), (text, before) => {
      const body = Buffer.from(text)
      const bytes = Buffer.alloc(before + body.length + sealLength + 1, 'x')
      body.copy(bytes, before)
      const end = seal(bytes, before, before + body.length)
      const whole = `${text},"crc":"${crc32(body).toString(16).padStart(8, '0')}"}`
      expect(bytes.toString()).toBe(`${'x'.repeat(before)}${whole}x`)
      expect(end).toBe(bytes.length - 1)
      expect(sealedLine(text)).toBe(`${whole}\n`)
    }),
  )
})

test('ST4 no bit of a sealed line can change, no byte be left out or put in, and nothing is sealed that is too short', () => {
  const line = Buffer.from(sealedLine('{"a":"äö"').slice(0, -1))
  expect(isSealed(line)).toBe(true)
  for (let bit = 0; bit < line.length * 8; bit += 1) {
    const flipped = Buffer.from(line)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(isSealed(flipped), `bit ${bit}`).toBe(false)
  }
  for (let at = 0; at <= line.length; at += 1) {
    expect(isSealed(Buffer.concat([line.subarray(0, at), Buffer.from('x'), line.subarray(at)])), `put in at ${at}`).toBe(false)
    if (at > 0) expect(isSealed(line.subarray(0, -at)), `without ${at}`).toBe(false)
  }
  expect(isSealed(Buffer.from(sealedLine('{1').slice(0, -1)))).toBe(true)
  for (const text of ['', '{']) expect(isSealed(Buffer.from(sealedLine(text).slice(0, -1)))).toBe(false)
  // Upper case is not how it was written.
  const upper = Buffer.from(line.toString().replace(/[0-9a-f]{8}"\}$/, (digits) => digits.toUpperCase()))
  expect(upper.equals(line)).toBe(false)
  expect(isSealed(upper)).toBe(false)
})
