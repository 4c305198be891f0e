import { isAbsolute } from 'node:path'
import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { diskFiles } from '../host/files.ts'
import type { Transport } from '../ports/transport.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetWorkerSpec } from '../protocol/worker.ts'
import { containerLimits } from '../security/container.ts'
import { imageProblem, isNetworkName, mountProblem, wordsProblem } from '../security/container-words.ts'
import { containerCommands } from '../transports/containers/container-commands.ts'
import type { ContainerSettings } from '../transports/containers/container-options.ts'
import { type ContainerChoice, type ContainerProbe, probeContainers } from '../transports/containers/container-probe.ts'
import { containerLauncher } from '../transports/containers/container-worker.ts'
import { poolTransport, type PoolOptions } from '../transports/programs/worker-pool.ts'
import { namesIn } from './dial-in-spec.ts'
import { checked } from './launched-workers.ts'
import { once } from './once.ts'
import type { HostPorts } from './workers-of.ts'

/** How containers are run here, whatever their image: by which runtime, and within which bounds. */
export interface ContainersOptions extends ContainerSettings, ContainerChoice {}

/** Options of {@link container}. */
export interface ContainerOptions extends ContainersOptions, PoolOptions {
  /** `[registry/]name[:tag][@digest]`. */
  readonly image: string
  /**
   * What the image's own program is started with, which then speaks the worker protocol; `[]` where it needs nothing. Left out: the image is
   * what the commands of tasks run in.
   */
  readonly args?: readonly string[]
}

/** What a fleet has for the containers of workers that runs name. */
export interface ContainerPorts {
  readonly options: ContainersOptions
  readonly probe: () => ContainerProbe
}

/** A transport that is told of the fleet that it works for, once there is one. */
export interface HostedTransport extends Transport {
  within(host: HostPorts): Transport
}

export function isHosted(transport: Transport): transport is HostedTransport {
  return 'within' in transport
}

/**
 * Workers in containers of docker or podman. Without `args`, each task that carries `metadata.command` runs in a container of its own, which
 * sees the workspace and the attempt's folder; with `args`, as many containers as the worker has slots run the image's worker program, and see no
 * file of this machine. At the trust level `sandbox` they have no network and write their own folder only (SE3, HO6). The runtime is
 * looked for when the first of them is needed. Throws `invalid_option` with everything that is wrong.
 */
export function container(options: ContainerOptions): Transport {
  const { handlers, plain, reuse, startTimeoutMs, image, args, ...settings } = options
  const pool = {
    ...(handlers !== undefined && { handlers }),
    ...(plain !== undefined && { plain }),
    ...(reuse !== undefined && { reuse }),
    ...(startTimeoutMs !== undefined && { startTimeoutMs }),
  }
  const problems = [
    ...hostProblems({ image, args: args ?? [] }).map(({ path, reason }) => `${path}: ${reason}`),
    ...containersProblems(settings),
    ...(args === undefined
      ? Object.keys(pool).map((name) => `${name}: only for worker programs: give their args, \`[]\` for none`)
      : []),
  ]
  if (problems.length > 0)
    throw new FleetError('invalid_option', `The containers cannot be run:\n${problems.join('\n')}`, { details: { problems } })
  const environment = systemEnvironment()
  const probe = once(() => probeContainers(environment, settings))
  const within = (host: HostPorts) =>
    transportTo(
      { image, args, pool: args === undefined ? {} : checked(pool) },
      { ...host, containers: { options: settings, probe } },
    )
  const hosted: HostedTransport = Object.assign(within({ clock: systemClock(), environment }), { within })
  return hosted
}

/**
 * The way to a worker of a run that names a container: with `args` it is a worker program, which serves the handlers that `labels.handlers` names
 * or else tasks that name neither a handler nor a command; without them it runs commands.
 */
export function containerWorker({ host: spec, labels }: FleetWorkerSpec, host: HostPorts): Transport {
  if (spec.kind !== 'docker') throw new TypeError(`A host of the kind ${spec.kind} is no container.`)
  const { image, args } = spec
  const handlers = namesIn(labels['handlers'])
  const pool = handlers.length > 0 ? { handlers } : { plain: true }
  return transportTo({ image, args: args.length > 0 ? args : undefined, pool }, host)
}

interface Problem {
  readonly path: string
  readonly reason: string
}

/** What is wrong with a worker of a run that names a container (SE6). */
export function containerProblems({ host }: FleetWorkerSpec): readonly Problem[] {
  return host.kind === 'docker' ? hostProblems(host).map(({ path, reason }) => ({ path: `host.${path}`, reason })) : []
}

