import { cell, integer, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'
import { inScratch } from '../scratch.mjs'

const tasks = 10

/** Many small runs instead of a long one. */
export async function runs({ sizes, folder }) {
  const figures = await inRounds([{ key: 'small' }], sizes.longRounds, () =>
    inScratch(folder, (scratch) => inChild('runs', { folder: scratch, runs: sizes.runs, tasks })),
  )
  const { created, rate, read } = figures.small
  const rows = [[`${integer(sizes.runs)} runs of ${tasks} tasks`, cell(created, number), cell(rate, number), cell(read, number)]]
  const columns = ['JSON store, 64 slots', 'creation, runs/s', 'drain, tasks/s', 'then reading results, runs/s']
  return { figures, tables: [{ title: 'Many small runs at once', columns, rows }] }
}
