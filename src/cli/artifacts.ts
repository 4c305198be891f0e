import type { RunArtifact } from '../index.ts'
import { formatBytes } from './duration.ts'
import { renderTable } from './table.ts'
import { oneLine } from './text-width.ts'
import type { Verb } from './verb.ts'
import { whichRun } from './which-run.ts'
import { withControl } from './with-control.ts'

export const artifacts: Verb = {
  takes: '[RUN [TASK]]',
  does: 'Lists what the attempts of a run, or of a task, left behind.',
  least: 0,
  most: 2,
  options: [],
  perform: withControl(async ({ words, output, terminal }, control) => {
    const run = await whichRun(control, words[0])
    const [, task] = words
    const reader = control.run(run)
    if (task !== undefined) await reader.task(task)
    const found = await reader.artifacts(task)
    if (found.length === 0) output.text('There are no artifacts.')
    else output.text(...renderTable(found, columns, { width: terminal.live ? terminal.columns() : 200, head: output.paint.dim }))
    for (const one of found) output.row({ run_id: run, ...one })
    output.summary({ run_id: run, ...(task !== undefined && { task_id: task }), artifacts: found.length })
    return 0
  }),
}

const columns: Parameters<typeof renderTable<RunArtifact>>[1] = [
  { title: 'task', cell: (one) => one.task_id, most: 40 },
  { title: 'attempt', cell: (one) => String(one.attempt), align: 'right' },
  { title: 'kind', cell: (one) => oneLine(one.artifact.kind) },
  {
    title: 'size',
    cell: (one) => (one.artifact.size_bytes === undefined ? '' : formatBytes(one.artifact.size_bytes)),
    align: 'right',
  },
  { title: 'path', cell: (one) => oneLine(one.artifact.path) },
  { title: 'checksum', cell: (one) => one.artifact.checksum ?? '', from: 100 },
]
