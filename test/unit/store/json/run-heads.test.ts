import { expect, test } from 'vitest'
import { HeadShards } from '../../../../src/store/json/head-shards.ts'
import { mostFreshMarks } from '../../../../src/store/json/marks.ts'
import type { KnownHeads } from '../../../../src/store/json/run-heads.ts'
import { RunHeads } from '../../../../src/store/json/run-heads.ts'
import type { PlacedLine } from '../../../../src/store/json/segment-parse.ts'
import { SegmentUse } from '../../../../src/store/json/segment-use.ts'
import { rowOf } from './store-folder.ts'

const [s1, s2, s3] = ['00000001.0001', '00000001.0002', '00000001.0003'] as const

/** A line as it follows in its run, unless told otherwise: the hash of a line is its run and sequence. */
function line(run: string, seq: number, more: Partial<PlacedLine> = {}): PlacedLine {
  const prev = seq === 1 ? '' : `${run}${seq - 1}`
  return { kind: 'entries', run, seq, last: seq, prev, batch: [1, 1], hash: `${run}${seq}`, byte: seq * 100, ...more }
}

const tombstone = (run: string, seq: number) => line(run, seq, { removed: 9 })

function headsOf(lines: readonly (readonly [PlacedLine, string])[], known: KnownHeads = {}): RunHeads {
  const heads = new RunHeads(known)
  for (const [one, segment] of lines) heads.foldLine(one, segment)
  return heads
}

/** What a run's bytes look like where they do not read as they were written. */
const bad = (text: string, byte: number, run?: string) =>
  ({ kind: 'bad', byte, text, ...(run !== undefined && { run }) }) as const
const cut = (run: string, seq: number, hash: string, byte: number) =>
  ({ kind: 'control', byte, line: { kind: 'cut', cut: { run, seq, hash } } }) as const

test('ST2 a head tells the last line of its run, its row, and where in each segment it begins', () => {
  const row = rowOf('a', { key: 'k', status: 'running' })
  const heads = headsOf([
    [line('a', 1, { row }), s1],
    [line('b', 1, { row: rowOf('b') }), s1],
    [line('a', 2), s1],
    [line('a', 3), s2],
    [line('c', 1), s2],
  ])
  expect(heads.get('a')).toEqual({
    run: 'a',
    order: 0,
    seq: 3,
    hash: 'a3',
    row,
    marks: [
      { seq: 1, segment: s1, byte: 100 },
      { seq: 3, segment: s2, byte: 300 },
    ],
  })
  expect([heads.seq('a'), heads.seq('b'), heads.seq('z')]).toEqual([3, 1, 0])
  expect([heads.keyHolder('k'), heads.keyHolder('z'), heads.created]).toEqual(['a', undefined, 3])
  expect(heads.rows()).toEqual([row, rowOf('b')])
  expect(heads.segments.all()).toEqual([
    [s1, { runs: 2, tombstones: 0 }],
    [s2, { runs: 2, tombstones: 0 }],
  ])
  // Where the writer's own lines stand counts from the write's beginning.
  heads.foldLine(line('d', 1), s2, 5_000)
  expect(heads.get('d')?.marks).toEqual([{ seq: 1, segment: s2, byte: 5_100 }])
})

test('ST2 rows come in the order in which their runs were created, from wherever they are known', () => {
  const head = (run: string, order: number, key?: string) => ({
    run,
    order,
    seq: 1,
    hash: '',
    marks: [],
    row: rowOf(run, key === undefined ? {} : { key }),
  })
  const heads = headsOf([[line('new', 1, { row: rowOf('new') }), s1]], { heads: [head('c', 7), head('a', 2, 'k')], created: 5 })
  expect(heads.rows().map(({ id }) => id)).toEqual(['a', 'c', 'new'])
  expect([heads.get('new')?.order, heads.created, heads.keyHolder('k')]).toEqual([8, 9, 'a'])
  expect([new RunHeads({ created: 5 }).created, new RunHeads().created, new RunHeads().lacks('a')]).toEqual([5, 0, false])
})

