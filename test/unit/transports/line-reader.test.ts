import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLineReader } from '../../../src/transports/line-reader.ts'

function read(chunks: readonly Uint8Array[], limit = 1_000) {
  const emitted: string[] = []
  const reader = createLineReader({ limit, emit: (lines) => emitted.push(lines) })
  for (const chunk of chunks) reader.write(chunk)
  reader.end()
  return emitted
}

describe('lines of a stream', () => {
  it('HO4 what comes out is what went in, in whole lines, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ab\u00fc\u{1f6a2}]{0,6}$/u)), fc.array(fc.nat(40)), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
        const chunks = borders.slice(1).map((border, index) => bytes.subarray(borders[index], border))

        const emitted = read(chunks)

        expect(emitted.join('')).toBe(bytes.toString())
        expect(emitted.every((text) => text.endsWith('\n'))).toBe(true)
      }),
    )
  })

  it('HO4 a last line without an end gets one, and an empty stream has no line', () => {
    expect(read([Buffer.from('a\nb')])).toEqual(['a\n', 'b\n'])
    expect(read([Buffer.from('a\n')])).toEqual(['a\n'])
    expect(read([])).toEqual([])
  })

  it('HO4 a line over the limit is cut and counted in bytes, and the next line is whole', () => {
    const chunks = ['\u00fc\u00fc\u00fc', '\u00fc\u00fc', '\u00fc\nnext\n'].map((text) => Buffer.from(text))

    expect(read(chunks, 4).join('')).toBe('\u00fc\u00fc\u00fc\u00fc [line cut: 4 bytes left out]\nnext\n')
    expect(read(chunks, 6).join('')).toBe('\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\nnext\n')
  })
})
