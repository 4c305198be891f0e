import { existsSync, readFileSync } from 'node:fs'

/** Whether a test noticed. What is not named here, such as a static change, does not count. */
const isNoticed = { Killed: true, Timeout: true, Survived: false, NoCoverage: false }

/** What survived, as it lies in the file of each group; then a line of figures for each file, group and area. */
export function textReport(groups, linesOf) {
  const mutants = groups.flatMap((group) => mutantsOf(group.name, linesOf(group)))
  const survivors = mutants.filter(({ status }) => isNoticed[status] === false)
  return [
    ...survivors.map(({ file, line, column, mutator, before, after }) => {
      const [from, to] = [before, after].map((text) => text.split('\n').slice(0, 6).join('\n  '))
      return `${file}:${line}:${column} ${mutator}\n- ${from}\n+ ${to}`
    }),
    ...['file', 'group', 'area'].map((key) => figures(mutants, key)),
  ].join('\n\n')
}

function mutantsOf(group, path) {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => ({ ...JSON.parse(line), group, area: group.split('/')[0] }))
}

function figures(mutants, key) {
  const counts = new Map()
  for (const mutant of mutants) {
    const count = counts.get(mutant[key]) ?? { noticed: 0, survived: 0, rest: 0 }
    counts.set(mutant[key], count)
    count[{ true: 'noticed', false: 'survived' }[isNoticed[mutant.status]] ?? 'rest'] += 1
  }
  return [...counts]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { noticed, survived, rest }]) => {
      const share = ((100 * noticed) / Math.max(1, noticed + survived)).toFixed(1)
      return `${share.padStart(5)} %  ${noticed} of ${noticed + survived} noticed, ${rest} not counted  ${name}`
    })
    .join('\n')
}
