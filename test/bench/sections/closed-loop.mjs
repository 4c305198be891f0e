import { casesOf, peerNotes } from '../contestants.mjs'
import { cell, integer, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'
import { inScratch } from '../scratch.mjs'

/** Tasks per second and latency, with as many tasks in flight as there are slots. */
export async function closedLoop({ sizes, folder, missing }) {
  const cases = casesOf('closed', missing)
  const { coldTasks, warmUpTasks: warmUp, closedMs: ms } = sizes
  const figures = await inRounds(cases, sizes.rounds, ({ contestant, store, slots }) =>
    inScratch(folder, (scratch) => inChild('closed-loop', { contestant, store, slots, folder: scratch, coldTasks, warmUp, ms })),
  )
  const rows = cases.map(({ key, title, slots }) => {
    const { rate, p50, p99, coldRate } = figures[key]
    return [title, String(slots), cell(rate, number), cell(p50, number), cell(p99, number), cell(coldRate, number)]
  })
  const columns = ['closed loop', 'in flight', 'tasks/s', 'p50 ms', 'p99 ms', `its first ${integer(coldTasks)}, tasks/s`]
  return { figures, tables: [{ title: 'Closed loop: submit one, wait for its end', columns, rows, notes: peerNotes(missing) }] }
}
