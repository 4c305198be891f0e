import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import type { Clock } from '../../ports/clock.ts'
import type { AttemptKey } from '../../protocol/wire.ts'
import { type ContainerLaunch, type ContainerLimits, labelNames } from '../../security/container.ts'
import { wordsProblem } from '../../security/container-words.ts'
import type { ConfinedProgram } from '../commands/command-attempt.ts'
import type { CommandLaunch } from '../commands/command-launch.ts'
import type { ContainerClient } from './container-client.ts'
import { type ContainerPlace, prepareContainerPlace, type WorkPlace } from './container-place.ts'
import { startContainer } from './container-program.ts'
import type { ContainerUser } from './container-user.ts'
import { takeLeavings } from '../commands/sandbox-leavings.ts'

/** How the containers of a worker are run. */
export interface ContainerTerms {
  readonly image: string
  /** The network of what may use one; undefined for the one that containers get anyway. */
  readonly network: string | undefined
  /** Undefined: as whoever the workspace belongs to. */
  readonly user: ContainerUser | undefined
  /** Paths of the host that every container is shown, to be read. */
  readonly readable: readonly string[]
  readonly limits: ContainerLimits
}

/** Everything that running commands in containers stands on. */
export interface ContainerParts {
  readonly terms: ContainerTerms
  readonly client: ContainerClient
  /** Gives why the image is not there. */
  readonly fetch: (signal: AbortSignal) => Promise<string | undefined>
  readonly clock: Clock
  readonly startLimitMs: number
  readonly drainLimitMs: number
}

/** Whose container it is. */
export interface ContainerOwner {
  readonly storeId: string
  readonly worker: string
  readonly incarnation: string
  readonly kind: 'attempt' | 'check' | 'worker'
  /** Names one container of this owner. */
  readonly number: number
  readonly key?: AttemptKey
}

/** A command that is to run in a container of its own. */
export interface ContainerWork {
  readonly owner: ContainerOwner
  readonly place: Omit<WorkPlace, 'user'>
  /** Without the secrets in its environment. */
  readonly launch: CommandLaunch
  /** Names of variables in it whose values the list of processes must not show. */
  readonly named: readonly string[]
  readonly secrets: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly stdout: (bytes: Uint8Array) => void
  readonly stderr: (bytes: Uint8Array) => void
}

/** Why there is no program: what asks for it cannot be run, whatever the machine, or this machine could not do it this time. */
export type NotRun = { readonly problem: string } | { readonly unstarted: string }

/** Runs a command in a container of its own, which sees the workspace and the attempt's folder under their own paths. */
export async function runInContainer(work: ContainerWork, parts: ContainerParts): Promise<ConfinedProgram | NotRun> {
  const { launch, signal, secrets } = work
  const { client, clock, startLimitMs, drainLimitMs } = parts
  const { image } = parts.terms
  const problem = wordsProblem([launch.program, ...launch.args, ...Object.values(launch.environment)])
  if (problem !== undefined) return { problem }
  const unfetched = await parts.fetch(signal)
  if (unfetched !== undefined) return { unstarted: unfetched }
  const place = await prepareContainerPlace({ ...work.place, user: parts.terms.user })
  if ('problem' in place) return place
  const release = () => place.scratch.remove()
  try {
    signal.throwIfAborted()
    const { environment, ...planned } = containerLaunch(work, place, parts.terms)
    const { stdout, stderr } = work
    const started = await startContainer(planned, {
      ...{ client, clock, environment, startLimitMs, drainLimitMs, stdout, stderr },
      ...(planned.hasInput && { input: handOver(secrets) }),
    })
    const where = (why: string) => `cannot run ${launch.program} in a container of ${image}: ${why}`
    const told = started.ended.then((end) => ({
      ...end,
      ...(end.unrunnable !== undefined && { unrunnable: where(end.unrunnable) }),
      ...(end.lost !== undefined && { lost: where(end.lost) }),
    }))
    return { ...started, ended: told, release, takeLeavings: takingFrom(place, work.place.folder) }
  } catch (error) {
    await release()
    throw error
  }
}

function containerLaunch(
  { owner, place: { folder, confined }, launch, named, secrets }: ContainerWork,
  place: ContainerPlace,
  terms: ContainerTerms,
): ContainerLaunch & { readonly environment: Readonly<Record<string, string>> } {
  const isNamed = (name: string) => named.includes(name)
  const entries = Object.entries(launch.environment)
  const command = [launch.program, ...launch.args]
  const hasSecrets = Object.keys(secrets).length > 0
  return {
    name: containerName(owner),
    labels: labelsOf(owner),
    image: terms.image,
    command: hasSecrets ? ['/bin/sh', '-c', gate, 'flotilla', ...command] : command,
    replacesProgram: true,
    network: confined?.network === false ? 'none' : terms.network,
    user: `${place.user.uid}:${place.user.gid}`,
    folder: place.root,
    mounts: [...terms.readable.map((path) => ({ source: path, target: path, writable: false })), ...place.mounts],
    filter: place.filter,
    variables: { ...Object.fromEntries(entries.filter(([name]) => !isNamed(name))), HOME: folder, TMPDIR: '/tmp' },
    named,
    hasInput: hasSecrets,
    limits: terms.limits,
    environment: Object.fromEntries(entries.filter(([name]) => isNamed(name))),
  }
}

/** A name of its own for each container: ids are longer than names may be. */
export function containerName({ storeId, worker, incarnation, kind, number }: ContainerOwner): string {
  const whose = createHash('sha256').update([storeId, worker, incarnation, kind].join('\0')).digest('hex').slice(0, 24)
  return `flotilla-${whose}-${kind}-${number}`
}

export function labelsOf({ storeId, worker, incarnation, kind, key }: ContainerOwner): Readonly<Record<string, string>> {
  return {
    [labelNames.store]: storeId,
    [labelNames.worker]: worker,
    [labelNames.incarnation]: incarnation,
    [labelNames.kind]: kind,
    ...(key !== undefined && { [labelNames.attempt]: `${key.run_id}/${key.task_id}/${key.attempt}` }),
  }
}

/**
 * Becomes the command once it has its secrets. They come over the standard input, since whoever may ask the runtime sees the environment that a
 * container was started with.
 */
const gate = [
  'said=',
  'while IFS= read -r line; do said="$said$line',
  '"; done',
  'eval "$said"',
  'unset said line',
  'command -v -- "$1" >/dev/null || { echo "[flotilla] exec failed: there is no $1" >&2; exit 127; }',
  'exec "$@" </dev/null',
].join('\n')

function handOver(secrets: Readonly<Record<string, string>>): (input: Writable) => void {
  const lines = Object.entries(secrets).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
  return (input) => input.end(lines.join(''))
}

/** What lies in memory is taken out once nothing runs any more. */
function takingFrom({ leavings }: ContainerPlace, folder: string): ConfinedProgram['takeLeavings'] {
  return async (_to, { files }) =>
    leavings === undefined ? [] : takeLeavings(leavings, folder, { files, bytes: memoryLeavings })
}

/** All that an attempt may leave (AR4). */
const memoryLeavings = 256 * 1024 ** 2
