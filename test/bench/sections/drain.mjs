import { casesOf, peerNotes } from '../contestants.mjs'
import { cell, integer, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'
import { inScratch } from '../scratch.mjs'

/** Tasks per second of a queue that was filled before. */
export async function drain({ sizes, folder, missing }) {
  const cases = casesOf('drain', missing)
  const { warmUpTasks: warmUp, drainTasks: tasks } = sizes
  const figures = await inRounds(cases, sizes.rounds, ({ contestant, store, slots }) =>
    inScratch(folder, (scratch) => inChild('drain', { contestant, store, slots, folder: scratch, warmUp, tasks })),
  )
  const rows = cases.map(({ key, title, slots }) => [
    title,
    String(slots),
    cell(figures[key].rate, number),
    cell(figures[key].readMs, number),
    cell(figures[key].coldRate, number),
  ])
  const columns = [
    'drain',
    'slots',
    'tasks/s',
    'then reading all results, ms',
    `the first ${integer(tasks)} of its process, tasks/s`,
  ]
  return { figures, tables: [{ title: `Drain of ${integer(tasks)} tasks`, columns, rows, notes: peerNotes(missing) }] }
}
