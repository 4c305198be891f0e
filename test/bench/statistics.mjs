/** What stands for some samples: their median, and the least and the greatest as the spread. */
export function summaryOf(samples) {
  const sorted = samples.toSorted((a, b) => a - b)
  return {
    median: (percentile(sorted, 50) + sorted[Math.floor(sorted.length / 2)]) / 2,
    min: sorted[0],
    max: sorted.at(-1),
    samples: sorted.length,
  }
}

/** The nearest-rank percentile of sorted numbers. */
export function percentile(sorted, percent) {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)]
}
