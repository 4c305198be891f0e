/** A summary as one cell: the median, and the spread behind it. */
export function cell(summary, format) {
  if (summary === undefined) return '–'
  const { median, min, max, samples } = summary
  return samples === 1 ? format(median) : `${format(median)} (${format(min)}–${format(max)})`
}

/** Three digits say all that a measurement does. */
export const number = (value) => Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 3 })

export const integer = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 0 })
