import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { systemIds } from '../host/ids.ts'
import type { StoreInspection } from '../store/json/doctor/inspect-store.ts'
import type { RepairParts, StoreRepair } from '../store/json/doctor/repair-store.ts'
import type { RunVerification } from '../store/json/doctor/verify-run.ts'
import type * as jsonCode from '../store/json/json-store.ts'
import { layoutOf } from '../store/json/layout.ts'
import { probeContainers } from '../transports/containers/container-probe.ts'
import { tryContainer } from '../transports/containers/container-trial.ts'
import { probeSandbox } from '../transports/commands/sandbox-probe.ts'
import { blobsOfEntry } from './kept-blobs.ts'

/**
 * Follows the history of a run of a JSON store from the journal's bytes: every line's checksum, sequence and chain hash, whole batches,
 * and the bytes that receipts and artifacts name (VE7, VE6, AR2). Changes nothing, and needs no ownership. `head`: the hash of a line,
 * kept elsewhere from an earlier verification, that must still be part of the history. Rejects `unknown_run`, `store_too_new`.
 */
export async function verifyRun(options: {
  readonly folder: string
  readonly run: string
  readonly head?: string
}): Promise<RunVerification> {
  const json = await import('../store/json/json-store.ts')
  return json.verifyChain(partsOf(json, options.folder), options.run, options.head)
}

/** Looks at all that lies in the folder of a JSON store, also while a fleet works in it, and changes nothing (ST4). Rejects `store_too_new`. */
export async function inspectStore(options: { readonly folder: string }): Promise<StoreInspection> {
  const json = await import('../store/json/json-store.ts')
  return json.inspectFolder(partsOf(json, options.folder))
}

/**
 * Mends what can be mended in the folder of a JSON store, and says what was lost (ST4). Takes the store for as long as it works: rejects
 * `store_owned` with the owner named when a process has it; `takeOver` overrules one that cannot be checked from here.
 */
export async function repairStore(options: { readonly folder: string; readonly takeOver?: boolean }): Promise<StoreRepair> {
  const { takeOver } = options
  const json = await import('../store/json/json-store.ts')
  return json.repairFolder(partsOf(json, options.folder), takeOver === undefined ? {} : { takeOver })
}

/** What the machine can hold work to. */
export interface HostInspection {
  /** Whether commands can be confined here, at the trust level `sandbox` (SE3); `because` says why not. */
  readonly sandbox: { readonly possible: true } | { readonly possible: false; readonly because: string }
  /**
   * Whether containers can be run here, and by which runtime; `because` says why not. `tried`: one was started, which takes an image that is
   * there; nothing of the image is run.
   */
  readonly containers:
    | { readonly possible: true; readonly runtime: 'docker' | 'podman'; readonly tried: boolean }
    | { readonly possible: false; readonly because: string }
}

/** Looks what this machine can enforce, by confining a small command, and by starting a container (SE2, HO6). Blocks for up to a second. */
export function inspectHost(): HostInspection {
  const probe = probeSandbox()
  return {
    sandbox: 'host' in probe ? { possible: true } : { possible: false, because: probe.missing },
    containers: inspectContainers(),
  }
}

function inspectContainers(): HostInspection['containers'] {
  const probe = probeContainers(systemEnvironment())
  if ('missing' in probe) return { possible: false, because: probe.missing }
  const { runtime } = probe.host
  const tried = tryContainer(probe.host)
  return typeof tried === 'string'
    ? { possible: true, runtime, tried: tried === 'started' }
    : { possible: false, because: `${runtime} answers, but ${tried.failed}` }
}

function partsOf({ hostFacts, nodeDisk }: Pick<typeof jsonCode, 'hostFacts' | 'nodeDisk'>, folder: string): RepairParts {
  const ids = systemIds()
  const unique = (): string => `${hostFacts.self().pid}-${ids.next('t')}`
  return { disk: nodeDisk, layout: layoutOf(folder), host: hostFacts, clock: systemClock(), ids, unique, blobsOf: blobsOfEntry }
}
