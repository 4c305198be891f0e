import type { RunRow } from '../index.ts'
import { formatInstant } from './duration.ts'
import { renderTable } from './table.ts'
import { oneLine } from './text-width.ts'
import { paintStatus } from './paint.ts'
import type { Verb } from './verb.ts'
import { withControl } from './with-control.ts'

export const list: Verb = {
  takes: '',
  does: 'Lists the runs of the store, newest first.',
  least: 0,
  most: 0,
  options: [],
  perform: withControl(async ({ output, terminal, options }, control) => {
    const rows = await control.runs()
    if (rows.length === 0) output.text(`There are no runs in ${options.folder}.`)
    else
      output.text(
        ...renderTable(rows, columnsOf(output.paint), {
          width: terminal.live ? terminal.columns() : 160,
          head: output.paint.dim,
        }),
      )
    for (const row of rows) output.row(rowOf(row))
    output.summary({ runs: rows.length })
    return 0
  }),
}

function columnsOf(paint: Parameters<typeof paintStatus>[0]): Parameters<typeof renderTable<RunRow>>[1] {
  return [
    { title: 'run', cell: (row) => row.id },
    { title: 'status', cell: (row) => row.status, paint: (text, row) => paintStatus(paint, row.status, text) },
    { title: 'tasks', cell: (row) => String(row.tasks), align: 'right' },
    { title: 'created', cell: (row) => formatInstant(row.createdAt), from: 70 },
    { title: 'name', cell: (row) => oneLine(row.name) },
  ]
}

/** A run in the wire's names. */
function rowOf(row: RunRow): Record<string, unknown> {
  const { id, name, status, tasks, key, createdAt, updatedAt, completedAt } = row
  const instant = (at: number): string => new Date(at).toISOString()
  return {
    run_id: id,
    name,
    status,
    tasks,
    ...(key !== undefined && { key }),
    created_at: instant(createdAt),
    updated_at: instant(updatedAt),
    ...(completedAt !== undefined && { completed_at: instant(completedAt) }),
  }
}
