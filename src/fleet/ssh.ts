import { systemClock } from '../host/clock.ts'
import { systemEnvironment } from '../host/environment.ts'
import { diskFiles } from '../host/files.ts'
import type { Transport } from '../ports/transport.ts'
import { FleetError } from '../protocol/errors.ts'
import { FleetHostSpec } from '../protocol/host.ts'
import type { FleetWorkerSpec } from '../protocol/worker.ts'
import type { SshLimits } from '../transports/ssh/ssh-client.ts'
import { readSshHost, type HostProblem, type SshHost } from '../transports/ssh/ssh-host.ts'
import { sshLauncher } from '../transports/ssh/ssh-launcher.ts'
import { sshEnforces, sshTransport } from '../transports/ssh/ssh.ts'
import { poolTransport, type PoolOptions } from '../transports/programs/worker-pool.ts'
import { secretLikeName } from '../workspace/secret-like.ts'
import { checked } from './launched-workers.ts'
import type { HostPorts } from './workers-of.ts'

/** Options of {@link ssh}. One of `hostKeyFingerprint` and `knownHosts` pins the key of the host; with both, it must fit both. */
export interface SshOptions extends PoolOptions {
  /** A name or an address. */
  readonly host: string
  /** Default 22. */
  readonly port?: number
  /** Default: whom the ssh client takes, the user of this process. */
  readonly user?: string
  /** Path of a private key without a passphrase. Default: those that the ssh client has by itself. */
  readonly identity?: string
  /** Path of a file that the host's key must stand in. */
  readonly knownHosts?: string
  /** `SHA256:…`, as `ssh-keygen -l` writes it. */
  readonly hostKeyFingerprint?: string
  /** Absolute path at the host. Default: commands run in a folder of their own, worker programs in the user's home. */
  readonly workingDirectory?: string
  /** Names of variables of this process whose values everything at the host gets. Not for secrets: those travel with each attempt. */
  readonly envAllowlist?: readonly string[]
  /** A program at the host that speaks the worker protocol, with its arguments. Default: none, and the host runs the commands of tasks. */
  readonly command?: readonly [program: string, ...args: string[]]
  /** How long a connection may take to come up, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number
}

const programs = { ssh: 'ssh', 'ssh-keyscan': 'ssh-keyscan', 'ssh-keygen': 'ssh-keygen' }

const limits: SshLimits = { connectSeconds: 10, aliveSeconds: 15, aliveCount: 3, startLimitMs: 30_000 }

/**
 * Workers at another host, over the ssh client of this system (HO5). Without `command` they run tasks that carry `metadata.command` there, with
 * their input files brought over and their artifacts fetched; with it they are worker programs, as many as the worker has slots, which
 * serve what `handlers` and `plain` say. The host's key is checked before anything is sent, so its identity counts as verified (SE1).
 * Nothing confines what runs there: at the trust level `sandbox` nothing does (SE2). Throws `invalid_option` with everything that is wrong.
 */
export function ssh(options: SshOptions): Transport {
  const { handlers, plain, reuse, startTimeoutMs, connectTimeoutMs = limits.connectSeconds * 1_000 } = options
  const pool = {
    ...(handlers !== undefined && { handlers }),
    ...(plain !== undefined && { plain }),
    ...(reuse !== undefined && { reuse }),
    ...(startTimeoutMs !== undefined && { startTimeoutMs }),
  }
  const problems: string[] = []
  const spec = FleetHostSpec.safeParse({
    kind: 'ssh',
    host: options.host,
    port: options.port,
    user: options.user,
    identity: options.identity,
    known_hosts: options.knownHosts,
    host_key_fingerprint: options.hostKeyFingerprint,
    working_directory: options.workingDirectory,
    env_allowlist: options.envAllowlist ?? [],
    command: options.command,
  })
  if (!spec.success) problems.push(spec.error.message)
  if (!(connectTimeoutMs >= 1_000))
    problems.push(`connectTimeoutMs: expected at least 1000 milliseconds, got ${connectTimeoutMs}`)
  if (options.command === undefined && Object.keys(pool).length > 0)
    problems.push(`${Object.keys(pool).join(', ')}: only for worker programs: name their command`)
  const read = spec.success && spec.data.kind === 'ssh' ? readSshHost(spec.data) : { problems: [] }
  if ('problems' in read) problems.push(...read.problems.map(({ path, reason }) => `${optionOf(path)}: ${reason}`))
  problems.push(
    ...secretNames(options.envAllowlist ?? []).map(
      (name) => `envAllowlist: ${name} looks like a secret: grant it as a secret instead`,
    ),
  )
  if (problems.length > 0 || !('host' in read)) {
    throw new FleetError('invalid_option', `The host cannot be reached over ssh:\n${problems.join('\n')}`, {
      details: { problems },
    })
  }
  const ports = { clock: systemClock(), environment: systemEnvironment() }
  const times = { ...limits, connectSeconds: Math.ceil(connectTimeoutMs / 1_000) }
  return transportTo(read.host, ports, { times, pool: options.command === undefined ? {} : checked(pool) })
}

/** The option that a field of the contract is: `host.working_directory` is `workingDirectory`. */
function optionOf(path: string): string {
  return path.replace(/^host\./, '').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** The way to a worker of a run that names an ssh host; its problems are refused before, so that one that has some does not come up. */
export function sshWorker({ host, auth }: FleetWorkerSpec, ports: HostPorts): Transport {
  if (host.kind !== 'ssh') throw new TypeError(`A host of the kind ${host.kind} is not reached over ssh.`)
  const read = readSshHost(host, auth?.method === 'ssh_key' ? auth : undefined)
  if ('host' in read) return transportTo(read.host, ports, { times: limits, pool: { plain: true } })
  const reason = read.problems.map((problem) => `${problem.path}: ${problem.reason}`).join('; ')
  return {
    kind: 'ssh',
    enforces: sshEnforces,
    heartbeats: 'fleet',
    startsAtOnce: false,
    survives: false,
    serves: { handlers: [], commands: false, plain: false },
    open: () => Promise.reject(new FleetError('invalid_option', `The host cannot be reached over ssh: ${reason}`)),
  }
}

/** What is wrong with a worker of a run that names an ssh host (HO5, SE6, WS3). */
export function sshProblems({ host, auth }: FleetWorkerSpec): readonly HostProblem[] {
  if (host.kind !== 'ssh') return []
  const read = readSshHost(host, auth?.method === 'ssh_key' ? auth : undefined)
  return [
    ...('problems' in read ? read.problems : []),
    ...secretNames(host.env_allowlist).map((name) => ({
      path: `host.env_allowlist[${host.env_allowlist.indexOf(name)}]`,
      reason: `${name} looks like a secret: grant it as a secret instead`,
    })),
  ]
}

function secretNames(names: readonly string[]): readonly string[] {
  return names.filter(secretLikeName)
}

function transportTo(
  host: SshHost,
  { clock, environment, redactor }: HostPorts,
  how: { readonly times: SshLimits; readonly pool: PoolOptions },
): Transport {
  const parts = { host, clock, environment, limits: how.times, programs }
  const files = diskFiles()
  if (host.command === undefined) return sshTransport({ ...parts, files, redactor })
  return { ...poolTransport({ ...how.pool, launcher: sshLauncher(parts), clock, files }), verifiesIdentity: true }
}
