import { expect, test } from 'vitest'
import { scanEntries } from '../../../../src/store/json/entry-scan.ts'
import type { ScanRange } from '../../../../src/store/json/entry-scan.ts'
import { assembleGroup, prepareBatch } from '../../../../src/store/json/group.ts'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import type { RunHead } from '../../../../src/store/json/run-heads.ts'
import { RunHeads } from '../../../../src/store/json/run-heads.ts'
import { parseSegment } from '../../../../src/store/json/segment-parse.ts'
import type { Batch } from '../../../../src/ports/store.ts'
import { memoryDisk } from './memory-disk.ts'
import { batch } from './store-folder.ts'

const names = ['00000001.0001', '00000001.0002', '00000001.0003'] as const

interface Journal {
  readonly range: ScanRange
  readonly head: (run: string) => RunHead
  /** Which bytes of which segments were read. */
  readonly reads: { readonly path: string; readonly from: number; readonly to: number }[]
}

/** A journal of segments, each a list of writes; `change` damages the text of a segment after it was folded. */
function journal(
  segments: readonly (readonly Batch[])[],
  change: (text: string, index: number) => string = (text) => text,
): Journal {
  const heads = new RunHeads()
  const buffer = new LineBuffer()
  const texts = segments.map((writes, index) => {
    const parts: string[] = []
    let at = 0
    for (const write of writes) {
      const group = assembleGroup([prepareBatch(write, 1)], heads, at, buffer)
      for (const line of group.lines) heads.foldLine(line, names[index] ?? '', at)
      parts.push(group.bytes.toString())
      at += group.bytes.length
    }
    return parts.join('')
  })
  const files = texts.map((text, index) => [`j/${names[index]}.jsonl`, change(text, index)] as const)
  const disk = memoryDisk(Object.fromEntries(files))
  const reads: { path: string; from: number; to: number }[] = []
  const last = segments.length - 1
  return {
    reads,
    head: (run) => heads.get(run) ?? expect.fail(`no run ${run}`),
    range: {
      disk: {
        ...disk,
        read: (path, from = 0, to = Infinity) => {
          reads.push({ path, from, to })
          return disk.read(path, from, to)
        },
      },
      journal: 'j',
      links: texts.map((text, index) => ({ segment: names[index] ?? '', ...(index < last && { end: Buffer.byteLength(text) }) })),
      until: { segment: names[last] ?? '', byte: Buffer.byteLength(texts[last] ?? '') },
    },
  }
}

const seqsOf = (entries: readonly { readonly seq: number }[]) => entries.map(({ seq }) => seq)
const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n)
const each = (run: string, first: number, last: number) => upTo(first, last).map((seq) => batch(run, seq - 1))

test('ST2 the entries of a run are read in order, over segments, from the first asked for to the last', async () => {
  const { range, head } = journal([
    [...each('a', 1, 3), ...each('b', 1, 2)],
    [...each('b', 3, 3), ...each('a', 4, 5)],
    [...each('a', 6, 6), ...each('b', 4, 4)],
  ])
  for (const [from, to] of [
    [1, 6],
    [1, 1],
    [2, 5],
    [4, 4],
    [6, 6],
  ] as const)
    expect(seqsOf((await scanEntries(range, head('a'), { from, to })).entries), `${from} to ${to}`).toEqual(upTo(from, to))
  const { entries, line } = await scanEntries(range, head('b'), { from: 4, to: 4 })
  expect([entries, line]).toMatchObject([[{ seq: 4, text: 'b 4' }], { last: 4, hash: head('b').hash }])
})

