import { isAbsolute, join } from 'node:path'
import type { Environment } from '../../ports/environment.ts'
import type { ContainerRuntime } from '../../security/container.ts'
import { childProcess } from '../child-process.ts'
import { isExecutable } from '../executable.ts'
import type { ContainerHost } from './container-client.ts'

/** What this machine has for containers, or why it has nothing. */
export type ContainerProbe = { readonly host: ContainerHost } | { readonly missing: string }

/** Which runtime is looked for. */
export interface ContainerChoice {
  /** Default: the first that answers. */
  readonly runtime?: ContainerRuntime
  /** Absolute path of its client. Default: looked for where programs are. */
  readonly program?: string
}

/** A runtime that does not answer in this time never will. */
const patienceMs = 10_000

/** The path is the machine's own, never the fleet's, which may begin in a folder of some project. */
const programFolders = ['/usr/local/bin', '/usr/bin', '/bin', '/opt/homebrew/bin', '/opt/podman/bin', '/snap/bin']

/** What a client gets of the fleet's environment: where it finds itself, its settings, its runtime and its registries. */
const clientVariables = [
  'HOME', 'PATH', 'USER', 'LANG', 'TMPDIR', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'DBUS_SESSION_BUS_ADDRESS',
  'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY', 'DOCKER_API_VERSION',
  'CONTAINER_HOST', 'CONTAINERS_CONF', 'CONTAINERS_CONF_OVERRIDE', 'CONTAINERS_STORAGE_CONF', 'CONTAINERS_REGISTRIES_CONF', 'REGISTRY_AUTH_FILE',
  'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy',
] // prettier-ignore

/** What a runtime says of itself, as far as it matters here. */
interface RuntimeFacts {
  readonly isRootless: boolean
  /** Why containers cannot be confined with it. */
  readonly lacking: string | undefined
}

const runtimes: Readonly<
  Record<
    ContainerRuntime,
    {
      /** Names the address of the runtime. */
      readonly variable: string
      /** Asks for the address that its settings name. */
      readonly address?: readonly string[]
      readonly read: (info: unknown) => RuntimeFacts
    }
  >
> = {
  docker: {
    variable: 'DOCKER_HOST',
    address: ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'],
    read: dockerFacts,
  },
  podman: { variable: 'CONTAINER_HOST', read: podmanFacts },
}

const whose = 'which does not have the files of this one'

/**
 * Looks whether containers can be run here: a client is there, its runtime answers, runs Linux on this machine, and bounds memory and
 * processes. Blocks for some tenths of a second, and for ten seconds at most.
 */
export function probeContainers(environment: Environment, { runtime, program }: ContainerChoice = {}): ContainerProbe {
  if (runtime !== undefined) return probe(environment, runtime, program)
  const found = (Object.keys(runtimes) as ContainerRuntime[]).map((one) => probe(environment, one, undefined))
  return (
    found.find((one) => 'host' in one) ?? { missing: found.flatMap((one) => ('missing' in one ? one.missing : [])).join('; ') }
  )
}

function probe(environment: Environment, runtime: ContainerRuntime, named: string | undefined): ContainerProbe {
  const program = named ?? programFolders.map((folder) => join(folder, runtime)).find(isExecutable)
  if (program === undefined) return { missing: `${runtime} is not installed` }
  if (!isAbsolute(program) || !isExecutable(program)) return { missing: `${program} is no program` }
  const { variable, address, read } = runtimes[runtime]
  if (isElsewhere(environment.get(variable) ?? '')) return { missing: `${variable} names another machine, ${whose}` }
  const own = clientEnvironment(environment)
  const place = address === undefined ? '' : ask(program, address, own).stdout.trim()
  if (isElsewhere(place)) return { missing: `${runtime} is set to ${place}, another machine, ${whose}` }
  const { status, stdout, stderr, error, signal } = ask(program, ['info', '--format', '{{json .}}'], own)
  if (signal !== null) return { missing: `${runtime} did not answer within ${patienceMs / 1000} s` }
  if (status !== 0) return { missing: `${runtime} does not answer: ${error?.message ?? lastLine(stderr)}` }
  const facts = readFacts(stdout, read)
  return facts.lacking === undefined
    ? { host: { runtime, program, isRootless: facts.isRootless, environment: own } }
    : { missing: `${runtime} ${facts.lacking}` }
}

function ask(program: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  return childProcess().spawnSync(program, args, {
    env: environment,
    encoding: 'utf8',
    timeout: patienceMs,
    killSignal: 'SIGKILL',
    maxBuffer: 16 * 1024 ** 2,
  })
}

function isElsewhere(address: string): boolean {
  return /^[a-z]+:/.test(address) && !/^(unix|npipe):/.test(address)
}

function readFacts(said: string, read: (info: unknown) => RuntimeFacts): RuntimeFacts {
  try {
    return read(JSON.parse(said))
  } catch (error) {
    return { isRootless: false, lacking: `says of itself what is not understood: ${String(error)}` }
  }
}

function dockerFacts(info: unknown): RuntimeFacts {
  const facts = info as {
    readonly OSType?: string
    readonly MemoryLimit?: boolean
    readonly PidsLimit?: boolean
    readonly SecurityOptions?: readonly string[]
    readonly ServerErrors?: readonly string[]
  }
  if ((facts.ServerErrors ?? []).length > 0) return { isRootless: false, lacking: `does not answer: ${facts.ServerErrors?.[0]}` }
  const bounds = { memory: facts.MemoryLimit === true, processes: facts.PidsLimit === true }
  return {
    isRootless: (facts.SecurityOptions ?? []).some((option) => option.includes('name=rootless')),
    lacking: facts.OSType === 'linux' ? unbounded(bounds) : 'runs no Linux containers',
  }
}

function podmanFacts(info: unknown): RuntimeFacts {
  const { host } = info as {
    readonly host: {
      readonly os?: string
      readonly cgroupControllers?: readonly string[] | null
      readonly security?: { readonly rootless?: boolean }
    }
  }
  const has = (controller: string) => host.cgroupControllers?.includes(controller) === true
  return {
    isRootless: host.security?.rootless === true,
    lacking: host.os === 'linux' ? unbounded({ memory: has('memory'), processes: has('pids') }) : 'runs no Linux containers',
  }
}

function unbounded(bounds: Readonly<Record<string, boolean>>): string | undefined {
  const without = Object.keys(bounds).filter((name) => bounds[name] === false)
  return without.length === 0 ? undefined : `cannot bound ${without.join(' and ')} here`
}

function clientEnvironment(environment: Environment): Readonly<Record<string, string>> {
  const set = clientVariables.flatMap((name) => {
    const value = environment.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(set)
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) || 'it gave no reason'
}
