import { expect, test } from 'vitest'
import { seqOf, withSeq } from '../../../src/engine/worker-seqs.ts'

test('EV1 each worker has a last sequence of its own, and 0 before it reported anything', () => {
  const both = withSeq(withSeq(withSeq([], 'a', 3), 'b', 1), 'a', 4)
  expect([seqOf(both, 'a'), seqOf(both, 'b'), seqOf(both, 'c'), seqOf([], 'a')]).toEqual([4, 1, 0, 0])
  expect(both).toHaveLength(2)
})
