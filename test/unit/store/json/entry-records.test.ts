import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StoredEntry } from '../../../../src/ports/store.ts'
import type { EntryRecord } from '../../../../src/store/json/entry-records.ts'
import { ownCopy } from '../../../../src/protocol/own-copy.ts'
import { areRecords, entriesOf } from '../../../../src/store/json/entry-records.ts'
import { EntryTexts } from '../../../../src/store/json/entry-texts.ts'

/** What a line holds of entries. */
function recordsOf(entries: readonly StoredEntry[]): readonly EntryRecord[] {
  const line = new EntryTexts()
  for (const entry of entries) line.add(entry)
  expect(line.length).toBe(line.texts.join('').length)
  return line.texts.map((text) => JSON.parse(text) as EntryRecord)
}

/** Entries as they are read again: the same text means the same fields in the same order. */
const readAgain = (entries: readonly StoredEntry[]) =>
  entriesOf({ seq: entries[0]?.seq ?? 1, entries: recordsOf(entries) }).map((entry) => JSON.stringify(entry))
const asText = (entries: readonly StoredEntry[]) => entries.map((entry) => JSON.stringify(entry))

const stepped = (seq: number, task: string, more: object = {}): StoredEntry => ({
  ...{ seq, at: 1_000, kind: 'task.stepped', task },
  ...{ set: { status: 'running', worker: 'w', heard: { attempt: 1, seq: 2 } }, events: [{ state: 'leased' }], ...more },
})

test('ST2 an entry that is like one before it says what is otherwise in it, and nothing else', () => {
  const other: StoredEntry = { seq: 6, at: 1_000, kind: 'run.sealed' }
  const set = { status: 'running', worker: 'v', heard: { attempt: 1, seq: 3 } }
  const entries = [
    stepped(5, 'a'),
    other,
    stepped(7, 'b'),
    { ...other, seq: 8 },
    stepped(9, 'c', { set }),
    stepped(10, 'd', { events: [] }),
  ]
  expect(recordsOf(entries)).toEqual([
    entries[0],
    other,
    [0, { task: 'b' }],
    [1, {}],
    [0, { task: 'c', set: { worker: 'v', heard: { seq: 3 } } }],
    [0, { task: 'd', events: [] }],
  ])
  expect(readAgain(entries)).toEqual(asText(entries))
})

test('ST2 lists are the same where all that they hold is, objects within them too', () => {
  const events = [{ state: 'leased', until: 1 }, { state: 'running' }]
  const others: object[][] = [
    [{ state: 'leased', until: 2 }, { state: 'running' }],
    [{ state: 'leased' }, { state: 'running' }],
    [{ until: 1, state: 'leased' }, { state: 'running' }],
    [{ state: 'leased', since: 1 }, { state: 'running' }],
    [{ state: 'leased', until: 1, more: 1 }, { state: 'running' }],
    [
      { state: 'leased', until: 1 },
      { state: 'running', more: 1 },
    ],
    [{ state: 'leased', until: 1 }, ['running']],
    [{ state: 'leased', until: 1 }],
  ]
  for (const other of others) {
    const entries = [
      stepped(1, 'a', { events }),
      stepped(2, 'a', { events: structuredClone(events) }),
      stepped(3, 'a', { events: other }),
    ]
    expect(recordsOf(entries).slice(1)).toEqual([
      [0, {}],
      [0, { events: other }],
    ])
    expect(readAgain(entries)).toEqual(asText(entries))
  }
})

test('ST4 a change is one of an entry before it that is whole, and the records are as many as they have to be', () => {
  const whole: StoredEntry = { seq: 1, at: 1, kind: 'run.sealed' }
  expect(areRecords([whole, [0, {}], whole, [2, {}], [0, {}]], 5)).toBe(true)
  expect(areRecords([], 0)).toBe(true)
  expect(areRecords([whole, [0, {}]], 1)).toBe(false)
  expect(areRecords([whole, [0, {}]], 3)).toBe(false)
  expect(areRecords([[0, {}]], 1)).toBe(false)
  expect(areRecords([[1, {}], whole], 2)).toBe(false)
  expect(areRecords([whole, [0, {}], [1, {}]], 3)).toBe(false)
  expect(areRecords([whole, [-1, {}]], 2)).toBe(false)
})

