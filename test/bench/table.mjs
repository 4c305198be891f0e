/** A table as text for a terminal. */
export function textTable({ title, columns, rows, notes = [] }) {
  const widths = columns.map((column, at) => Math.max(column.length, ...rows.map((row) => row[at].length)))
  const line = (row) =>
    row
      .map((text, at) => (at === 0 ? text.padEnd(widths[at]) : text.padStart(widths[at])))
      .join('  ')
      .trimEnd()
  return [title, line(columns), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line), ...notes].join('\n')
}

/** The same table as Markdown. */
export function markdownTable({ title, columns, rows, notes = [] }) {
  const line = (row) => `| ${row.join(' | ')} |`
  const rule = `|${columns.map((_, at) => (at === 0 ? '---' : '--:')).join('|')}|`
  return [`### ${title}`, '', line(columns), rule, ...rows.map(line), ...notes.flatMap((note) => ['', note])].join('\n')
}
