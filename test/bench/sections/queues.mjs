import { cell, integer, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'
import { inScratch } from '../scratch.mjs'

/** What the length of a queue costs: time, memory, and a blocked event loop. */
export async function queues({ sizes, folder }) {
  const cases = sizes.queues.map((tasks) => ({ key: String(tasks), tasks }))
  const figures = await inRounds(cases, sizes.longRounds, async ({ tasks }) => {
    const repeat = Math.max(1, Math.floor(sizes.drainTasks / tasks))
    const memory = await inScratch(folder, (scratch) => inChild('queued-memory', { folder: scratch, tasks }))
    const ended = await inScratch(folder, (scratch) => inChild('ended-memory', { folder: scratch, tasks }))
    const drained = await inScratch(folder, (scratch) =>
      inChild('queue', { folder: scratch, tasks, repeat, warmUp: sizes.warmUpTasks }),
    )
    return { ...memory, ...ended, ...drained }
  })
  const rows = cases.map(({ key, tasks }) => {
    const { rate, readMs, heap, endedHeap, resident, spec } = figures[key]
    return [
      integer(tasks),
      cell(rate, number),
      cell(readMs, number),
      cell(heap, number),
      cell(endedHeap, number),
      cell(resident, number),
      cell(spec, number),
    ]
  })
  const blocked = cases.map(({ key, tasks }) => {
    const { createBlocked, drainBlocked, closeBlocked } = figures[key]
    return [integer(tasks), cell(createBlocked, number), cell(drainBlocked, number), cell(closeBlocked, number)]
  })
  return {
    figures,
    tables: [
      {
        title: 'Queues of different lengths: JSON store, 64 slots, one run',
        columns: [
          'queued tasks',
          'drain, tasks/s',
          'then reading the result, ms',
          'heap beyond spec, B/task',
          'heap when ended, B/task',
          'resident, B/task',
          'JSON of spec, B',
        ],
        rows,
        notes: [
          'Memory is that of queued tasks of a started run, and of ended ones of a run that stays open, after a collection.',
        ],
      },
      {
        title: 'The longest time that the event loop was blocked',
        columns: ['queued tasks', 'creation, ms', 'drain and result, ms', 'close, ms'],
        rows: blocked,
      },
    ],
  }
}
