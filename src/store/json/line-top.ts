/** What can be read of how a line of entries began that does not read as it was written. */
export interface LineTop {
  readonly run: string | undefined
  readonly seq: number | undefined
  /** Hash of the run's line before; empty for the first. */
  readonly prev: string | undefined
}

const wholeTop = /^\{"run":"([^"]*)","seq":(\d+),(?:"last":\d+,)?"prev":"([^"]*)"/
const named = /^\{"run":"([^"]*)","seq":/
const chained = /"prev":"([^"]+)"/

/** Any byte of it may be what is damaged; what stands behind the place, and what entries say, tells nothing. */
export function readTop(text: string): LineTop {
  const [, run, seq, prev] = wholeTop.exec(text) ?? []
  if (run !== undefined) return { run, seq: Number(seq), prev }
  const [place = ''] = text.split(/"entries":|"entry":|"row":/, 1)
  return { run: named.exec(place)?.[1], seq: undefined, prev: chained.exec(place)?.[1] }
}
