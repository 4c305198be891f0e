import { expect, test } from 'vitest'
import type { Moment } from './snapshot-matrix.ts'
import { believed, spoiltSnapshots, under, writeMoments } from './snapshot-matrix.ts'

test('ST4 ST7 under any journal, a snapshot of the same moment or older is believed, a newer one is not', async () => {
  const moments = await writeMoments()
  for (const journal of moments)
    for (const snapshots of moments) {
      const where = `a journal of ${journal.last} entries under a snapshot of ${snapshots.snapshot?.seq}`
      const isNewer = (snapshots.snapshot?.seq ?? 0) > journal.last
      expect(await believed(under(journal, snapshots), journal.last, where), where).toEqual(
        isNewer ? undefined : snapshots.snapshot,
      )
    }
})

test('ST4 ST7 a snapshot of a history that went another way is not believed, however far the journal goes', async () => {
  const [ours, others] = [await writeMoments(), await writeMoments('another history')]
  for (const journal of others)
    for (const snapshots of ours) {
      const where = `another journal of ${journal.last} entries under a snapshot of ${snapshots.snapshot?.seq}`
      expect(await believed(under(journal, snapshots), journal.last, where, 'another history'), where).toBeUndefined()
    }
})

test('ST4 ST7 a snapshot of which a file is missing, torn, spoilt or in the place of another is given up, or is as it was saved', async () => {
  const moments = await writeMoments()
  const { tree, last } = moments.at(-1) as Moment
  const saved = moments.flatMap(({ snapshot }) => snapshot ?? [])
  expect(await believed(tree, last, 'as it was saved')).toEqual(saved.at(-1))
  let givenUp = 0
  for (const { name, tree: spoilt } of spoiltSnapshots(moments, 23)) {
    const found = await believed(spoilt, last, name)
    if (found === undefined) givenUp += 1
    else if (found !== 'refused') expect(saved, name).toContainEqual(found)
  }
  expect(givenUp).toBeGreaterThan(100)
})
