import { cell, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'
import { inScratch } from '../scratch.mjs'

const cases = [
  { key: '0', title: 'no subscriber', fast: 0, slow: 0 },
  { key: '1', title: '1 subscriber', fast: 1, slow: 0 },
  { key: '10', title: '10 subscribers', fast: 10, slow: 0 },
  { key: '10 slow', title: '10 subscribers, one takes 5 ms an event', fast: 9, slow: 1 },
]

/** What subscribers of `fleet.events()` cost, and that a slow one holds up nobody. */
export async function fanOut({ sizes, folder }) {
  const { drainTasks: tasks, warmUpTasks: warmUp } = sizes
  const figures = await inRounds(cases, sizes.rounds, ({ fast, slow }) =>
    inScratch(folder, (scratch) => inChild('fan-out', { folder: scratch, tasks, warmUp, fast, slow })),
  )
  const rows = cases.map(({ key, title }) => {
    const { rate, delivered, dropped } = figures[key]
    return [title, cell(rate, number), cell(delivered, number), cell(dropped, number)]
  })
  const columns = ['JSON store, 64 slots', 'drain, tasks/s', 'events delivered/s', 'events told as a gap']
  return { figures, tables: [{ title: 'Live events', columns, rows }] }
}
