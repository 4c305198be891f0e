import type { StoreFacts } from '../deferred.ts'
import { layoutOf } from './layout.ts'

/** What a store in a folder tells of itself. */
export function storeFacts(folder: string) {
  const { root, runs, recordings } = layoutOf(folder)
  return { name: `json store in ${folder}`, folder: runs, home: root, recordings } satisfies StoreFacts
}
