import type { StoreFacts } from '../deferred.ts'
import { layoutOf } from './layout.ts'

/** What a store in a folder tells of itself. A relative path counts from the folder that the process is in now. */
export function storeFacts(folder: string): JsonStoreFacts {
  const { root, runs, recordings } = layoutOf(folder)
  return { name: `json store in ${folder}`, folder: runs, home: root, recordings }
}

export type JsonStoreFacts = { readonly [Fact in keyof StoreFacts]-?: string }