test('ST2 an entry with other fields, in another order, or with one that is absent, is whole', () => {
  const entry = stepped(2, 'b')
  const { set, ...without } = entry
  const others = [
    { ...entry, more: 1 },
    without,
    { set, ...without },
    { ...entry, set: { status: 'running' } },
    { ...entry, set: null },
    { ...entry, set: ['running'] },
    { ...entry, set: { ...(set as object), heard: undefined } },
    { ...entry, task: undefined },
  ] as StoredEntry[]
  for (const one of others) {
    const between = [stepped(1, 'a'), one, { ...stepped(3, 'c') }]
    const changes = recordsOf(between).map((record) => Array.isArray(record))
    // A list, or nothing, in place of an object is another value of the field; only of objects it is told what is otherwise in them.
    expect(changes[1], JSON.stringify(one)).toBe(
      Object.keys(one).length === 6 && (one['set'] === null || Array.isArray(one['set'])),
    )
    expect(readAgain(between)).toEqual(asText(between))
  }
})

test('ST2 of what is no plain JSON the text is what it was', () => {
  const values = [
    5,
    new Date(0),
    new Date(1e12),
    () => 5,
    Symbol('s'),
    undefined,
    [1, 2],
    // With holes.
    Object.assign([], { length: 2 }),
    [undefined, 2],
    Object(7),
    Object(8),
    new Map(),
    {},
    { toJSON: () => 'x' },
  ]
  for (const one of values)
    for (const other of values) {
      const entries = [one, other].map((value, index) => ({
        seq: index + 1,
        value,
        within: { value, list: [value] },
      })) as never as StoredEntry[]
      expect(readAgain(entries)).toEqual(asText(entries))
    }
})

test('ST2 a few shapes are compared, those that came last', () => {
  const shapes = ['a', 'b', 'c', 'd', 'e'].map((field, index): StoredEntry => ({ seq: index + 1, [field]: 1 }))
  const again = shapes.map((entry, index) => ({ ...entry, seq: index + 6 }))
  const records = recordsOf([...shapes, ...again.toReversed().map((entry, index) => ({ ...entry, seq: index + 6 }))])
  expect(records.slice(5)).toEqual([[4, {}], [3, {}], [2, {}], [1, {}], { seq: 10, a: 1 }])
})

test('ST2 whatever entries say, they are read as they were written, whole lines and parts of them', () => {
  const scalar = fc.oneof(fc.constantFrom(0, -0, 1, 1e21, null, true, '', 'text', 'ü🛟', NaN), fc.string(), fc.double())
  const key = fc.constantFrom('a', 'b', 'set', '__proto__', 'constructor', '1', 'entries')
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
    object: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(objectOf),
  }))
  const shaped = fc.array(fc.tuple(key, value), { maxLength: 4 })
  fc.assert(
    fc.property(
      fc.array(shaped, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(2), key, value), { maxLength: 12 }),
      fc.nat(20),
      fc.nat(20),
      (bases, changes, from, to) => {
        const all = [
          ...bases,
          ...changes.map(([base, field, said]) =>
            (bases[base % bases.length] ?? []).map(([name, one]) => [name, name === field ? said : one] as const),
          ),
        ]
        const entries = all.map((fields, index) => ({ seq: index + 4, ...objectOf(fields) }) as StoredEntry)
        expect(readAgain(entries)).toEqual(asText(entries))
        const part = entriesOf({ seq: 4, entries: recordsOf(entries) }, from, to)
        expect(asText(part)).toEqual(asText(entries.filter(({ seq }) => seq >= from && seq <= to)))
      },
    ),
    { numRuns: 500 },
  )
})

/** An object with its own fields, whatever they are called. */
function objectOf(fields: readonly (readonly [string, unknown])[]): object {
  const object = {}
  for (const [name, value] of fields)
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  return object
}

test('ST2 entries of a line share what is the same in them; a copy shares nothing', () => {
  const [first, second] = entriesOf({ seq: 1, entries: recordsOf([stepped(1, 'a'), stepped(2, 'b')]) })
  expect(second?.['events']).toBe(first?.['events'])
  const copy = ownCopy(second!)
  expect(copy).toStrictEqual(second)
  expect(copy['set']).not.toBe(second!['set'])
  expect((copy['events'] as object[])[0]).not.toBe((second!['events'] as object[])[0])
  const own = JSON.parse('{"seq":1,"__proto__":{"x":[{"y":1}]}}') as StoredEntry
  const [copied] = [ownCopy(own)]
  expect(JSON.stringify(copied)).toBe(JSON.stringify(own))
  expect(Object.getPrototypeOf(copied)).toBe(Object.prototype)
})
