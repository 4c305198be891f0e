import { isBusy, machineInWords } from './machine.mjs'
import { marksTable } from './marks.mjs'
import { markdownTable, textTable } from './table.mjs'

/** The results of a run for a terminal. */
export function textReport(results) {
  return [introduction(results), ...tablesOf(results).map(textTable)].join('\n\n')
}

/** The results of a run for a document; `isWanted` chooses tables by their titles. */
export function markdownReport(results, isWanted = () => true) {
  const tables = tablesOf(results).filter(({ title }) => isWanted(title))
  return [introduction(results), ...tables.map(markdownTable)].join('\n\n')
}

function tablesOf({ tables, marks }) {
  return [...tables, marksTable(marks)]
}

function introduction({ machine, rounds, longRounds, quick }) {
  const fewer = longRounds < rounds ? ` (${longRounds} for queues, openings and many runs)` : ''
  return [
    `Measured on a ${machineInWords(machine)}.`,
    `Each figure is the median of ${rounds} rounds${fewer}, with the least and the greatest in brackets.`,
    ...(isBusy(machine)
      ? [`Other work took a part of the machine (load ${machine.load}): the spread is wide, and the ratios are rough.`]
      : []),
    ...(quick ? ['Small sizes: this says nothing about speed.'] : []),
  ].join(' ')
}
