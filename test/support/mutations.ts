import { seededIds } from '../../src/host/seeded-ids.ts'

/** A source of mutated texts; the same seed gives the same ones. */
export interface Mutations {
  /** One of the samples with one to four mutations of its bytes, or, where it is JSON, with one of its parts altered. */
  next(): Uint8Array
}

const tokens = [
  '{', '}', '[', ']', '"', '\\', ',', ':', 'null', 'true', '-1', '1e999', '1.5', '9007199254740993', '18446744073709551616', '""', '{}', '[]',
  '"__proto__"', '{"__proto__":1}', '"constructor"', '"\\ud800"', '"\\u0000"', '"../../etc/passwd"', '"-oProxyCommand=x"', '\n', '\t', '\u2028', '\u{1f511}',
] // prettier-ignore
const rawBytes = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x00], [0xef, 0xbb, 0xbf], [0xf4, 0x90, 0x80, 0x80]]

/** Mutates texts as a broken, old or hostile writer would: pieces cut, doubled, moved, replaced, nested, blown up, and bytes that are no text. */
export function createMutations(samples: readonly string[], seed: string): Mutations {
  const chance = seededIds(seed)
  const below = (limit: number): number => Math.floor(chance.random() * limit)
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)]!
  const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
  const splice = (bytes: Uint8Array, at: number, cut: number, put: Uint8Array): Uint8Array =>
    Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)])
  /** Where a value or a name of the text begins. */
  const place = (bytes: Uint8Array): number => {
    const starts = [
      ...Buffer.from(bytes)
        .toString('latin1')
        .matchAll(/[[{:,"]/g),
    ].map(({ index }) => index + 1)
    return starts.length === 0 ? below(bytes.length + 1) : pick(starts)
  }
  const kinds: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => bytes.subarray(0, below(bytes.length + 1)),
    (bytes) => splice(bytes, below(bytes.length + 1), 1 + below(8), new Uint8Array()),
    (bytes) => splice(bytes, below(bytes.length + 1), below(4), bytesOf(pick(tokens))),
    (bytes) => splice(bytes, place(bytes), below(12), bytesOf(pick(tokens))),
    (bytes) => splice(bytes, place(bytes), 0, Uint8Array.from(pick(rawBytes))),
    (bytes) => splice(bytes, below(bytes.length + 1), 1, Uint8Array.of(below(256))),
    (bytes) => splice(bytes, place(bytes), 0, bytesOf(pick(samples).slice(0, below(200)))),
    (bytes) => splice(bytes, place(bytes), 0, bytes.subarray(below(bytes.length), below(bytes.length))),
    (bytes) => splice(bytes, place(bytes), 0, bytesOf(pick(['[', '{"a":', '"a":[']).repeat(1 + below(200)))),
    (bytes) =>
      chance.random() < 0.02 ? splice(bytes, place(bytes), 0, bytesOf('x'.repeat(1_100_000))) : bytes.slice().reverse(),
  ]
  const values: readonly unknown[] = [
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    '',
    'x',
    '../x',
    '-x',
    'w1',
    'a',
    [],
    {},
    ['a'],
    { a: 1 },
    '\u0000',
    'x'.repeat(300),
  ]
  /** Replaces, removes, doubles or renames a part of a document. */
  const altered = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || chance.random() < 0.2) return pick(values)
    if (Array.isArray(value)) {
      const at = below(value.length + 1)
      return chance.random() < 0.3 ? [...value, pick(values)] : value.toSpliced(at, 1, altered(value[at]))
    }
    const members = Object.entries(value)
    const at = below(members.length)
    const [name, member] = members[at] ?? ['a', 1]
    const kind = below(10)
    if (kind === 0) return Object.fromEntries(members.toSpliced(at, 1))
    if (kind === 1) return Object.fromEntries([...members, [`${name}2`, member]])
    return Object.fromEntries(members.toSpliced(at, 1, [name, altered(member)]))
  }
  return {
    next() {
      const sample = pick(samples)
      if (sample.startsWith('{') && chance.random() < 0.5) return bytesOf(JSON.stringify(altered(JSON.parse(sample))))
      let bytes = bytesOf(sample)
      for (let left = 1 + below(4); left > 0; left--) bytes = Uint8Array.from(pick(kinds)(bytes))
      return bytes
    },
  }
}
