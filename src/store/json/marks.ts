/** A place in the journal. */
export interface Place {
  readonly segment: string
  readonly byte: number
}

/** Where a line begins whose first entry has the sequence: a mark to start reading from. */
export interface Mark extends Place {
  readonly seq: number
}

const everyEntries = 64
/** Runs that are written at the same time lie far apart: reading one of them should not read all. */
const everyBytes = 32 * 1024

/** How many marks the runs that ended last may keep together. */
export const mostFreshMarks = 65_536

/** Whether an entry gets a mark: the first in each segment does, and what lies far from the one before in entries or in bytes. */
export function needsMark(last: Mark | undefined, next: Mark): boolean {
  if (last?.segment !== next.segment) return true
  return next.seq - last.seq >= everyEntries || next.byte - last.byte >= everyBytes
}

/** One mark in each segment: what is kept of a run that hardly anybody reads. */
export function thinMarks(marks: readonly Mark[]): Mark[] {
  return marks.filter((mark, index) => mark.segment !== marks[index - 1]?.segment)
}

/** One mark for so many entries, and one in each segment: what the index keeps of a run that goes on. */
export function sparseMarks(marks: readonly Mark[]): Mark[] {
  const kept: Mark[] = []
  for (const mark of marks) {
    const last = kept.at(-1)
    if (last?.segment !== mark.segment || mark.seq - last.seq >= everyEntries) kept.push(mark)
  }
  return kept
}

/** The last mark at or before an entry. */
export function markBefore(marks: readonly Mark[], seq: number): Mark | undefined {
  let [low, high] = [0, marks.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((marks[middle]?.seq ?? 0) <= seq) low = middle + 1
    else high = middle
  }
  return marks[low - 1]
}
