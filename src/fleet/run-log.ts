import { join } from 'node:path'
import { diskFiles } from '../host/files.ts'
import type { Store } from '../ports/store.ts'
import type { Resting } from '../protocol/steps.ts'
import { readArtifacts } from './run-artifacts.ts'

/** What an attempt wrote. */
export interface RunLog {
  readonly task_id: string
  readonly attempt: number
  /** False while the attempt runs: then it is the beginning, so far. */
  readonly ended: boolean
  readonly bytes: Uint8Array
}

interface LogPlace {
  readonly run: string
  readonly task: string
  readonly attempt: number
}

/** The name of an attempt's log in its folder, and as an artifact (AR5). */
const logName = 'output.log'
const limit = 64 * 1024 * 1024

/** The log of one attempt: what was kept of it, or what its folder has while it runs. Undefined when it wrote nothing. */
export async function readLog(
  store: Store,
  { running, ...place }: LogPlace & { readonly running: boolean },
  clock: Resting,
): Promise<RunLog | undefined> {
  const kept = running ? undefined : await readKept(store, place, clock)
  const bytes = kept ?? (await readFolder(store, place))
  return bytes === undefined ? undefined : { task_id: place.task, attempt: place.attempt, ended: !running, bytes }
}

async function readKept(store: Store, { run, task, attempt }: LogPlace, clock: Resting): Promise<Uint8Array | undefined> {
  const artifacts = await readArtifacts(store, run, task, clock)
  const log = artifacts.findLast((one) => one.attempt === attempt && one.artifact.kind === 'log' && one.artifact.path === logName)
  const sha256 = log?.artifact.checksum?.replace(/^sha256:/, '')
  return sha256 === undefined ? undefined : store.blobs.open(run, sha256)
}

async function readFolder(store: Store, { run, task, attempt }: LogPlace): Promise<Uint8Array | undefined> {
  if (store.folder === undefined) return undefined
  const files = diskFiles()
  const path = join(store.folder, run, 'attempts', task, String(attempt), logName)
  return (await files.facts(path)) === undefined ? undefined : files.read(path, { limit })
}
