import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRedactor } from '../../../src/security/redactor.ts'
import { secretValueProblem } from '../../../src/security/secret-value.ts'
import { secretEncodings } from '../../support/secret-encodings.ts'

const encodings = Object.entries(secretEncodings)
const awkward = 'p/ä+s "w\\rd&<7%41>\u{1f511}?='
const values = ['hunter22', 'sk-live-0123456789abcdef', awkward, 'with space and\ttab', '12345678']
const redactorOf = (...secrets: string[]) => createRedactor(secrets.map((value, index) => ({ key: `KEY${index}`, value })))

/** Values that may be secrets, of any characters. */
const anySecret = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 4, maxLength: 24 }),
    fc.string({
      unit: fc.constantFrom('a', 'b', '%', '\\', '&', '4', '1', ' ', '+', '"', ';', 'u', 'x', '0'),
      minLength: 4,
      maxLength: 12,
    }),
  )
  .filter((value) => secretValueProblem(value) === undefined)
  .filter((value) => !/\p{Cs}/u.test(value))
const anyText = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !/\p{Cs}/u.test(text))
const anyEncoding = fc.constantFrom(...encodings)

describe('the redactor', () => {
  test.each(encodings)('SE5 covers a secret that is written as %s', (_, encode) => {
    for (const value of values) {
      const written = encode(value)
      const redacted = redactorOf(value).text(`before ${written} after`)
      expect(redacted).not.toContain(written)
      expect(redacted).toMatch(/^before .*<secret:KEY0>.* after$/s)
    }
  })

  test('SE5 any secret in any encoding, between any texts, is not in what it gives', () => {
    fc.assert(
      fc.property(anySecret, anyEncoding, anyText, anyText, (value, [, encode], before, after) => {
        const written = encode(value)
        const redacted = redactorOf(value).text(before + written + after)
        expect(redacted).not.toContain(written)
        expect(redacted).not.toContain(value)
      }),
      { numRuns: 1_000 },
    )
  })

  test('SE5 a text that holds no secret stays as it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(redactorOf('a secret that no text of forty characters can hold, in any encoding').text(text)).toBe(text)
      }),
      { numRuns: 1_000 },
    )
  })

  test('SE5 a text in pieces is redacted as the whole is, wherever it is split', () => {
    fc.assert(
      fc.property(
        fc.array(anySecret, { minLength: 1, maxLength: 3 }),
        fc.array(
          fc.oneof(
            anyText.map((text) => () => text),
            anyEncoding.map(([, encode]) => encode),
          ),
          { maxLength: 5 },
        ),
        fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
        (secrets, parts, sizes) => {
          const text = parts.map((part, index) => part(secrets[index % secrets.length] ?? '')).join(' ')
          const redactor = redactorOf(...secrets)
          expect(inPieces(redactor, text, sizes)).toBe(redactor.text(text))
        },
      ),
      { numRuns: 700 },
    )
  })

  test('SE5 what cannot become a secret any more is not held back', () => {
    const stream = redactorOf('hunter22').stream()
    expect(decode(stream.write(encode('no word of it\nhunt')))).toBe('no word of it\n')
    expect(decode(stream.write(encode('ing')))).toBe('hunting')
    expect(decode(stream.write(encode(' hunter')))).toBe(' ')
    expect(decode(stream.write(encode('22 is here')))).toBe('<secret:KEY0> is here')
    expect(decode(stream.end())).toBe('')
  })

  test('SE5 a stream that goes on with another redactor gives back what it held', () => {
    const stream = redactorOf('hunter22').stream()
    expect(decode(stream.write(encode('it is hunt')))).toBe('it is ')
    expect(decode(stream.giveBack())).toBe('hunt')
  })

  test('SE5 overlapping secrets become one cover, and none of them is left', () => {
    const redactor = redactorOf('abcdef', 'defghi', 'cdefgh')
    expect(redactor.text('-abcdefghi-')).toBe('-<secret:KEY0>-')
    expect(redactor.text('-defghi-abcdef-')).toBe('-<secret:KEY1>-<secret:KEY0>-')
    expect(redactorOf('abab').text('xabababax')).toBe('x<secret:KEY0>ax')
  })

  test('SE5 a cover never shows, and never becomes, a secret', () => {
    expect(createRedactor([{ key: 'password', value: 'password' }]).text('it is password')).toBe('it is [redacted]')
    expect(redactorOf('secret:KEY0', 'redacted').text('secret:KEY0 redacted')).toBe('*** <secret:KEY1>')
    expect(redactorOf(':KEY0>x').text('a:KEY0>xx')).not.toContain(':KEY0>x')
    expect(redactorOf('abc<').text('abcabc<')).not.toContain('abc<')
  })

  test('SE5 every long line of a value of several lines counts, and the value without the space around it', () => {
    const key =
      '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7VJT\nshort\n-----END PRIVATE KEY-----\n'
    const redactor = redactorOf(key)
    expect(redactor.text(key)).toBe('<secret:KEY0>')
    expect(redactor.text(key.trim())).toBe('<secret:KEY0>')
    expect(redactor.text('> MIIEvQIBADANBgkqhkiG9w0BAQEF\n> AASCBKcwggSjAgEAAoIBAQC7VJT\n> short')).toBe(
      '> <secret:KEY0>\n> <secret:KEY0>\n> short',
    )
    expect(redactor.text('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----')
  })

  test('SE5 escapes that are none, and ends of texts within one, stay as they are', () => {
    const redactor = redactorOf('hunter22')
    for (const text of ['\\', '\\u00', '\\ud83d\\u', '%', '%4', '%zz', '&', '&#', '&amp', '&#x110000;', '\\q', '\\u{', '\\9'])
      expect(redactor.text(text)).toBe(text)
    expect(redactorOf('abc%').text('abc%')).toBe('<secret:KEY0>')
    expect(redactorOf('a\\bc%41').text(JSON.stringify('a\\bc%41'))).toBe('"<secret:KEY0>"')
  })

  test('SE5 JSON is redacted in its strings, its names, and the numbers that spell a secret', () => {
    const redactor = redactorOf('hunter22', '12345678')
    const value = { 'a hunter22': ['hunter22', 1, true, null], b: { c: 12345678 }, 'b hunter22': [...Buffer.from('hunter22')] }
    expect(redactor.json(value)).toEqual({
      'a <secret:KEY0>': ['<secret:KEY0>', 1, true, null],
      b: { c: '<secret:KEY1>' },
      'b <secret:KEY0>': '<secret:KEY0>',
    })
    expect(redactor.json({ hunter22: 1, HUNTER22: 2, '%68unter22': 3 })).toEqual({
      '<secret:KEY0>': 1,
      HUNTER22: 2,
      '<secret:KEY0> 2': 3,
    })
  })

  test('SE5 JSON without a secret is the same value', () => {
    const value = { a: [1, 2, { b: 'c' }], d: null }
    expect(redactorOf('hunter22').json(value)).toBe(value)
  })
})

describe('values that can be secrets', () => {
  test('SE5 what is empty, too short or too long is refused, and the reason tells only its size', () => {
    expect(secretValueProblem('')).toBe('is empty')
    expect(secretValueProblem(' \n ')).toBe('is empty')
    expect(secretValueProblem('abc')).toBe('has 3 bytes; what is shorter than 4 cannot be redacted safely')
    expect(secretValueProblem('x'.repeat(16_385))).toBe('has 16385 bytes; a secret may have 16384')
    for (const value of ['abcd', 'ää', 'x'.repeat(16_384)]) expect(secretValueProblem(value)).toBeUndefined()
  })
})

function inPieces(redactor: ReturnType<typeof redactorOf>, text: string, sizes: Iterator<number>): string {
  const bytes = encode(text)
  const stream = redactor.stream()
  const out: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const size = Math.max(1, (sizes.next().value as number | undefined) ?? 1)
    out.push(stream.write(bytes.subarray(at, at + size)))
    at += size
  }
  out.push(stream.end())
  return decode(Buffer.concat(out))
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
