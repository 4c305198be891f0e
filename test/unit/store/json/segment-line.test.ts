import { expect, test } from 'vitest'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import type { EntryLine } from '../../../../src/store/json/segment-line.ts'
import {
  claimedFormat,
  decodeLine,
  decodePlace,
  encodeClosed,
  encodeCut,
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
  cut: encodeCut({ run: 'run-1', seq: 3, hash: 'ab' }),
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

test('ST4 ST6 ST7 lines of control read back what was written', () => {
  const read = (text: string) => decodeLine(Buffer.from(text.trimEnd()))
  const dropped = { segments: ['00000001.0001'], removed: ['r'] }
  const previous = [{ segment: '00000001.0002', end: 12 }]
  expect(read(samples.header)).toEqual({ kind: 'header', header: { format: 1, store: 's', epoch: 1, segment: 1, owner } })
  expect(read(samples.closed)).toMatchObject({ kind: 'closed', offset: 90, at: 5 })
  expect(read(samples.cut)).toEqual({ kind: 'cut', cut: { run: 'run-1', seq: 3, hash: 'ab' } })
  expect(read(encodePrevious(previous))).toMatchObject({ kind: 'previous', previous })
  expect(read(encodePrevious(previous))).not.toHaveProperty('adopted')
  expect(read(encodePrevious(previous, { adopted: 7, dropped }))).toMatchObject({ previous, adopted: 7, dropped })
})

test('ST4 a line that is sealed, and says nothing that is known, is none', () => {
  const buffer = new LineBuffer()
  buffer.add('{"unheard":1,', '"of":2')
  expect(decodeLine(buffer.bytes.subarray(0, -1))).toBe(undefined)
  for (const length of [0, 1, 17, 18, 19, 20]) expect(decodeLine(Buffer.from(samples.entry).subarray(0, length))).toBe(undefined)
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

test('ST4 VE7 read behind the one before it in its batch, a line says the same, and not with any one bit changed', () => {
  const [run, batch] = ['run-1', (place: number) => [place, 3] as const]
  const one = encoded({ run, seq: 4, prev: 'ab', batch: batch(1), body: entryBody({ entry: { seq: 4 } }) })
  const two = encoded({ run, seq: 5, prev: one.hash, batch: batch(2), body: entryBody({ entry: { seq: 5, text: 'ü "crc":' } }) })
  const row = { id: run, name: 'r', status: 'running', tasks: 1, createdAt: 1, updatedAt: 1 } as const
  const three = encoded({ run, seq: 6, prev: two.hash, batch: batch(3), body: entryBody({ row, entry: { seq: 6 } }) })
  const [first, second, third] = [one, two, three].map(({ text }) => Buffer.from(text.trimEnd()))
  const lineOf = (bytes: Buffer | undefined, before?: EntryLine) => decodeLine(bytes ?? Buffer.alloc(0), before) as EntryLine
  const behind = [lineOf(second, lineOf(first)), lineOf(third, lineOf(second))]
  expect([lineOf(second), lineOf(third)]).toMatchObject(behind)
  expect(behind).toMatchObject([
    { seq: 5, entry: { text: 'ü "crc":' }, hash: two.hash },
    { seq: 6, row: { id: run } },
  ])
  const { entry: _, ...place } = lineOf(second, lineOf(first))
  expect(decodePlace(second ?? Buffer.alloc(0), lineOf(first))).toEqual(place)
  // A line of another run, or another place, is read for what it says.
  expect(lineOf(first, lineOf(second))).toEqual(lineOf(first))
  for (const decode of [decodeLine, decodePlace]) {
    const bits = Array.from({ length: (second?.length ?? 0) * 8 }, (__, bit) => bit)
    expect(bits.filter((bit) => decode(flip(second ?? Buffer.alloc(0), bit), lineOf(first)) !== undefined)).toEqual([])
  }
})

test('ST7 read for its place alone, a line says where it stands; what changes what is known of its run is read whole', () => {
  const place = { run: 'run-1', seq: 4, prev: 'ab', batch: [1, 2] as const }
  const entry = { seq: 4, text: 'x' }
  const bytesOf = (line: Line) => Buffer.from(encoded(line).text.trimEnd())
  for (const more of [{}, { offset: 12_345 }, { offset: 0 }]) {
    const bytes = bytesOf({ ...place, ...more, body: entryBody({ entry }) })
    const { hash } = decodeLine(bytes) as EntryLine
    expect(decodePlace(bytes)).toEqual({ kind: 'entry', ...place, ...more, hash })
  }
  const row = { id: 'run-1', name: 'r', status: 'running', tasks: 1, createdAt: 1, updatedAt: 1 } as const
  for (const body of [entryBody({ row, entry }), entryBody({ removed: 7 })]) {
    const bytes = bytesOf({ ...place, body })
    expect(decodePlace(bytes)).toEqual(decodeLine(bytes))
    expect(decodePlace(bytes)).toHaveProperty(body.startsWith('"row"') ? 'row' : 'removed')
  }
  // A place that is not written as places are, is read as JSON.
  const odd = bytesOf({ ...place, run: 'run-ü', body: entryBody({ entry }) })
  expect(decodePlace(odd)).toEqual(decodeLine(odd))
})

test('ST8 the format is told of a header whose rest cannot be read, and of nothing else', () => {
  const claims = [
    '{"flotilla":{"format":1,"x',
    '{"flotilla":{"format":123456789,',
    ' {"flotilla":{"format":1,',
    '{"flotilla":{"format":1',
    '{"run":',
  ]
  expect(claims.map((text) => claimedFormat(Buffer.from(text)))).toEqual([1, 123_456_789, undefined, undefined, undefined])
})

function flip(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return copy
}
