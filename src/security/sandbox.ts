import type { Architecture } from './seccomp/system-calls.ts'
import { viewOptions } from './sandbox-view.ts'
import type { SandboxView, SystemFolder } from './sandbox-view.ts'

/** What a machine has for sandboxes. */
export interface SandboxHost {
  readonly architecture: Architecture
  /** Absolute paths of the programs that build one. */
  readonly bwrap: string
  readonly shell: string
  readonly prlimit: string
  readonly system: readonly SystemFolder[]
  /** Files and folders of `/etc` that every program may read, and those that only the network needs. */
  readonly settings: readonly string[]
  readonly networkSettings: readonly string[]
  /** Who bounds the number of processes: the kernel by user, or, for root, whom it does not bound, a control group below this folder. */
  readonly processGroups?: string
}

/** Bounds of one sandbox. */
export interface SandboxLimits {
  /** Processes and threads at a time. */
  readonly processes: number
  /** Memory that one process may have for itself; four times as much address space. */
  readonly memoryBytes: number
  /** Size of one file. */
  readonly fileBytes: number
  /** All files of the attempt's folder together; they lie in memory while it runs. */
  readonly folderBytes: number
  /** `/tmp` and `/dev/shm`, each. */
  readonly temporaryBytes: number
}

export const sandboxLimits: SandboxLimits = {
  processes: 512,
  memoryBytes: 4 * 1024 ** 3,
  fileBytes: 256 * 1024 ** 2,
  folderBytes: 256 * 1024 ** 2,
  temporaryBytes: 64 * 1024 ** 2,
}

/** Descriptors by which fleet and sandbox speak until the program begins; none of them is left to it. */
export const descriptors = { options: 3, facts: 4, said: 5, go: 6, filter: 7, names: 8 } as const

/** What the sandbox says of itself before the program begins. */
export const sayings = { ready: 'ready', missing: 'missing' } as const

/** A program to be started in a sandbox. */
export interface ConfinedLaunch {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The variables by which the attempt's processes are known: all that bubblewrap itself gets, since the first process inside shows them. */
  readonly identity: Readonly<Record<string, string>>
  /** Whether it shares the host's network; else it has none. */
  readonly network: boolean
  readonly view: SandboxView
  readonly limits: SandboxLimits
}

/** How a sandbox is started. */
export interface SandboxPlan {
  readonly program: string
  readonly args: readonly string[]
  /** Options that go over a descriptor, so that no list of processes shows what the environment holds. */
  readonly options: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The only users that the sandbox knows of, as `/etc/passwd` has them. */
  readonly names: string
}

/** Rewrites the start of a program into the start of the same program in a sandbox (SE3, HO6). */
export function sandboxPlan(launch: ConfinedLaunch, host: SandboxHost): SandboxPlan {
  const { program, args, environment, identity, network, view, limits } = launch
  const inside = { ...environment, HOME: view.folder, TMPDIR: '/tmp' }
  const readable = [...host.settings, ...(network ? host.networkSettings : []), ...view.readable]
  return {
    program: host.bwrap,
    args: [
      ...['--args', String(descriptors.options), '--info-fd', String(descriptors.facts), '--'],
      ...[host.shell, '-c', gate, program, ...limited(host.prlimit, limits), '--', program, ...args],
    ],
    options: [
      ...isolation(network),
      ...['--seccomp', String(descriptors.filter), '--chdir', view.root, '--clearenv'],
      ...Object.entries(inside).flatMap(([name, value]) => ['--setenv', name, value]),
      ...['--ro-bind-data', String(descriptors.names), '/etc/passwd'],
      ...viewOptions({ ...view, readable }),
    ],
    environment: identity,
    names: `nobody:x:65534:65534::${view.folder}:${host.shell}\n`,
  }
}

/** Namespaces of its own, no rights, and an end with its fleet. */
export function isolation(network: boolean): readonly string[] {
  return [
    ...['--unshare-user', '--unshare-ipc', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try'],
    ...(network ? [] : ['--unshare-net']),
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--uid', '65534', '--gid', '65534', '--hostname', 'sandbox'],
  ]
}

/** Starts the program under its limits, which hold only for what is counted in this sandbox. */
export function limited(prlimit: string, limits: SandboxLimits): readonly string[] {
  const { processes, memoryBytes, fileBytes } = limits
  const bounds = { core: 0, nproc: processes, fsize: fileBytes, data: memoryBytes, as: 4 * memoryBytes }
  return [prlimit, ...Object.entries(bounds).map(([name, most]) => `--${name}=${most}:${most}`)]
}

/**
 * The last thing that runs before the program, inside and with everything in force: it says that it is there, or that there is no such
 * program, and waits until the fleet holds the attempt's folder. It is called by the program's name; its arguments are what to become.
 */
const gate = [
  `command -v -- "$0" >/dev/null || { echo ${sayings.missing} >&${descriptors.said}; exit 127; }`,
  `echo ${sayings.ready} >&${descriptors.said}`,
  `read -r _ <&${descriptors.go} || exit 126`,
  `exec ${descriptors.said}>&- ${descriptors.go}<&-`,
  'exec "$@"',
].join('\n')
