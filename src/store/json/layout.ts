import { join, resolve } from 'node:path'
import { FleetError } from '../../protocol/errors.ts'

/** Where everything of a JSON store lies. Paths are absolute. */
export interface Layout {
  readonly root: string
  readonly journal: string
  readonly index: string
  /** What the index keeps apart. */
  readonly shards: string
  readonly runs: string
  readonly inbox: string
  /** What a repair took out of histories. */
  readonly aside: string
  /** What fleets recorded, a file for each opening. */
  readonly recordings: string
  /** The folder of one run: its snapshot, its blobs, and the folders of its attempts. */
  run(run: string): string
}

export function layoutOf(folder: string): Layout {
  const root = resolve(folder)
  const runs = join(root, 'runs')
  return {
    root,
    runs,
    journal: join(root, 'journal'),
    index: join(root, 'index.json'),
    shards: join(root, 'index'),
    inbox: join(root, 'inbox'),
    aside: join(root, 'aside'),
    recordings: join(root, 'recordings'),
    run: (run) => join(runs, safeName(run)),
  }
}

/** An id that is a file's name and nothing else. */
export function safeName(id: string): string {
  if (/^[A-Za-z0-9._-]{1,200}$/.test(id) && id !== '.' && id !== '..') return id
  throw new FleetError('invalid_document', `${JSON.stringify(id)} cannot name a file. Use 1 to 200 of A-Z a-z 0-9 . _ - in ids.`)
}
