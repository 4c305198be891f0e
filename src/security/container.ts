/** The programs that run containers: their command lines are nearly one. */
export type ContainerRuntime = 'docker' | 'podman'

/** Bounds of one container. */
export interface ContainerLimits {
  /** Processes and threads at a time. */
  readonly processes: number
  /** Memory of all its processes, what lies in its file systems in memory included; it gets no swap. */
  readonly memoryBytes: number
  /** Processors, in parts where it is a fraction. 0: all there are. */
  readonly cpus: number
  /** Size of one file. */
  readonly fileBytes: number
  /** `/tmp` and `/dev/shm`, each. */
  readonly temporaryBytes: number
}

export const containerLimits: ContainerLimits = {
  processes: 512,
  memoryBytes: 4 * 1024 ** 3,
  cpus: 0,
  fileBytes: 256 * 1024 ** 2,
  temporaryBytes: 64 * 1024 ** 2,
}

/** The names of the labels by which the containers of a store are found again. */
export const labelNames = {
  store: 'flotilla.store',
  worker: 'flotilla.worker',
  incarnation: 'flotilla.incarnation',
  kind: 'flotilla.kind',
  attempt: 'flotilla.attempt',
} as const

/** A folder or file of the host that a container is shown, under a path of its own. */
export interface ContainerMount {
  readonly source: string
  readonly target: string
  readonly writable: boolean
}

/** A container that is to be started. */
export interface ContainerLaunch {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly image: string
  /** Program and arguments. */
  readonly command: readonly string[]
  /** False: the image's own program gets them as arguments. */
  readonly replacesProgram: boolean
  /** `none`, another network's name, or undefined for the one that containers get anyway. */
  readonly network: string | undefined
  /** `uid:gid`. */
  readonly user: string
  /** Undefined: as the image says. */
  readonly folder: string | undefined
  readonly mounts: readonly ContainerMount[]
  /** The file of the filter of system calls; undefined: the runtime's own filter. */
  readonly filter: string | undefined
  /** Variables whose values anybody on the machine may see. */
  readonly variables: Readonly<Record<string, string>>
  /** Variables whose values the client takes out of its own environment, so that no list of processes shows them. */
  readonly named: readonly string[]
  /** It has a standard input. */
  readonly hasInput: boolean
  readonly limits: ContainerLimits
}

/** What containers get besides: enough for nearly all, and no more than the limits of a host that bounds itself. */
const openFiles = 4_096
/** Counted by user over all containers, so it only has to be a number that the host can give; `processes` bounds each container. */
const userProcesses = 16_384

/** What only one of the runtimes knows. */
const dialects: Readonly<Record<ContainerRuntime, { readonly options: readonly string[]; readonly memory: string }>> = {
  docker: { options: [], memory: '' },
  // Proxies of the host may have passwords in them; a file system in memory would begin with a copy of what the image has in its place.
  podman: { options: ['--http-proxy=false', '--image-volume=tmpfs'], memory: ',notmpcopyup' },
}

/**
 * The arguments that start a container (SE3, SE6): no rights, no new ones, a user that is not root, its own processes, memory and file
 * systems, all of them bounded, no log on the host's disk. Image and command come last, after `--`, so that they cannot become options. It
 * stays until it is removed, so that it can be asked how it ended.
 */
export function containerArguments(
  launch: ContainerLaunch,
  { runtime, isRootless }: { readonly runtime: ContainerRuntime; readonly isRootless: boolean },
): readonly string[] {
  const { limits } = launch
  const { options, memory } = dialects[runtime]
  const pairs = (option: string, of: Readonly<Record<string, string>>) =>
    Object.entries(of).flatMap(([name, value]) => [option, `${name}=${value}`])
  const inMemory = (path: string, bytes: number, mode: string) => ['--tmpfs', `${path}:rw,size=${bytes},mode=${mode}${memory}`]
  const bound = (name: string, most: number) => ['--ulimit', `${name}=${most}:${most}`]
  return [
    ...['run', '--name', launch.name, '--pull=never', '--init', '--sig-proxy=false', '--log-driver=none', '--no-healthcheck'],
    ...(launch.hasInput ? ['--interactive'] : []),
    ...pairs('--label', launch.labels),
    ...['--user', launch.user, '--cap-drop=ALL', '--security-opt=no-new-privileges', '--hostname=sandbox'],
    ...(launch.filter === undefined ? [] : [`--security-opt=seccomp=${launch.filter}`]),
    // Otherwise the user of the fleet would be somebody else inside, who may not write what is shown.
    ...(runtime === 'podman' && isRootless ? ['--userns=keep-id'] : []),
    ...(launch.network === undefined ? [] : ['--network', launch.network]),
    ...[`--pids-limit=${limits.processes}`, `--memory=${limits.memoryBytes}`, `--memory-swap=${limits.memoryBytes}`],
    ...(limits.cpus > 0 ? [`--cpus=${limits.cpus}`] : []),
    ...[
      ...bound('nofile', openFiles),
      ...bound('nproc', userProcesses),
      ...bound('fsize', limits.fileBytes),
      ...bound('core', 0),
    ],
    ...['--read-only', `--shm-size=${limits.temporaryBytes}`],
    ...inMemory('/tmp', limits.temporaryBytes, '1777'),
    ...inMemory('/run', 65_536, '755'),
    ...inMemory('/var/tmp', 65_536, '1777'),
    ...launch.mounts.flatMap(({ source, target, writable }) => ['--volume', `${source}:${target}:${writable ? 'rw' : 'ro'}`]),
    ...pairs('--env', launch.variables),
    ...launch.named.flatMap((name) => ['--env', name]),
    ...(launch.folder === undefined ? [] : ['--workdir', launch.folder]),
    ...options,
    ...(launch.replacesProgram ? ['--entrypoint='] : []),
    ...['--', launch.image, ...launch.command],
  ]
}
