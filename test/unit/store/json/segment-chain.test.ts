import { expect, test } from 'vitest'
import type { SegmentTop } from '../../../../src/store/json/segment-chain.ts'
import { epochOf, listSegments, missingSegments, resolveChain, segmentName } from '../../../../src/store/json/segment-chain.ts'
import type { DropRecord, SegmentEnd } from '../../../../src/store/json/segment-line.ts'
import { encodeClosed, encodeHeader, encodePrevious } from '../../../../src/store/json/segment-line.ts'
import { memoryDisk } from './memory-disk.ts'

const owner = { host: 'h', boot: null, pidNamespace: null, pid: 1, started: null, instance: 'i', since: 1 }
const headerOf = (name: string, store = 'store-1', format = 2) =>
  encodeHeader({ format, store, epoch: Number(name.slice(0, 8)), segment: Number(name.slice(9)), owner })
/** A segment as its owner writes it: what it is, where the ones before end, and more. */
const whole = (name: string, previous: readonly SegmentEnd[], dropped?: DropRecord) =>
  headerOf(name) + encodePrevious(previous, dropped && { dropped }) + encodeClosed(1, 0)

const [a1, a2, b1, b2, c1] = ['00000001.0001', '00000001.0002', '00000002.0001', '00000002.0002', '00000003.0001'] as const
const diskOf = (segments: Readonly<Record<string, string>>) =>
  memoryDisk(Object.fromEntries(Object.entries(segments).map(([name, text]) => [`j/${name}.jsonl`, text])))

test('ST6 the name of a segment sorts by its epoch, then by its number', () => {
  expect([segmentName(1, 2), segmentName(12_345_678, 1_234)]).toEqual(['00000001.0002', '12345678.1234'])
  expect(epochOf('00000012.0003')).toBe(12)
})

test('ST6 only files that are named as segments are, count', async () => {
  const names = [
    `${a1}.jsonl`,
    `${a2}.jsonl.torn`,
    `x${a1}.jsonl`,
    '1.1.jsonl',
    `${a2}.jsonl`,
    '000000001.0001.jsonl',
    'notes.txt',
  ]
  const disk = memoryDisk(Object.fromEntries(names.map((name) => [`j/${name}`, ''])))
  expect(await listSegments(disk, 'j')).toEqual([a1, a2])
  expect(await listSegments(disk, 'elsewhere')).toEqual([])
  expect(missingSegments(disk, 'j', [{ segment: a1 }, { segment: b1, end: 5 }, { segment: a2 }])).toEqual([b1])
})

test('ST6 a folder without segments has no history', async () => {
  expect(await resolveChain(diskOf({}), 'j')).toEqual({ links: [], pending: false, warnings: [] })
})

test('ST6 the newest epoch says which segments count, and up to where', async () => {
  const ends = [
    { segment: a1, end: 100 },
    { segment: a2, end: 200 },
  ]
  const chain = await resolveChain(diskOf({ [a1]: whole(a1, []), [a2]: whole(a2, []), [b1]: whole(b1, ends) }), 'j')
  expect(chain).toMatchObject({
    links: [...ends, { segment: b1 }],
    newest: { segment: b1, epoch: 2, header: { epoch: 2, segment: 1, store: 'store-1' } },
    pending: false,
    store: 'store-1',
    warnings: [],
  })
  expect(chain.links[2]).toEqual({ segment: b1 })
  expect(chain.dropped).toBe(undefined)
})

test('ST6 a further segment of an epoch names the one before, and so on back to the first of its epoch', async () => {
  const chain = await resolveChain(
    diskOf({ [a1]: whole(a1, []), [b1]: whole(b1, [{ segment: a1, end: 9 }]), [b2]: whole(b2, [{ segment: b1, end: 77 }]) }),
    'j',
  )
  expect(chain.links).toEqual([{ segment: a1, end: 9 }, { segment: b1, end: 77 }, { segment: b2 }])
})

test('ST6 ST7 a record of what was dropped lists all that count before it, also in a further segment', async () => {
  const dropped = { segments: [a1, a2], removed: ['r1'] }
  const chain = await resolveChain(
    diskOf({ [b1]: whole(b1, [{ segment: a1, end: 9 }]), [b2]: whole(b2, [{ segment: b1, end: 50 }], dropped) }),
    'j',
  )
  expect(chain).toMatchObject({ links: [{ segment: b1, end: 50 }, { segment: b2 }], dropped, warnings: [] })
})

