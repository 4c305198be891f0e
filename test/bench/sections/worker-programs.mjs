import { cell, integer, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'

/** Attempts that do nothing, on processes of the machine. */
export async function workerPrograms({ sizes }) {
  if (process.platform !== 'linux') return { figures: {}, tables: [] }
  const cases = [
    { key: 'warm', attempts: sizes.pooledAttempts, slots: 2 },
    { key: 'spawned by hand', attempts: sizes.spawnedAttempts, slots: 2 },
    { key: 'spawned', attempts: sizes.spawnedAttempts, slots: 2 },
  ]
  const figures = await inRounds(cases, sizes.longRounds, ({ key, attempts, slots }) =>
    inChild('worker-programs', { way: key, attempts, slots }),
  )
  const { warm } = figures
  const spawnedRow = (title, { attempt, bare, ratio, alone, ratioAlone }) => [
    title,
    ...[attempt, bare, ratio, alone, ratioAlone].map((values) => cell(values, number)),
  ]
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
        columns: [
          `${integer(sizes.spawnedAttempts)} attempts, 2 at a time`,
          'ms each',
          'a bare start of Node, ms',
          'ratio',
          'of the program, ms',
          'ratio',
        ],
        rows: [
          spawnedRow('a program that loads nothing', figures['spawned by hand']),
          spawnedRow('a program that calls `serveWorker`', figures.spawned),
        ],
      },
    ],
  }
}
