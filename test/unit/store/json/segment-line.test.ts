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

/** What a line says behind its place. */
const bodyOf = (...entries: readonly unknown[]) => entryBody({ entries: entries.map((entry) => JSON.stringify(entry)) })

const owner = { host: 'h', boot: null, pidNamespace: null, pid: 1, started: null, instance: 'i', since: 1 }
const samples = {
  header: encodeHeader({ format: 1, store: 's', epoch: 1, segment: 1, owner }),
  previous: encodePrevious([{ segment: '00000001.0001', end: 12 }]),
  closed: encodeClosed(5, 90),
  cut: encodeCut({ run: 'run-1', seq: 3, hash: 'ab' }),
  entries: encoded({
    run: 'run-ü',
    seq: 2,
    last: 3,
    prev: 'ab',
    batch: [1, 1],
    offset: 3,
    body: bodyOf({ seq: 2, text: 'a\nb' }, [0, { text: 'c' }]),
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
  for (const length of [0, 1, 17, 18, 19, 20])
    expect(decodeLine(Buffer.from(samples.entries).subarray(0, length))).toBe(undefined)
})

test('ST4 a checksum is read strictly: lower case, eight digits, nothing behind it', () => {
  const line = samples.entries.trimEnd()
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
  const first = encoded({ run: 'r', seq: 1, last: 1, prev: '', batch: [1, 1], body: bodyOf({ seq: 1 }) })
  const second = encoded({ run: 'r', seq: 2, last: 2, prev: first.hash, batch: [1, 1], body: bodyOf({ seq: 2 }) })
  const lines = [first, second].map(({ text }) => decodeLine(Buffer.from(text.trimEnd())))
  expect(lines).toMatchObject([{ hash: first.hash }, { prev: first.hash, hash: second.hash }])
})

test('ST7 read for its place alone, a line says where it stands, and what changes what is known of its run; not with any one bit changed', () => {
  const place = { run: 'run-1', seq: 4, last: 5, prev: 'ab', batch: [1, 2] as const }
  const entries = [
    { seq: 4, text: 'x,"entries":[' },
    { seq: 5, run: { id: 'ü' } },
  ]
  const row = { id: 'run-1', name: 'n ,"entries":[', status: 'running', tasks: 1, createdAt: 1, updatedAt: 1 } as const
  const bytesOf = (line: Line) => Buffer.from(encoded(line).text.trimEnd())
  for (const more of [{}, { offset: 12_345 }, { offset: 0 }, { run: 'run-ü' }, { run: '"quoted"' }])
    for (const said of [{}, { row }]) {
      const body = entryBody({ ...said, entries: entries.map((entry) => JSON.stringify(entry)) })
      const bytes = bytesOf({ ...place, ...more, body })
      const whole = decodeLine(bytes) as EntryLine
      expect(whole).toEqual({ kind: 'entries', ...place, ...more, ...said, entries, crc: expect.any(String), hash: whole.hash })
      const { entries: _, crc: __, ...known } = whole as EntryLine & { crc: string }
      expect(decodePlace(bytes)).toEqual(known)
      const bits = Array.from({ length: bytes.length * 8 }, (___, bit) => bit)
      expect(bits.filter((bit) => decodePlace(flip(bytes, bit)) !== undefined)).toEqual([])
    }
  const tombstone = bytesOf({ ...place, last: 4, body: entryBody({ removed: 7 }) })
  expect(decodePlace(tombstone)).toEqual(decodeLine(tombstone))
  expect(decodePlace(tombstone)).toMatchObject({ seq: 4, last: 4, removed: 7 })
  // What holds no entries is read whole, whatever it says.
  const base = {
    run: 'fleet',
    seq: 1,
    hash: 'ab',
    snapshot: { seq: 1, records: [{ key: 'k', seq: 1, value: { a: 1, entries: [] } }] },
  }
  const control = Buffer.from(encodePrevious([], { dropped: { segments: [], removed: [], base } }).trimEnd())
  expect(decodePlace(control)).toEqual(decodeLine(control))
  expect(decodePlace(control)).toMatchObject({ kind: 'previous', dropped: { base } })
})

test('ST4 a line whose entries are not as many as it says, or are like one that is not there, is none', () => {
  const place = { run: 'run-1', seq: 4, prev: 'ab', batch: [1, 1] as const }
  const read = (last: number, ...entries: readonly unknown[]) =>
    decodeLine(Buffer.from(encoded({ ...place, last, body: bodyOf(...entries) }).text.trimEnd()))
  expect(read(5, { seq: 4 }, [0, {}])).toBeDefined()
  expect(read(6, { seq: 4 }, [0, {}])).toBe(undefined)
  expect(read(4, { seq: 4 }, [0, {}])).toBe(undefined)
  for (const like of [1, 2, -1, 'a']) expect(read(6, { seq: 4 }, [like, {}], [0, {}]), String(like)).toBe(undefined)
  // It is like one that is whole.
  expect(read(6, { seq: 4 }, [0, {}], [1, {}])).toBe(undefined)
})

test('ST8 a line of format 1 holds one entry, whatever that says', () => {
  const entry = { seq: 4, first: 1, last: 2, entries: [{ seq: 1 }] }
  for (const said of [{ entry }, { row: { id: 'r' }, entry }, { removed: 7 }]) {
    const top = { run: 'run-1', seq: 4, prev: 'ab', batch: [1, 1] }
    const buffer = new LineBuffer()
    buffer.add(JSON.stringify({ ...top, ...said }).slice(0, -1), '')
    const bytes = Buffer.from(buffer.bytes.subarray(0, -1))
    const { entry: one, ...rest } = said as { entry?: object }
    const expected = { kind: 'entries', ...top, ...rest, last: 4, ...(one && { entries: [one] }) }
    expect(decodeLine(bytes)).toMatchObject(expected)
    expect(decodePlace(bytes)).toEqual(decodeLine(bytes))
  }
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
