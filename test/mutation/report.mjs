import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** What Stryker says of a mutant, and whether a test noticed it. The rest, static or ignored, does not count. */
const noticed = { Killed: true, Timeout: true, Survived: false, NoCoverage: false }

/** A line for each file and each area, then what survived. */
export function textReport(groups, folder) {
  const mutants = groups.flatMap(({ name }) => mutantsOf(name, `${folder}/${name.replace('/', '-')}.jsonl`))
  const survivors = mutants.filter(({ status }) => noticed[status] === false)
  return [
    ...survivors.map(
      ({ file, line, column, mutator, before, after }) => `${file}:${line}:${column} ${mutator}\n- ${before}\n+ ${after}`,
    ),
    rates(mutants, ({ file }) => file),
    rates(mutants, ({ area }) => area),
  ].join('\n\n')
}

function mutantsOf(group, path) {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => {
    const { fileName, status, mutatorName, replacement = '', location } = JSON.parse(line)
    const { start, end } = location
    const source = readFileSync(fileName, 'utf8').split('\n')
    const before = source.slice(start.line - 1, end.line)
    return {
      area: group.split('/')[0],
      file: relative('.', fileName),
      status,
      mutator: mutatorName,
      line: start.line,
      column: start.column,
      before: before.join('\n'),
      after: `${before[0].slice(0, start.column - 1)}${replacement}${before.at(-1).slice(end.column - 1)}`,
    }
  })
}

function rates(mutants, keyOf) {
  const counts = new Map()
  for (const mutant of mutants) {
    const key = keyOf(mutant)
    const count = counts.get(key) ?? { killed: 0, survived: 0, rest: 0 }
    counts.set(key, count)
    const isNoticed = noticed[mutant.status]
    count[isNoticed === undefined ? 'rest' : isNoticed ? 'killed' : 'survived'] += 1
  }
  return [...counts]
    .map(([key, { killed, survived, rest }]) => {
      const share = ((100 * killed) / Math.max(1, killed + survived)).toFixed(1)
      return `${share.padStart(5)} %  ${String(killed).padStart(5)} killed  ${String(survived).padStart(4)} survived  ${String(rest).padStart(4)} not counted  ${key}`
    })
    .join('\n')
}