test('ST4 a line that does not follow stops its run at the first such place, and another run not', () => {
  for (const wrong of [line('a', 4), line('a', 4, { prev: 'a1' }), line('a', 2, { prev: 'other' }), line('a', 1)]) {
    const heads = headsOf([
      [line('a', 1), s1],
      [{ ...wrong, byte: 777 }, s1],
      [line('a', 9), s2],
      [line('b', 1), s2],
    ])
    expect(heads.get('a')).toMatchObject({ seq: 1, hash: 'a1', damage: { segment: s1, byte: 777 } })
    expect(heads.damages).toEqual([{ run: 'a', place: { segment: s1, byte: 777 } }])
    expect(heads.get('b')).toMatchObject({ seq: 1 })
  }
})

test('ST4 a run that goes on behind a damage without a gap did not have it; the place is told all the same', () => {
  const heads = headsOf([
    [line('a', 1), s1],
    [line('a', 1, { byte: 777 }), s1],
    [line('a', 2), s1],
  ])
  expect(heads.get('a')).not.toHaveProperty('damage')
  expect(heads.damages).toEqual([{ run: undefined, place: { segment: s1, byte: 777 } }])
  expect(heads.seq('a')).toBe(2)
})

test('RU8 ST7 a removed run keeps its id and nothing else, once, and its segments are free of it', () => {
  const row = rowOf('a', { key: 'k' })
  const heads = headsOf([
    [line('a', 1, { row }), s1],
    [line('a', 2), s2],
    [line('b', 1), s2],
  ])
  heads.fold([bad('', 5, 'a')], s2)
  for (const [one, segment] of [
    [tombstone('a', 3), s3],
    [tombstone('a', 4), s3],
    [line('a', 4), s3],
  ] as const)
    heads.foldLine(one, segment)
  expect(heads.get('a')).toEqual({ run: 'a', order: 0, seq: 3, hash: '', marks: [], removed: true })
  expect([heads.removed('a'), heads.removed('b'), heads.removed('z')]).toEqual([true, false, false])
  expect([heads.keyHolder('k'), heads.damages, heads.rows()]).toEqual([undefined, [], []])
  expect([heads.segments.of(s1), heads.segments.of(s2), heads.segments.of(s3)]).toEqual([
    { runs: 0, tombstones: 0 },
    { runs: 1, tombstones: 0 },
    { runs: 0, tombstones: 1 },
  ])
  heads.fold([bad('"run":"a","seq":3,"last":3,"prev":"x"', 6), bad('', 7, 'a')], s3)
  // What follows is no line of it, so that nobody can tell whose it was.
  expect(heads.damages).toEqual([{ run: undefined, place: { segment: s3, byte: 6 } }])
})

test('RU8 a tombstone counts though lines before it are missing, or all of them', () => {
  const heads = headsOf([
    [line('a', 1), s1],
    [tombstone('a', 7), s2],
    [tombstone('never-seen', 4), s2],
  ])
  expect([heads.removed('a'), heads.seq('a'), heads.removed('never-seen'), heads.seq('never-seen')]).toEqual([true, 7, true, 4])
  expect([heads.damages, heads.segments.of(s2)]).toEqual([[], { runs: 0, tombstones: 2 }])
})

test('ST7 the reserved stream holds no segment, and is read on from its base', () => {
  const base = { run: 'fleet', seq: 2, hash: 'fleet2', snapshot: { seq: 2, records: [] } }
  const lines = [line('fleet', 1), line('fleet', 2), line('fleet', 3)]
  const heads = new RunHeads()
  for (const [index, one] of lines.entries()) heads.fold([{ kind: 'batch', lines: [one] }], [s1, s2, s3][index] ?? s3)
  expect(heads.segments.all()).toEqual([])
  heads.begin(base)
  expect(heads.get('fleet')).toMatchObject({ seq: 3, hash: 'fleet3', base, marks: [{ seq: 3, segment: s3 }] })
  const fresh = new RunHeads()
  fresh.begin(base)
  fresh.fold([{ kind: 'batch', lines }], s2)
  expect(fresh.get('fleet')).toMatchObject({ seq: 3, hash: 'fleet3', marks: [{ seq: 3 }] })
  expect(fresh.damages).toEqual([])
})

