import { expect, test } from 'vitest'
import { assembleGroup, prepareBatch } from '../../../../src/store/json/group.ts'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import { RunHeads } from '../../../../src/store/json/run-heads.ts'
import { encodeClosed } from '../../../../src/store/json/segment-line.ts'
import { parseSegment } from '../../../../src/store/json/segment-parse.ts'
import { batch } from './store-folder.ts'

const segment = '00000001.0001'
const writes = [
  [batch('a', 0, 2), batch('b', 0, 1)],
  [batch('a', 2, 1)],
  [batch('b', 1, 3), batch('c', 0, 1)],
  [batch('a', 3, 2), batch('c', 1, 1)],
]
/** Of which sizes lines are: a line takes no more entries once they make so many characters. */
const sizes = [
  ['a line for each entry', 1],
  ['two lines for three entries', 45],
  ['a line for each batch', 1_000],
] as const

/** The bytes of a few writes, and where each ends. */
function journal(lineChars: number): { readonly bytes: Buffer; readonly ends: readonly number[] } {
  const heads = new RunHeads()
  const parts: Buffer[] = []
  const ends = writes.map((batches) => {
    const group = assembleGroup(
      batches.map((one) => prepareBatch(one, lineChars)),
      heads,
      Buffer.concat(parts).length,
      new LineBuffer(),
    )
    for (const line of group.lines) heads.foldLine(line, segment)
    parts.push(group.bytes)
    return Buffer.concat(parts).length
  })
  return { bytes: Buffer.concat(parts), ends }
}

function fold(bytes: Buffer, settled: boolean): { readonly heads: RunHeads; readonly end: number } {
  const heads = new RunHeads()
  const { items, end } = parseSegment(bytes, 0, settled)
  heads.fold(items, segment)
  return { heads, end }
}

const seqsOf = (heads: RunHeads) => ['a', 'b', 'c'].map((run) => heads.seq(run))

test.for(sizes)(
  'ST4 cut at every byte, a journal with %s holds the whole batches before the cut and nothing else',
  ([, size]) => {
    const { bytes, ends } = journal(size)
    const full = [
      [0, 0, 0],
      [2, 1, 0],
      [3, 1, 0],
      [3, 4, 1],
      [5, 4, 2],
    ]
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const { heads, end } = fold(bytes.subarray(0, cut), false)
      const whole = ends.filter((one) => one <= cut).length
      const [least = [], most = []] = [full[whole], full[whole + 1] ?? full[whole]]
      expect(end).toBeLessThanOrEqual(cut)
      expect(heads.damages, `cut at ${cut}`).toEqual([])
      seqsOf(heads).forEach((seq, run) => {
        expect([least[run], most[run]], `cut at ${cut}`).toContain(seq)
      })
    }
  },
)

test.for(sizes)('ST4 with %s and any one bit changed, each run is as it was, or stops before the change', ([, size]) => {
  const { bytes } = journal(size)
  const closed = Buffer.concat([bytes, Buffer.from(encodeClosed(1, bytes.length))])
  const before = fold(closed, false).heads
  expect(before.damages).toEqual([])
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(closed)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    const { heads, end } = fold(changed, false)
    const unlike = ['a', 'b', 'c'].filter((run) => heads.get(run)?.hash !== before.get(run)?.hash)
    const isTail = end < closed.length
    expect(heads.damages.length > 0 || isTail, `bit ${bit}`).toBe(true)
    if (isTail) continue
    const told = heads.damages.some(({ run }) => run === undefined)
    if (!told)
      expect(
        unlike.filter((run) => heads.get(run)?.damage === undefined),
        `bit ${bit}`,
      ).toEqual([])
    expect(unlike.length, `bit ${bit}`).toBeLessThanOrEqual(closed[bit >> 3] === 10 ? 2 : 1)
  }
})

test('ST4 a recorded end turns a tail into damage', () => {
  const { bytes, ends } = journal(1)
  const torn = Buffer.from(bytes).fill(0, ends[2], (ends[2] ?? 0) + 30)
  expect(fold(torn, false)).toMatchObject({ end: ends[2], heads: { damages: [] } })
  expect(fold(torn, true).heads.get('a')).toMatchObject({ seq: 3, damage: { segment, byte: expect.any(Number) as number } })
})
