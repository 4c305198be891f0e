import { expect, test } from 'vitest'
import type { Mark } from '../../../../src/store/json/marks.ts'
import { markBefore, needsMark, sparseMarks, thinMarks } from '../../../../src/store/json/marks.ts'

const mark = (seq: number, segment = 's1', byte = seq): Mark => ({ segment, byte, seq })
const seqsOf = (marks: readonly Mark[]) => marks.map(({ seq }) => seq)

test('ST7 the sparse index from sequence to offset holds the first entry of a segment, and one in 64 entries or 32 KiB', () => {
  expect(needsMark(undefined, mark(1))).toBe(true)
  expect(needsMark(mark(1), mark(2))).toBe(false)
  expect(needsMark(mark(1), mark(2, 's2'))).toBe(true)
  expect(needsMark(mark(1), mark(64))).toBe(false)
  expect(needsMark(mark(1), mark(65))).toBe(true)
  expect(needsMark(mark(1, 's1', 100), mark(2, 's1', 32_867))).toBe(false)
  expect(needsMark(mark(1, 's1', 100), mark(2, 's1', 32_868))).toBe(true)
})

test('ST7 what hardly anybody reads keeps the first mark of each segment', () => {
  const marks = [mark(1), mark(65), mark(129, 's2'), mark(193, 's2'), mark(257, 's3')]
  expect(seqsOf(thinMarks(marks))).toEqual([1, 129, 257])
  expect(thinMarks([])).toEqual([])
})

test('ST7 what goes on keeps a mark for 64 entries, however many its bytes had made', () => {
  const marks = [mark(1), mark(2), mark(64), mark(65), mark(66), mark(67, 's2'), mark(130, 's2'), mark(131, 's2')]
  expect(seqsOf(sparseMarks(marks))).toEqual([1, 65, 67, 131])
})

test('ST7 EV7 reading begins at the last mark that is not behind the entry', () => {
  const marks = [1, 65, 129, 200].map((seq) => mark(seq))
  const found = [0, 1, 64, 65, 128, 129, 199, 200, 10_000].map((seq) => markBefore(marks, seq)?.seq)
  expect(found).toEqual([undefined, 1, 1, 65, 65, 129, 129, 200, 200])
  expect(markBefore([], 7)).toBe(undefined)
})