test('RU8 ST7 a record of segments that went tells runs that were removed, and what it alone knows from now on', () => {
  const base = { run: 'fleet', seq: 2, hash: 'f', snapshot: { seq: 2, records: [] } }
  const record = { segments: [s1], removed: ['a', 'b', 'unknown'], base }
  const before = () =>
    headsOf([
      [line('a', 1, { row: rowOf('a', { key: 'k' }) }), s1],
      [line('b', 1), s1],
      [tombstone('b', 2), s2],
      [line('c', 1), s2],
    ])
  const heads = before()
  heads.fold([{ kind: 'control', byte: 0, line: { kind: 'previous', previous: [], dropped: record } }], s3)
  expect(['a', 'b', 'unknown', 'c'].map((run) => heads.removed(run))).toEqual([true, true, true, false])
  expect([heads.seq('b'), heads.keyHolder('k'), heads.get('fleet')?.base]).toEqual([2, undefined, base])
  expect(heads.segments.all()).toEqual([
    [s2, { runs: 1, tombstones: 1 }],
    [s3, { runs: 0, tombstones: 3 }],
  ])
  // Whoever made the record knew of all this.
  const own = before()
  own.foldDrop({ segments: [s1], removed: record.removed }, s3, true)
  expect([...own.all()]).toEqual([...before().all()])
  expect([own.removed('a'), own.get('unknown'), own.segments.of(s3).tombstones]).toEqual([false, undefined, 3])
  const none = before()
  none.fold(
    [
      { kind: 'control', byte: 0, line: { kind: 'previous', previous: [] } },
      { kind: 'control', byte: 1, line: { kind: 'closed' } },
    ],
    s3,
  )
  expect(none.segments.of(s3)).toEqual({ runs: 0, tombstones: 0 })
})

test('ST4 a cut lets a run go on behind its last good line, and holds its segment as long as the run is there', () => {
  const heads = headsOf([
    [line('a', 1), s1],
    [line('a', 9, { byte: 150 }), s1],
  ])
  heads.fold([cut('a', 1, 'a1', 160)], s1)
  expect(heads.damages).toEqual([])
  expect(heads.get('a')?.cuts).toEqual([{ seq: 1, segment: s1, byte: 160 }])
  expect(heads.segments.of(s1)).toEqual({ runs: 2, tombstones: 0 })
  for (const seq of [2, 3]) heads.foldLine(line('a', seq, { byte: 170 + seq }), s1)
  // The line behind the cut is where reading goes on, however near the one before is.
  expect(heads.get('a')?.marks.map(({ seq }) => seq)).toEqual([1, 2])
  expect(heads.segments.of(s1)).toEqual({ runs: 2, tombstones: 0 })
  heads.fold([bad('', 180, 'a'), cut('a', 3, 'a3', 190)], s2)
  heads.foldLine(line('a', 4, { byte: 200 }), s2)
  heads.fold([bad('', 210, 'a'), cut('a', 4, 'a4', 220)], s2)
  heads.foldLine(line('a', 5, { byte: 230 }), s2)
  expect(heads.get('a')).toMatchObject({ seq: 5, cuts: [{ seq: 1 }, { seq: 3, byte: 190 }, { seq: 4, byte: 220 }] })
  expect(heads.get('a')?.marks.map(({ seq }) => seq)).toEqual([1, 2, 4, 5])
  expect(heads.segments.of(s2)).toEqual({ runs: 3, tombstones: 0 })
  heads.foldLine(tombstone('a', 6), s3)
  expect([heads.segments.of(s1).runs, heads.segments.of(s2).runs, heads.get('a')?.cuts]).toEqual([0, 0, undefined])
})

