import { FleetError } from '../index.ts'
import type { Control, RunRow } from '../index.ts'
import { isTerminalRunStatus } from '../protocol/index.ts'

/**
 * The run that is meant: the one that is named, else the only one that has not ended, else the only one at all. Throws `unknown_run`
 * when there is no such run, and `usage` with the candidates when several may be meant.
 */
export async function whichRun(control: Control, named: string | undefined): Promise<string> {
  const rows = await control.runs()
  if (named !== undefined) {
    if (rows.some((row) => row.id === named)) return named
    throw new FleetError('unknown_run', `No run ${named} in this store. ${hint(rows)}`, { details: { run_id: named } })
  }
  const open = rows.filter((row) => !isTerminalRunStatus(row.status))
  const candidates = open.length > 0 ? open : rows
  const [only] = candidates
  if (only === undefined)
    throw new FleetError('unknown_run', 'There are no runs in this store. Start one with `flotilla run FILE`.')
  if (candidates.length === 1) return only.id
  throw new FleetError('usage', `Several runs may be meant; name one of them:\n${list(candidates)}`, {
    details: { candidates: candidates.map((row) => row.id) },
  })
}

/** The run and what follows it in the arguments; with one argument fewer than `count`, the run was left out. */
export async function runAndRest(
  control: Control,
  words: readonly string[],
  count: number,
): Promise<{ run: string; rest: readonly string[] }> {
  const isNamed = words.length >= count
  const run = await whichRun(control, isNamed ? words[0] : undefined)
  return { run, rest: isNamed ? words.slice(1) : words }
}

const most = 10

function list(rows: readonly RunRow[]): string {
  const lines = rows.slice(0, most).map((row) => `  ${row.id}  ${row.status}  ${row.name}`)
  if (rows.length > most) lines.push(`  and ${rows.length - most} more`)
  return lines.join('\n')
}

function hint(rows: readonly RunRow[]): string {
  return rows.length === 0 ? 'It has no runs.' : `It has:\n${list(rows)}`
}