test('EV7 reading goes on where it ended, without a look at what is before', async () => {
  const { range, head, reads } = journal([each('a', 1, 300)])
  const first = await scanEntries(range, head('a'), { from: 1, to: 50 })
  reads.length = 0
  const second = await scanEntries(range, head('a'), { from: 51, to: 60, goOn: first.next })
  expect(seqsOf(second.entries)).toEqual(upTo(51, 60))
  expect(reads.map(({ from }) => from)).toEqual([first.next.byte])
  const text = (await range.disk.read(`j/${names[0]}.jsonl`)).toString()
  expect(text.slice(first.next.byte)).toMatch(/^\{"run":"a","seq":51,/)
  // A mark that does not fit what is asked for is of no use.
  expect(seqsOf((await scanEntries(range, head('a'), { from: 10, to: 12, goOn: second.next })).entries)).toEqual([10, 11, 12])
})

test('EV7 whoever reads on reads in one go a little more than as many lines took before, long ones and short ones', async () => {
  const long = { ...batch('a', 0).entries[0]!, text: 'x'.repeat(900) }
  const lines = (text: object, first: number, last: number) =>
    upTo(first, last).map((seq): Batch => ({ run: 'a', after: seq - 1, entries: [{ ...long, ...text, seq }] }))
  for (const text of [{}, { text: 'x' }]) {
    const { range, head, reads } = journal([lines(text, 1, 1_000)])
    const first = await scanEntries(range, head('a'), { from: 1, to: 100 })
    reads.length = 0
    const second = await scanEntries(range, head('a'), { from: 101, to: 200, goOn: first.next })
    expect(seqsOf(second.entries)).toEqual(upTo(101, 200))
    const taken = second.next.byte - first.next.byte
    expect(reads).toHaveLength(1)
    const size = reads[0]!.to - reads[0]!.from
    expect(size / Math.max(taken, 24 * 1024)).toBeGreaterThanOrEqual(1)
    expect(size / Math.max(taken, 24 * 1024)).toBeLessThan(1.15)
  }
})

test('EV7 where lines lie apart, what was passed by does not count for what comes', async () => {
  const apart = upTo(1, 60).flatMap((seq) => [...each('a', seq, seq), ...each(`b${seq}`, 1, 600)])
  const { range, head, reads } = journal([apart])
  const first = await scanEntries(range, head('a'), { from: 1, to: 20 })
  expect(first.next.bytesPerEntry).toBe(undefined)
  reads.length = 0
  const second = await scanEntries(range, head('a'), { from: 21, to: 40, goOn: first.next })
  expect(seqsOf(second.entries)).toEqual(upTo(21, 40))
  for (const { from, to } of reads) expect(to - from).toBe(24 * 1024)
  // One line, found from a mark that lies before it: only its own bytes count.
  const { range: near, head: headOf } = journal([each('a', 1, 60)])
  const { next } = await scanEntries(near, headOf('a'), { from: 50, to: 50 })
  const lines = (await near.disk.read(`j/${names[0]}.jsonl`)).toString().split('\n')
  expect(next.bytesPerEntry).toBe((lines[49]?.length ?? 0) + 1)
  const two = await scanEntries(near, headOf('a'), { from: 51, to: 52, goOn: next })
  expect(two.next.bytesPerEntry).toBe(((lines[50]?.length ?? 0) + (lines[51]?.length ?? 0)) / 2 + 1)
})

test('EV7 an entry far back is found by its mark, and little is read for it', async () => {
  const { range, head, reads } = journal([each('a', 1, 2_000)])
  expect(seqsOf((await scanEntries(range, head('a'), { from: 1_900, to: 1_901 })).entries)).toEqual([1_900, 1_901])
  const mark = head('a').marks.findLast(({ seq }) => seq <= 1_900)
  expect(reads).toEqual([{ path: `j/${names[0]}.jsonl`, from: mark?.byte, to: (mark?.byte ?? 0) + 24 * 1024 }])
})

test('EV7 what lies between two entries of a run, and belongs to others, is passed by', async () => {
  const others = each('b', 1, 3_000)
  const { range, head, reads } = journal([
    [...each('a', 1, 1), ...others, ...each('a', 2, 2)],
    [...each('c', 1, 3_000), ...each('a', 3, 3)],
  ])
  expect(seqsOf((await scanEntries(range, head('a'), { from: 1, to: 3 })).entries)).toEqual([1, 2, 3])
  const marks = head('a').marks.map(({ segment, byte }) => [`j/${segment}.jsonl`, byte])
  expect(marks.map(([path]) => path)).toEqual([0, 0, 1].map((index) => `j/${names[index]}.jsonl`))
  expect(reads.map(({ path, from }) => [path, from])).toEqual(marks)
})

test('ST7 without marks, and from one that is not the first of its segment, what follows is found by reading on', async () => {
  const { range, head } = journal([
    [...each('b', 1, 5), ...each('a', 1, 3)],
    each('a', 4, 6),
    [...each('b', 6, 9), ...each('a', 7, 7)],
  ])
  const [first] = head('a').marks
  for (const marks of [[], [first!]])
    expect(seqsOf((await scanEntries(range, { ...head('a'), marks }, { from: 1, to: 7 })).entries)).toEqual(upTo(1, 7))
  // A mark whose segment went is as good as none.
  const gone = { ...range, links: range.links.slice(1) }
  expect(
    seqsOf(
      (await scanEntries(gone, { ...head('a'), marks: [{ seq: 4, segment: 'gone', byte: 99 }] }, { from: 4, to: 6 })).entries,
    ),
  ).toEqual([4, 5, 6])
})

test('ST2 a line longer than what is read at once is read whole', async () => {
  const long = (seq: number, size: number): Batch => ({
    run: 'a',
    after: seq - 1,
    entries: [{ seq, kind: 'test', text: 'x'.repeat(size) }],
  })
  const { range, head } = journal([[long(1, 10), long(2, 20_000), long(3, 1_000_000), long(4, 10)]])
  const { entries } = await scanEntries(range, head('a'), { from: 1, to: 4 })
  expect(entries.map(({ text }) => (text as string).length)).toEqual([10, 20_000, 1_000_000, 10])
})

test('ST4 a line that does not read, or is gone, breaks the history there: what is before it can be read', async () => {
  const changes: readonly [string, number, (text: string) => string][] = [
    ['spoilt', 3, (text) => text.replace('"a 3"', '"a 7"')],
    ['cut out', 3, (text) => text.split('\n').toSpliced(2, 1).join('\n')],
    // Whose it was shows nowhere, but that the next one does not follow.
    ['without its name', 4, (text) => text.replace('{"run":"a","seq":3', '{"run":"x","seq":3')],
  ]
  for (const [what, line, change] of changes) {
    const { range, head } = journal([each('a', 1, 5)], change)
    await expect(scanEntries(range, head('a'), { from: 1, to: 5 }), what).rejects.toMatchObject({
      code: 'store_damaged',
      details: { run: 'a', line, readableTo: 2, file: `j/${names[0]}.jsonl` },
    })
    expect(seqsOf((await scanEntries(range, head('a'), { from: 1, to: 2 })).entries)).toEqual([1, 2])
  }
})

test('ST4 VE7 a line that names another one before it breaks the history', async () => {
  const other = journal([[...each('b', 1, 1), { ...batch('a', 0), entries: [{ seq: 1, text: 'else' }] }, ...each('a', 2, 2)]])
  const theirs = (await other.range.disk.read(`j/${names[0]}.jsonl`)).toString().split('\n')
  const { range, head } = journal([[...each('b', 1, 1), ...each('a', 1, 3)]], (text) =>
    text
      .split('\n')
      .toSpliced(2, 1, theirs[2] ?? '')
      .join('\n'),
  )
  await expect(scanEntries(range, head('a'), { from: 1, to: 3 })).rejects.toMatchObject({ details: { readableTo: 1, line: 3 } })
})

test('ST4 a segment that is gone, or ends early, breaks the history where it ends', async () => {
  const keeping = (count: number, more: string) => (text: string, index: number) =>
    index > 0
      ? text
      : text
          .split('\n')
          .slice(0, count)
          .map((line) => `${line}\n`)
          .join('') + more
  for (const [kept, more] of [
    [0, ''],
    [2, ''],
    [2, '{"run":"a","seq":3,'],
  ] as const) {
    const { range, head } = journal([each('a', 1, 3), each('a', 4, 4)], keeping(kept, more))
    await expect(scanEntries(range, head('a'), { from: 1, to: 4 })).rejects.toMatchObject({
      code: 'store_damaged',
      details: { file: `j/${names[0]}.jsonl`, line: kept + 1, readableTo: kept },
    })
  }
})

test('ST4 an empty line is none, wherever it stands', async () => {
  const { range, head } = journal([each('a', 1, 5)], (text) => `\n${text}`)
  expect(seqsOf((await scanEntries(range, head('a'), { from: 1, to: 4 })).entries)).toEqual([1, 2, 3, 4])
})

test('ST4 nothing behind the end of what counts is read', async () => {
  const { range, head } = journal([each('a', 1, 3)])
  const { items } = parseSegment(await range.disk.read(`j/${names[0]}.jsonl`), 0, true)
  const [, second] = items
  const until = { segment: names[0], byte: second?.kind === 'batch' ? (second.lines[0]?.byte ?? 0) : 0 }
  const whole = (await range.disk.read(`j/${names[0]}.jsonl`)).length
  const short = { ...range, until, links: [{ segment: names[0], end: whole }, { segment: names[1] }] }
  expect(seqsOf((await scanEntries(short, head('a'), { from: 1, to: 1 })).entries)).toEqual([1])
  await expect(scanEntries(short, head('a'), { from: 1, to: 2 })).rejects.toMatchObject({
    details: { byte: until.byte, readableTo: 1 },
  })
})

test('ST4 behind a cut, lines that were cut off do not count, and those of the same sequence that follow do', async () => {
  const { range, head } = journal([[...each('a', 1, 2), ...each('b', 1, 1)], each('b', 2, 2)])
  const { line: first } = await scanEntries(range, head('a'), { from: 1, to: 1 })
  const at = Buffer.byteLength((await range.disk.read(`j/${names[1]}.jsonl`)).toString())
  const heads = new RunHeads()
  const group = assembleGroup(
    [prepareBatch({ run: 'a', after: 1, entries: [{ seq: 2, text: 'anew' }] })],
    { ...heads, get: () => ({ hash: first.hash }) } as never,
    at,
    new LineBuffer(),
  )
  const disk = memoryDisk({
    [`j/${names[0]}.jsonl`]: await range.disk.read(`j/${names[0]}.jsonl`),
    [`j/${names[1]}.jsonl`]: Buffer.concat([await range.disk.read(`j/${names[1]}.jsonl`), group.bytes]),
  })
  const longer = { ...range, disk, until: { segment: names[1], byte: at + group.bytes.length } }
  const textsOf = async (cuts: RunHead['cuts']) => {
    const cutHead: RunHead = { ...head('a'), ...(cuts && { cuts }) }
    return (await scanEntries(longer, cutHead, { from: 1, to: 2 })).entries.map(({ text }) => text)
  }
  expect(await textsOf(undefined)).toEqual(['a 1', 'a 2'])
  expect(await textsOf([{ seq: 1, segment: names[1], byte: at }])).toEqual(['a 1', 'anew'])
  expect(await textsOf([{ seq: 1, segment: names[0], byte: 9_999 }])).toEqual(['a 1', 'anew'])
  const elsewhere = { seq: 7, segment: names[1], byte: 0 }
  expect(await textsOf([elsewhere, { seq: 1, segment: names[1], byte: at }])).toEqual(['a 1', 'anew'])
  // A cut elsewhere in the run, or before the line, changes nothing of it.
  expect(await textsOf([{ seq: 2, segment: names[1], byte: at }])).toEqual(['a 1', 'a 2'])
  expect(await textsOf([{ seq: 1, segment: names[0], byte: 1 }])).toEqual(['a 1', 'a 2'])
})
