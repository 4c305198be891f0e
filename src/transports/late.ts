import type * as launched from './launched.ts'

/** What brings workers up outside of the fleet, and runs commands. */
export type Launched = typeof launched

/** Kept here, and nowhere else: to import a module a second time takes turns of the event loop where a loader is in between. */
let loading: Promise<Launched> | undefined

/** Loads it when it is first asked for. A load that failed is tried again. */
export function loadLaunched(): Promise<Launched> {
  loading ??= import('./launched.ts').catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}
