import { cell, integer, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'

/** Attempts that do nothing, on processes of the machine. */
export async function workerPrograms({ sizes }) {
  if (process.platform !== 'linux') return { figures: {}, tables: [] }
  const cases = [
    { key: 'warm', attempts: sizes.pooledAttempts, slots: 2 },
    { key: 'spawned', attempts: sizes.spawnedAttempts, slots: 2 },
  ]
  const figures = await inRounds(cases, sizes.longRounds, ({ key, attempts, slots }) =>
    inChild('worker-programs', { way: key, attempts, slots }),
  )
  const { warm, spawned } = figures
  return {
    figures,
    tables: [
      {
        title: 'Worker processes that are kept warm',
        columns: [`${integer(sizes.pooledAttempts)} attempts, 2 processes`, 'attempts/s', 'per second of processor time'],
        rows: [['the memory store', cell(warm.rate, integer), cell(warm.perCore, integer)]],
      },
      {
        title: 'A process for each attempt',
        columns: [`${integer(sizes.spawnedAttempts)} attempts, 2 at a time`, 'ms each', 'a bare start of Node, ms', 'ratio'],
        rows: [['the memory store', cell(spawned.attempt, number), cell(spawned.bare, number), cell(spawned.ratio, number)]],
      },
    ],
  }
}
