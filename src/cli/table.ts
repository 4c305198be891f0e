import { cut, fit, widthOf } from './text-width.ts'

/** A column of a table. Cells are plain text; `paint` colours a cell once it has its width. */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly align?: 'left' | 'right'
  readonly paint?: (text: string, row: Row) => string
  /** At most this many columns of the terminal. */
  readonly most?: number
  /** Left out when the terminal is narrower than this. */
  readonly from?: number
}

const gap = 2

/** Lines of a table that is as wide as it must be, and never wider than `width`: the last column gives way first. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width, head }: { readonly width: number; readonly head: (text: string) => string },
): string[] {
  const shown = columns.filter(({ from = 0 }) => width >= from)
  const cells = rows.map((row) => shown.map((column) => column.cell(row)))
  const widths = shown.map(({ title, most = Infinity }, index) =>
    Math.min(most, Math.max(widthOf(title), ...cells.map((line) => widthOf(line[index]!)))),
  )
  shrink(widths, width - 2)
  const line = (texts: readonly string[], paint: (text: string, index: number) => string): string => {
    const last = texts.length - 1
    const padded = texts.map((text, index) => {
      const { align = 'left' } = shown[index]!
      const fitted = index === last && align === 'left' ? cut(text, widths[index]!) : fit(text, widths[index]!, align)
      return paint(fitted, index)
    })
    return `  ${padded.join(' '.repeat(gap))}`.trimEnd()
  }
  return [
    line(
      shown.map(({ title }) => title),
      head,
    ),
    ...rows.map((row, at) => line(cells[at]!, (text, index) => shown[index]!.paint?.(text, row) ?? text)),
  ]
}

/** Takes from the widest columns, the last first among equals, until the line fits; none goes below a few columns. */
function shrink(widths: number[], room: number): void {
  const least = 6
  let over = widths.reduce((sum, width) => sum + width, (widths.length - 1) * gap) - room
  const last = widths.length - 1
  if (over > 0 && last >= 0) {
    const give = Math.min(over, Math.max(0, widths[last]! - 16))
    widths[last]! -= give
    over -= give
  }
  while (over > 0) {
    const widest = widths.lastIndexOf(Math.max(...widths))
    if (widths[widest]! <= least) return
    widths[widest]! -= 1
    over -= 1
  }
}
