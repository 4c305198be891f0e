import { expect, test } from 'vitest'
import { entriesOf } from '../../../../src/store/json/entry-records.ts'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import { decodeLine, entryTop } from '../../../../src/store/json/segment-line.ts'

const top = entryTop({ run: 'r', seq: 1, last: 1, prev: '', batch: [1, 1] })
const bodyOf = (text: string) => `"entries":[${JSON.stringify({ text })}]`

test.each([
  ['one byte', 'x', 65_536],
  ['two bytes', 'é', 32_768],
  ['three bytes', '€', 21_845],
  ['four bytes', '🛟', 16_384],
])('ST4 a line is whole wherever the buffer ends, also of characters that take %s', (_, character, count) => {
  // The first buffer holds 65,536 bytes: the lines end before its end, at every byte around it, and behind it.
  for (let fewer = 120 / Buffer.byteLength(character); fewer > 0; fewer -= 1) {
    const text = character.repeat(count - fewer)
    const buffer = new LineBuffer()
    const { byte, hash } = buffer.add(top, bodyOf(text))
    expect(byte).toBe(0)
    expect(buffer.bytes.at(-1)).toBe(10)
    const line = decodeLine(buffer.bytes.subarray(0, -1))
    expect(line?.kind === 'entries' && [line.hash, entriesOf(line)[0]?.['text'] === text]).toEqual([hash, true])
  }
})

test('ST4 lines stand one behind the other, the earlier ones as they were when the buffer grows', () => {
  const buffer = new LineBuffer()
  const texts = ['a', 'b'.repeat(70_000), 'c']
  const places = texts.map((text) => buffer.add(top, bodyOf(text)).byte)
  const lines = buffer.bytes.toString().split('\n')
  expect(lines.slice(0, 3).map((line) => line.replace(/,"crc":"[0-9a-f]{8}"\}$/, ''))).toEqual(
    texts.map((text) => `${top}${bodyOf(text)}`),
  )
  expect(places).toEqual([0, Buffer.byteLength(lines[0]!) + 1, Buffer.byteLength(`${lines[0]}${lines[1]}`) + 2])
  buffer.clear()
  expect(buffer.add(top, bodyOf('d')).byte).toBe(0)
  expect(buffer.bytes.toString()).toContain('"text":"d"')
})
