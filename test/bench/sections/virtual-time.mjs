import { cell, integer, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'

/** Whole fleets on virtual time, as tests have them. */
export async function virtualTime({ sizes }) {
  const figures = await inRounds([{ key: 'retries' }], sizes.longRounds, () =>
    inChild('virtual-time', { runs: sizes.simulatedRuns }),
  )
  const { first, each, all, hours } = figures.retries
  const rows = [[`${number(hours.median)} simulated hours`, cell(first, number), cell(each, number), cell(all, number)]]
  const columns = [
    '50 tasks, each tried twice',
    'the first run, ms',
    'one of many, ms',
    `${integer(sizes.simulatedRuns)} runs, ms`,
  ]
  return { figures, tables: [{ title: 'Fleets on virtual time', columns, rows }] }
}
