import type { Entry } from '../../src/engine/entry.ts'

/** What entries say, without their places, and without the fields that say nothing. */
export function said(entries: readonly Entry[]): Partial<Entry>[] {
  return entries.map(({ seq: _seq, at: _at, ...rest }) =>
    Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
  )
}
