import { expect, test } from 'vitest'
import { SegmentUse } from '../../../../src/store/json/segment-use.ts'

test('ST7 a segment is in use by the runs that have lines in it, and by the tombstones that only it records', () => {
  const use = new SegmentUse()
  expect(use.of('s1')).toEqual({ runs: 0, tombstones: 0 })
  use.entered('s1')
  use.entered('s1')
  use.entered('s2')
  use.recorded('s2', 3)
  expect(use.all()).toEqual([
    ['s1', { runs: 2, tombstones: 0 }],
    ['s2', { runs: 1, tombstones: 3 }],
  ])
  // A run has several marks in a segment, and leaves it once.
  use.left(['s1', 's1', 's2'])
  expect([use.of('s1'), use.of('s2')]).toEqual([
    { runs: 1, tombstones: 0 },
    { runs: 0, tombstones: 3 },
  ])
  use.dropped(['s1'])
  expect(use.all()).toEqual([['s2', { runs: 0, tombstones: 3 }]])
})

test('ST7 what the index says of segments is gone on from, and what it was given is not changed', () => {
  const given = [['s1', { runs: 1, tombstones: 0 }]] as const
  const use = new SegmentUse(given)
  use.entered('s1')
  Object.assign(use.all()[0]?.[1] ?? {}, { runs: 99 })
  expect(given).toEqual([['s1', { runs: 1, tombstones: 0 }]])
  expect(use.of('s1')).toEqual({ runs: 2, tombstones: 0 })
})
