import type { Entry } from '../engine/entry.ts'
import type { Store } from '../ports/store.ts'
import type { Resting } from '../protocol/steps.ts'

const shortestPage = 8
const longestPage = 1_000
const pageMs = 8

/**
 * Every entry of a run from `start` on that is durable by now, in pages with a turn of the event loop after each. Entries may be of any
 * size, so a page that took long is followed by a shorter one.
 */
export async function* entryPages(
  store: Store,
  run: string,
  clock: Resting,
  start = 1,
): AsyncGenerator<readonly Entry[], void, void> {
  let limit = shortestPage
  for (let from = start; ;) {
    const beganAt = clock.monotonic()
    const entries = (await store.read(run, { from, limit })) as unknown as Entry[]
    yield entries
    if (entries.length < limit) return
    from += entries.length
    limit =
      clock.monotonic() - beganAt > pageMs ? Math.max(shortestPage, Math.floor(limit / 2)) : Math.min(longestPage, limit * 2)
    await clock.turn()
  }
}
