import { expect, test } from 'vitest'
import { onlySeq, seqOf, withSeq } from '../../../src/engine/worker-seqs.ts'
import type { SharedSeqs } from '../../../src/engine/worker-seqs.ts'

test('EV1 each worker has a last sequence of its own, and 0 before it reported anything', () => {
  const shared: SharedSeqs = new Map()
  const both = withSeq(shared, withSeq(shared, withSeq(shared, [], 'a', 3), 'b', 1), 'a', 4)
  expect([seqOf(both, 'a'), seqOf(both, 'b'), seqOf(both, 'c'), seqOf([], 'a')]).toEqual([4, 1, 0, 0])
  expect(both).toHaveLength(2)
})

test('CO9 tasks of which their workers said equally much share what is kept of that; few sequences are kept to be shared', () => {
  const shared: SharedSeqs = new Map()
  const [one, other] = [withSeq(shared, [], 'a', 1), withSeq(shared, [], 'a', 1)]
  expect(other).toBe(one)
  expect(withSeq(shared, one, 'a', 4)).toBe(withSeq(shared, other, 'a', 4))
  expect([withSeq(shared, one, 'a', 4), withSeq(shared, [], 'b', 4), one]).toEqual([[['a', 4]], [['b', 4]], [['a', 1]]])
  expect(onlySeq(shared, 'a', 4)).toBe(withSeq(shared, [], 'a', 4))
  for (let seq = 1; seq < 1_000; seq += 1) expect(seqOf(onlySeq(shared, 'a', seq), 'a')).toBe(seq)
  expect(shared.get('a')?.length).toBeLessThan(20)
})