test('ST6 an owner that got no further than its name holds nothing, and what was before it counts', async () => {
  for (const begun of ['', headerOf(b1), headerOf(b1) + encodePrevious([]).slice(0, 20), `${headerOf(b1)}spoilt\n`]) {
    const chain = await resolveChain(diskOf({ [a1]: whole(a1, []), [b1]: begun }), 'j')
    expect(chain).toMatchObject({ links: [{ segment: a1 }], pending: true, newest: { segment: b1, epoch: 2 }, store: 'store-1' })
  }
  const alone = await resolveChain(diskOf({ [b1]: headerOf(b1) }), 'j')
  expect(alone).toMatchObject({ links: [], pending: true, newest: { segment: b1 } })
})

test('ST4 ST6 where the record of an owner is damaged, what was before it is read to its last byte, with a warning', async () => {
  const chain = await resolveChain(
    diskOf({
      [a1]: whole(a1, []),
      [b1]: `${headerOf(b1)}spoilt\n${encodeClosed(1, 0)}`,
      [b2]: whole(b2, [{ segment: b1, end: 50 }]),
    }),
    'j',
  )
  expect(chain).toMatchObject({
    links: [{ segment: a1, end: Number.MAX_SAFE_INTEGER }, { segment: b1, end: 50 }, { segment: b2 }],
    pending: false,
    warnings: [`The second line of journal/${b1}.jsonl is damaged: older segments are read up to their last byte.`],
  })
  const first = await resolveChain(diskOf({ [a1]: `spoilt\nspoilt\n${encodeClosed(1, 0)}` }), 'j')
  expect(first).toMatchObject({ links: [{ segment: a1 }], pending: false, warnings: [expect.stringContaining(a1)] })
})

test('ST4 ST6 where the newest record is damaged, an older segment that was only begun counts as what it holds', async () => {
  const spoilt = `${headerOf(c1)}spoilt\n${encodeClosed(1, 0)}`
  const chain = await resolveChain(diskOf({ [a1]: whole(a1, []), [b1]: headerOf(b1), [c1]: spoilt }), 'j')
  const end = Number.MAX_SAFE_INTEGER
  expect(chain).toMatchObject({ links: [{ segment: a1, end }, { segment: b1, end }, { segment: c1 }], pending: false })
})

test('ST4 ST6 a copy of a segment under another name is not read, and told; its epoch is taken', async () => {
  const chain = await resolveChain(diskOf({ [a1]: whole(a1, []), [b1]: whole(a1, []), [c1]: whole(a1, []) }), 'j')
  expect(chain).toMatchObject({ links: [{ segment: a1 }], newest: { segment: a1, epoch: 3 }, pending: false })
  expect(chain.warnings).toEqual(
    [c1, b1].map((name) => `j/${name}.jsonl is a copy of another segment, and not read. Move it away.`),
  )
})

test('ST6 the id of the store is that of the newest header that can be read', async () => {
  const segments = { [a1]: headerOf(a1, 'older') + encodePrevious([]), [b1]: headerOf(b1, 'newer'), [c1]: '' }
  expect(await resolveChain(diskOf(segments), 'j')).toMatchObject({ store: 'newer', links: [{ segment: a1 }], pending: true })
  expect(await resolveChain(diskOf({ [a1]: '' }), 'j')).not.toHaveProperty('store')
})

test('ST8 a newer format is refused with file and format, also where the rest of its header cannot be read', async () => {
  const newer = headerOf(b1, 'store-1', 3)
  for (const text of [newer, newer.replace('"crc":"', '"crc":"x')])
    await expect(resolveChain(diskOf({ [a1]: whole(a1, []), [b1]: text }), 'j')).rejects.toMatchObject({
      code: 'store_too_new',
      details: { file: `j/${b1}.jsonl`, format: 3 },
    })
  expect(await resolveChain(diskOf({ [a1]: whole(a1, []) }), 'j')).toMatchObject({ links: [{ segment: a1 }] })
})

test('ST7 what a segment says of those before it is read once, when it cannot change any more', async () => {
  const tops = new Map<string, SegmentTop>()
  const segments = { [a1]: whole(a1, []), [b1]: headerOf(b1) }
  await resolveChain(diskOf(segments), 'j', tops)
  expect([...tops.keys()]).toEqual([a1])
  // The one that was not complete is read again, the other is known.
  const later = await resolveChain(diskOf({ [a1]: '', [b1]: whole(b1, [{ segment: a1, end: 5 }]) }), 'j', tops)
  expect(later).toMatchObject({ links: [{ segment: a1, end: 5 }, { segment: b1 }], pending: false })
})

test('ST7 a record that is longer than what is read of a segment at first is read whole', async () => {
  const many = Array.from({ length: 3_000 }, (_, n) => ({ segment: segmentName(1, n + 1), end: n }))
  const chain = await resolveChain(diskOf({ [a1]: whole(a1, []), [b1]: whole(b1, many) }), 'j')
  expect(chain.links).toEqual([...many, { segment: b1 }])
})
