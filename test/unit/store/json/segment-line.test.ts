import { expect, test } from 'vitest'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import {
  decodeLine,
  encodeClosed,
  encodeHeader,
  encodePrevious,
  entryBody,
  entryTop,
} from '../../../../src/store/json/segment-line.ts'

type Line = Parameters<typeof entryTop>[0] & { readonly body: string }

/** A line as a group writes it. */
function encoded({ body, ...place }: Line): { readonly text: string; readonly hash: string } {
  const buffer = new LineBuffer()
  const { hash } = buffer.add(entryTop(place), body)
  return { text: Buffer.from(buffer.bytes).toString(), hash }
}

const owner = { host: 'h', boot: null, pidNamespace: null, pid: 1, started: null, instance: 'i', since: 1 }
const samples = {
  header: encodeHeader({ format: 1, store: 's', epoch: 1, segment: 1, owner }),
  previous: encodePrevious([{ segment: '00000001.0001', end: 12 }]),
  closed: encodeClosed(5, 90),
  entry: encoded({
    run: 'run-ü',
    seq: 2,
    prev: 'ab',
    batch: [1, 1],
    offset: 3,
    body: entryBody({ entry: { seq: 2, text: 'a\nb' } }),
  }).text,
}

test.for(Object.entries(samples))('ST4 a %s line reads back, and not with any one bit changed', ([kind, text]) => {
  const bytes = Buffer.from(text).subarray(0, -1)
  expect(decodeLine(bytes)?.kind).toBe(kind)
  const accepted = Array.from({ length: bytes.length * 8 }, (_, bit) => bit).filter(
    (bit) => decodeLine(flip(bytes, bit)) !== undefined,
  )
  expect(accepted).toEqual([])
})

test('ST4 a checksum is read strictly: lower case, eight digits, nothing behind it', () => {
  const line = samples.entry.trimEnd()
  const upper = line.replace(/[0-9a-f]{8}"\}$/, (end) => end.toUpperCase())
  expect(decodeLine(Buffer.from(line))).toBeDefined()
  for (const changed of [
    upper === line ? `${line} ` : upper,
    `${line} `,
    ` ${line}`,
    `${line}\r`,
    line.replace('"crc":"', '"crc": "'),
  ])
    expect(decodeLine(Buffer.from(changed))).toBeUndefined()
})

test('VE7 a line names the hash of the one before it', () => {
  const first = encoded({ run: 'r', seq: 1, prev: '', batch: [1, 1], body: entryBody({ entry: { seq: 1 } }) })
  const second = encoded({ run: 'r', seq: 2, prev: first.hash, batch: [1, 1], body: entryBody({ entry: { seq: 2 } }) })
  const lines = [first, second].map(({ text }) => decodeLine(Buffer.from(text.trimEnd())))
  expect(lines).toMatchObject([{ hash: first.hash }, { prev: first.hash, hash: second.hash }])
})

function flip(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return copy
}
