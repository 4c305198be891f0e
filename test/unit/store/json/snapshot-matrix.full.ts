import { expect, test } from 'vitest'
import type { Moment } from './snapshot-matrix.ts'
import { believed, spoiltSnapshots, writeMoments } from './snapshot-matrix.ts'

test('ST4 ST7 a snapshot that is spoilt at any place is given up, or is as it was saved', { timeout: 10 * 60_000 }, async () => {
  const moments = await writeMoments()
  const { last } = moments.at(-1) as Moment
  const saved = moments.flatMap(({ snapshot }) => snapshot ?? [])
  let givenUp = 0
  for (const { name, tree } of spoiltSnapshots(moments, 1)) {
    const found = await believed(tree, last, name)
    if (found === undefined) givenUp += 1
    else if (found !== 'refused') expect(saved, name).toContainEqual(found)
  }
  expect(givenUp).toBeGreaterThan(2_000)
})
