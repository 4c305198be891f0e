import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FleetError } from '../index.ts'
import type { Handler, Handlers, ProfileOptions, SecretSource, Verifier, WorkerOptions } from '../index.ts'
import type { FleetWorkerSpec } from '../protocol/index.ts'

/** What the modules of `--worker` export. `secrets` are sources of secrets, `profiles` and `roles` are by name. */
export interface WorkerModules {
  readonly handlers: Handlers
  readonly workers: readonly WorkerOptions[]
  readonly secrets: readonly SecretSource[]
  readonly profiles: Required<ProfileOptions>
  /** Judges results of `code_whale_verifier_prompt` tasks (VE4). */
  readonly verifier: Verifier | undefined
}

const defaultSlots = 4

/**
 * Imports modules that export `handlers`, `workers`, or both, and may export `secrets`, `profiles`, `roles` and one `verifier`. Throws with
 * the module named.
 */
export async function loadWorkerModules(paths: readonly string[]): Promise<WorkerModules> {
  const handlers = new Map<string, Handler>()
  const workers: WorkerOptions[] = []
  const secrets: SecretSource[] = []
  const profiles = new Map<string, unknown>()
  const roles = new Map<string, unknown>()
  let verifier: Verifier | undefined
  for (const path of paths) {
    const module = await importModule(path)
    const { handlers: own = {}, workers: ownWorkers = [], secrets: ownSecrets = [] } = module
    if (exported.every((name) => module[name] === undefined)) throw refuse(path, 'it exports neither `handlers` nor `workers`')
    if (!isTable(own)) throw refuse(path, 'its `handlers` must be functions or definitions by name')
    if (!Array.isArray(ownWorkers)) throw refuse(path, 'its `workers` must be a list')
    if (!Array.isArray(ownSecrets)) throw refuse(path, 'its `secrets` must be a list')
    for (const [name, handler] of Object.entries(own)) {
      if (handlers.has(name)) throw refuse(path, `another module exports the handler ${name} too`)
      handlers.set(name, handler)
    }
    if (module.verifier !== undefined) {
      if (typeof module.verifier !== 'function') throw refuse(path, 'its `verifier` must be a function')
      if (verifier !== undefined) throw refuse(path, 'another module exports a verifier too')
      verifier = module.verifier as Verifier
    }
    addNamed(profiles, module.profiles, (problem) => refuse(path, `its \`profiles\` ${problem}`))
    addNamed(roles, module.roles, (problem) => refuse(path, `its \`roles\` ${problem}`))
    workers.push(...(ownWorkers as WorkerOptions[]))
    secrets.push(...(ownSecrets as SecretSource[]))
  }
  // What they hold is checked when the fleet is opened with them.
  const named = { profiles: Object.fromEntries(profiles), roles: Object.fromEntries(roles) } as Required<ProfileOptions>
  return { handlers: Object.fromEntries(handlers), workers, secrets, profiles: named, verifier }
}

function addNamed(to: Map<string, unknown>, table: unknown, refusal: (problem: string) => FleetError): void {
  if (table === undefined) return
  if (typeof table !== 'object' || table === null || Array.isArray(table)) throw refusal('must be an object by name')
  for (const [name, definition] of Object.entries(table)) {
    if (to.has(name)) throw refusal(`hold ${name}, and so do those of another module`)
    to.set(name, definition)
  }
}

/**
 * The workers of a fleet that the command line opens: one for commands when a run names none itself, one for the handlers, and those
 * that the modules export.
 */
export function workersFor(
  runs: readonly { readonly worker_specs: readonly FleetWorkerSpec[] }[],
  modules: WorkerModules,
  slots = defaultSlots,
): WorkerOptions[] {
  const taken = new Set([
    ...modules.workers.map((worker) => worker.id),
    ...runs.flatMap((run) => run.worker_specs.map((worker) => worker.id)),
  ])
  const workers: WorkerOptions[] = []
  if (runs.some((run) => run.worker_specs.length === 0)) workers.push({ id: freeId('local', taken), commands: true, slots })
  if (Object.keys(modules.handlers).length > 0) workers.push({ id: freeId('handlers', taken), handlers: modules.handlers, slots })
  return [...workers, ...modules.workers]
}

/** Names of the handlers that workers serve in this process; a worker with a transport of its own serves what it says. */
export function servedHandlers(workers: readonly WorkerOptions[]): Set<string> {
  return new Set(
    workers.flatMap((worker) => [...Object.keys(worker.handlers ?? {}), ...(worker.transport?.serves.handlers ?? [])]),
  )
}

const exported = ['handlers', 'workers', 'secrets', 'profiles', 'roles', 'verifier'] as const

interface ModuleExports {
  readonly handlers?: unknown
  readonly workers?: unknown
  readonly secrets?: unknown
  readonly profiles?: unknown
  readonly roles?: unknown
  readonly verifier?: unknown
}

async function importModule(path: string): Promise<ModuleExports> {
  const file = resolve(path)
  const isFile = await stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  )
  if (!isFile)
    throw new FleetError('unreadable_file', `--worker ${path}: there is no such file. Check the path.`, { details: { path } })
  try {
    return (await import(pathToFileURL(file).href)) as ModuleExports
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new FleetError('unreadable_file', `--worker ${path}: it cannot be imported: ${reason}`, {
      details: { path },
      cause: error,
    })
  }
}

function isTable(value: unknown): value is Handlers {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every(
    (handler: unknown) => typeof handler === 'function' || (typeof handler === 'object' && handler !== null && 'run' in handler),
  )
}

function refuse(path: string, reason: string): FleetError {
  return new FleetError('invalid_option', `--worker ${path}: ${reason}. Export \`handlers\`, \`workers\`, or both.`, {
    details: { path },
  })
}

function freeId(id: string, taken: ReadonlySet<string>): string {
  let free = id
  for (let number = 2; taken.has(free); number++) free = `${id}-${number}`
  return free
}