test('ST4 a cut of another line, of a removed run, or of none changes nothing', () => {
  const lines = [
    [line('a', 1), s1],
    [line('a', 9), s1],
    [line('gone', 1), s1],
    [tombstone('gone', 2), s1],
  ] as const
  const before = JSON.stringify([...headsOf(lines).all()])
  for (const other of [cut('a', 2, 'a1', 5), cut('a', 1, 'a2', 5), cut('gone', 2, '', 5), cut('z', 0, '', 5)]) {
    const heads = headsOf(lines)
    heads.fold([other], s2)
    expect(JSON.stringify([...heads.all()])).toBe(before)
    expect(heads.segments.of(s2).runs).toBe(0)
  }
})

test('ST4 whose bytes are damaged is told by run, by hash, or by being the first of a run; or else nobody is stopped', () => {
  const place = { segment: s2, byte: 40 }
  const brokenBy = (text: string) => {
    const heads = headsOf([
      [line('a', 1), s1],
      [line('b', 11, { seq: 1, prev: '', hash: 'b1' }), s1],
      [line('gone', 1), s1],
      [tombstone('gone', 2), s1],
    ])
    heads.fold([bad(text, 40)], s2)
    expect(heads.damages.every(({ place: at }) => at.segment === place.segment && at.byte === place.byte)).toBe(true)
    return heads.damages.map(({ run }) => run)
  }
  expect(brokenBy('{"run":"a","seq":2,"last":2,"prev":"a1",')).toEqual(['a'])
  expect(brokenBy('{"run":"x","seq":2,"last":2,"prev":"a1",')).toEqual(['a'])
  expect(brokenBy('{"run":"b","seq":12,"last":12,"prev":"xx",')).toEqual(['b'])
  // A line that the run has already is no line of it.
  expect(brokenBy('{"run":"b","seq":1,"last":1,"prev":"",')).toEqual([undefined])
  expect(brokenBy('{"run":"b","seq":11,"last":11,"prev":"xx",')).toEqual([undefined])
  // No run bears no name.
  expect(brokenBy('{"run":"","seq":1,"last":1,"prev":"",')).toEqual([undefined])
  // Where what it is called by is damaged the hash tells it, where the hash is, its name; what an entry says tells nothing.
  expect(brokenBy('{"run"*"x","seq":2,"last":2,"prev":"a1","batch":[1,1],"entries":[{"run":"b","seq":2}]')).toEqual(['a'])
  expect(brokenBy('{"run":"a","seq":2,"last":2,"prev*"a9","batch":[1,1],"entries":[{"prev":"b1"}]')).toEqual(['a'])
  expect(
    brokenBy('{"run*:"new","seq":1,"last":1,"prev":"","batch":[1,1],"row":{"run":"b"},"entries":[{"run":"b","prev":"b1"}]'),
  ).toEqual([undefined])
  expect(brokenBy(' of what an entry said","run":"b","seq":2,"entries":[{"prev":"b1"}]')).toEqual([undefined])
  expect(brokenBy('{"run":"new","seq":1,"last":1,"prev":"",')).toEqual(['new'])
  expect(brokenBy('{"run":"","seq":1,"last":1,"prev":"b1",')).toEqual(['b'])
  for (const text of [
    '',
    'x',
    '{"run":"new","seq":2,"last":2,"prev":"",',
    '{"run":"new","seq":1,"last":1,"prev":"xx",',
    '{"run":"gone","seq":2,"last":2,"prev":"x"',
  ])
    expect(brokenBy(text), text).toEqual([undefined])
  expect(brokenBy('{"run":"a","seq":2,"last":2,"prev":"a1",\n{"run":"b","seq":2,"last":2,"prev":"b1",').toSorted()).toEqual([
    'a',
    'b',
  ])
  // Where the run is known by what stands around, the text is not asked; the first place counts.
  const heads = headsOf([
    [line('a', 1), s1],
    [line('b', 1), s1],
  ])
  heads.fold([bad('{"run":"b","seq":2,"last":2,"prev":"b1",', 40, 'a'), bad('', 80, 'a')], s2)
  expect(heads.damages).toEqual([{ run: 'a', place }])
})

