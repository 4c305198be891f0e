import { FleetError } from '../protocol/errors.ts'

/** Where an event stands: the run's short name, the sequence of its entry, its place in the entry (EV7). */
export interface CursorPlace {
  readonly short: string
  readonly seq: number
  readonly index: number
}

const shape = /^fev1_([0-9a-z]{1,40})_([0-9a-z]{1,12})_([0-9a-z]{1,12})$/

/** Opaque to whoever holds it: `fev1_…`, at most 96 characters of `[A-Za-z0-9_]`. */
export function writeCursor(place: CursorPlace): string {
  return `fev1_${place.short}_${place.seq.toString(36)}_${place.index.toString(36)}`
}

/** Rejects with `cursor_unavailable` what is no cursor of this run. */
export function readCursor(cursor: string, short: string): CursorPlace {
  const found = shape.exec(cursor)
  if (found?.[1] !== short) {
    throw new FleetError(
      'cursor_unavailable',
      'The cursor is not one of this run. Read again without a cursor to get the newest page.',
      {
        details: { cursor: cursor.slice(0, 96) },
      },
    )
  }
  return { short, seq: Number.parseInt(found[2] ?? '', 36), index: Number.parseInt(found[3] ?? '', 36) }
}
