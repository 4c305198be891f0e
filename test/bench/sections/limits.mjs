import { cell, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'
import { inScratch } from '../scratch.mjs'

const cases = [1, 64, 128].map((perSync) => ({ key: String(perSync), perSync }))

/** What the same disk does with nothing else to do: the ceiling for whoever syncs before telling. */
export async function limits({ sizes, folder }) {
  const figures = await inRounds(cases, sizes.rounds, ({ perSync }) =>
    inScratch(folder, (scratch) => inChild('disk-limit', { folder: scratch, perSync, ms: sizes.limitMs })),
  )
  const rows = cases.map(({ key }) => [key, cell(figures[key].rate, number), cell(figures[key].syncMs, number)])
  const columns = ['records of 600 B per sync', 'records/s', 'append + fdatasync, ms']
  return { figures, tables: [{ title: 'The limits of the disk', columns, rows }] }
}