test('CO9 of runs that ended long ago one place is kept in each segment; of those that ended last, all', () => {
  const heads = new RunHeads()
  const far = 40_000
  const run = (name: string, marks: number, more: Partial<PlacedLine>) => {
    for (let seq = 1; seq <= marks; seq += 1)
      heads.foldLine(line(name, seq, { byte: seq * far, ...(seq === marks && more) }), seq <= marks / 2 ? s1 : s2)
  }
  const marksOf = (name: string) => heads.get(name)?.marks.length
  const ended = (name: string) => ({ row: rowOf(name, { status: 'completed' }) })
  const half = mostFreshMarks / 2
  run('first', half, ended('first'))
  run('second', half, ended('second'))
  run('running', 100, { row: rowOf('running', { status: 'running' }) })
  expect([marksOf('first'), marksOf('second')]).toEqual([half, half])
  // It goes on, so its marks stay.
  heads.foldLine(line('first', half + 1, { byte: 1, row: rowOf('first', { status: 'running' }) }), s3)
  run('third', 1, ended('third'))
  run('fourth', half, ended('fourth'))
  expect(['first', 'second', 'third', 'fourth', 'running'].map(marksOf)).toEqual([half + 1, 2, 1, half, 100])
})

test('ST2 what shards of the index hold may be lacking until they are loaded, or found by another reading', () => {
  const ref = { file: 'one.json', runs: 2, newest: 1, stale: ['stale'] }
  const kept = (run: string, order: number) => ({
    run,
    order,
    seq: 3,
    hash: 'h',
    marks: [],
    row: rowOf(run, { key: `key-${run}` }),
  })
  const known = () => headsOf([[line('here', 1, { row: rowOf('here', { key: 'k' }) }), s1]], { shards: new HeadShards([ref]) })
  const heads = known()
  const lacks = () => ['here', 'a', 'stale'].map((run) => heads.lacks(run))
  expect([lacks(), heads.lacksKey('k'), heads.lacksKey('key-a')]).toEqual([[false, true, true], false, true])
  heads.load(ref, [kept('a', 4), kept('stale', 5)])
  expect([lacks(), heads.lacksKey('key-a')]).toEqual([[false, false, false], false])
  expect([heads.seq('a'), heads.seq('stale'), heads.keyHolder('key-a'), heads.created]).toEqual([3, 0, 'a', 5])
  // A head that changes is no longer what its shard says.
  expect(heads.shards.refs.map(({ stale }) => stale)).toEqual([['stale']])
  heads.foldLine(line('a', 4, { prev: 'h' }), s2)
  expect(heads.shards.refs.map(({ stale }) => stale)).toEqual([['stale', 'a']])
  const other = known()
  const again = headsOf([
    [line('here', 1), s1],
    [line('here', 2), s1],
    [line('a', 1), s1],
  ])
  other.adopt(again)
  expect([other.seq('here'), other.seq('a'), other.lacks('b'), other.shards.refs]).toEqual([1, 1, false, []])
})

test('ST2 damage, a cut, or the record of a removal changes a head that a shard held; to be removed again does not', () => {
  const loaded = (removed: boolean) => {
    const ref = { file: 'one.json', runs: 1, newest: 1, stale: [] }
    const segments = new SegmentUse([[s1, { runs: 1, tombstones: 0 }]])
    const heads = new RunHeads({ shards: new HeadShards([ref]), segments })
    const known = { run: 'a', order: 0, seq: 3, hash: 'h', marks: [{ seq: 1, segment: s1, byte: 0 }] }
    heads.load(ref, [removed ? { ...known, marks: [], removed } : known])
    return { heads, stale: () => heads.shards.refs.map(({ stale }) => stale) }
  }
  for (const item of [bad('', 5, 'a'), cut('a', 3, 'h', 5)]) {
    const { heads, stale } = loaded(false)
    heads.fold([item], s2)
    expect(stale()).toEqual([['a']])
  }
  for (const isRemoved of [false, true]) {
    const { heads, stale } = loaded(isRemoved)
    heads.foldDrop({ segments: [], removed: ['a'] }, s2, false)
    expect([stale(), heads.segments.of(s1).runs]).toEqual([[isRemoved ? [] : ['a']], isRemoved ? 1 : 0])
  }
})