/** Why the containers of a run's workers cannot be run on this machine, which is looked at only when there are any. */
export function runtimeProblems(workers: readonly FleetWorkerSpec[], host: HostPorts): readonly Problem[] {
  const place = workers.findIndex((worker) => worker.host.kind === 'docker')
  if (place < 0) return []
  const probed = (host.containers ?? containerPorts({}, host.environment)).probe()
  return 'host' in probed
    ? []
    : [{ path: `worker_specs[${place}].host`, reason: `no containers can be run here: ${probed.missing}` }]
}

/** The ways to the containers that an earlier fleet may have left: those of this fleet's workers, and of the runs that go on. */
export function containerWays(
  parts: { readonly plans: readonly { readonly transport: Transport }[]; readonly specs: readonly FleetWorkerSpec[] },
  host: HostPorts,
): readonly Transport[] {
  const named = parts.specs.find((spec) => spec.host.kind === 'docker')
  const own = parts.plans.map((plan) => plan.transport).filter((transport) => transport.kind === 'docker')
  return [...own, ...(named === undefined ? [] : [containerWorker(named, host)])]
}

/** What is wrong with how containers are to be run. */
export function containersProblems(options: ContainersOptions): string[] {
  const { runtime, program, network, pull, user, readable = [], bounds = {} } = options
  const paths = readable.flatMap((path, index) => {
    const why = mountProblem(path)
    return why === undefined ? [] : [`readable[${index}]: ${why}`]
  })
  const sizes = Object.entries(bounds).flatMap(([name, value]) => {
    if (!Object.hasOwn(containerLimits, name)) return [`bounds.${name}: there is no such bound`]
    const isSize = name === 'cpus' ? value >= 0 && Number.isFinite(value) : Number.isSafeInteger(value) && value >= 1
    return isSize ? [] : [`bounds.${name}: expected a number from ${name === 'cpus' ? 0 : 1}, got ${String(value)}`]
  })
  const known = ['runtime', 'program', 'network', 'pull', 'user', 'readable', 'bounds']
  return [
    ...Object.keys(options)
      .filter((name) => !known.includes(name))
      .map((name) => `${name}: there is no such option; there are ${known.join(', ')}`),
    ...(runtime === undefined || ['docker', 'podman'].includes(runtime)
      ? []
      : [`runtime: expected docker or podman, got ${String(runtime)}`]),
    ...(program !== undefined && runtime === undefined ? ['program: say with `runtime` whose client it is'] : []),
    ...(program === undefined || isAbsolute(program)
      ? []
      : [`program: expected an absolute path, got ${JSON.stringify(program)}`]),
    ...(network === undefined || isNetworkName(network)
      ? []
      : [`network: expected the name of a network, got ${JSON.stringify(network)}`]),
    ...(pull === undefined || ['missing', 'never', 'always'].includes(pull)
      ? []
      : [`pull: expected missing, never or always, got ${String(pull)}`]),
    ...(user === undefined || /^\d{1,9}:\d{1,9}$/.test(user) ? [] : [`user: expected uid:gid, got ${JSON.stringify(user)}`]),
    ...paths,
    ...sizes,
  ]
}

function hostProblems({ image, args }: { readonly image: string; readonly args: readonly string[] }): readonly Problem[] {
  return [
    { path: 'image', reason: imageProblem(image) },
    { path: 'args', reason: wordsProblem(args) },
  ].flatMap(({ path, reason }) => (reason === undefined ? [] : [{ path, reason }]))
}

function transportTo(
  what: { readonly image: string; readonly args: readonly string[] | undefined; readonly pool: PoolOptions },
  host: HostPorts,
): Transport {
  const { clock, environment, redactor, hidden = [] } = host
  const { options, probe } = host.containers ?? containerPorts({}, environment)
  const { runtime: _, program: __, ...settings } = options
  const { image, args, pool } = what
  const parts = { ...settings, image, clock, probe, hidden, redactor }
  if (args === undefined) return containerCommands(parts)
  return poolTransport({ ...pool, launcher: containerLauncher({ ...parts, args }), clock, files: diskFiles() })
}

/** What a fleet has for containers; the machine is looked at when that is first needed. */
export function containerPorts(options: ContainersOptions, environment: HostPorts['environment']): ContainerPorts {
  return { options, probe: once(() => probeContainers(environment, options)) }
}
