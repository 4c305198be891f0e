import { existsSync, readFileSync } from 'node:fs'

/** What Stryker says of a mutant, and whether a test noticed it. The rest, static or ignored, does not count. */
const noticed = { Killed: true, Timeout: true, Survived: false, NoCoverage: false }

/** A line for each file and each area, then what survived. */
export function textReport(groups, folder) {
  const mutants = groups.flatMap(({ name }) => mutantsOf(name, `${folder}/${name.replace('/', '-')}.json`))
  const survivors = mutants.filter(({ status }) => noticed[status] === false)
  return [
    ...survivors.map(
      ({ file, line, column, mutator, before, after }) => `${file}:${line}:${column} ${mutator}\n- ${before}\n+ ${after}`,
    ),
    rates(mutants, ({ file }) => file),
    rates(mutants, ({ area }) => area),
  ].join('\n\n')
}

function mutantsOf(name, path) {
  if (!existsSync(path)) return []
  const { files } = JSON.parse(readFileSync(path, 'utf8'))
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n')
    return mutants.map(({ status, mutatorName, replacement, location: { start, end } }) => ({
      area: name.split('/')[0],
      file,
      status,
      mutator: mutatorName,
      line: start.line,
      column: start.column,
      before: lines
        .slice(start.line - 1, end.line)
        .join('\n')
        .slice(0, 200),
      after:
        (lines[start.line - 1] ?? '').slice(0, start.column - 1) +
        (replacement ?? '').slice(0, 200) +
        (lines[end.line - 1] ?? '').slice(end.column - 1),
    }))
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
