import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seccompFilter } from '../../security/seccomp/filter.ts'
import type { Architecture } from '../../security/seccomp/system-calls.ts'
import { isolation, limited, sandboxLimits } from '../../security/sandbox.ts'
import type { SandboxHost } from '../../security/sandbox.ts'
import type { SystemFolder } from '../../security/sandbox-view.ts'
import { childProcess } from '../child-process.ts'
import { isExecutable } from '../executable.ts'
import { joinGroup } from './process-budget.ts'

/** What this machine has for sandboxes, or why it has none. */
export type SandboxProbe = { readonly host: SandboxHost } | { readonly missing: string }

/** A runtime that does not come up in this time never will. */
const patienceMs = 10_000

/** A group that was used is looked at again this often, with a pause between. */
const removals = 200
const pauseMs = 10

const programFolders = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']
const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
const settings = [
  'alternatives', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'localtime', 'os-release', 'ssl/certs', 'ssl/openssl.cnf', 'pki/tls/certs',
] // prettier-ignore
const networkSettings = ['gai.conf', 'host.conf', 'hosts', 'nsswitch.conf', 'protocols', 'resolv.conf', 'services']

/**
 * Looks whether commands can be confined here, by confining one: bubblewrap is there, the kernel lets it make its namespaces and takes the
 * filter, and the number of processes is really bounded. Blocks for some ten milliseconds, and for ten seconds at most.
 */
export function probeSandbox(): SandboxProbe {
  if (process.platform !== 'linux') return { missing: `sandboxes take Linux, and this is ${process.platform}` }
  const architecture = process.arch
  if (!isKnown(architecture)) return { missing: `there is no system call filter for ${architecture}` }
  const [bwrap, shell, prlimit] = ['bwrap', 'sh', 'prlimit'].map(findProgram)
  if (bwrap === undefined) return { missing: 'bubblewrap is not installed (bwrap is not on the path)' }
  if (shell === undefined || prlimit === undefined) return { missing: 'sh and prlimit (util-linux) are not both installed' }
  const inEtc = (names: readonly string[]) => names.map((name) => join('/etc', name)).filter((path) => existsSync(path))
  const host: SandboxHost = {
    architecture,
    bwrap,
    shell,
    prlimit,
    system: systemFolders.flatMap(systemFolder),
    settings: inEtc(settings),
    networkSettings: inEtc(networkSettings),
  }
  return process.getuid?.() === 0 ? probeAsRoot(host) : judged(host, confine(host))
}

/** The kernel counts root's processes, and never refuses one: a control group has to. */
function probeAsRoot(host: SandboxHost): SandboxProbe {
  const found = controlGroups()
  if (found === undefined)
    return { missing: 'the fleet runs as root, whose processes only a control group can bound, and none can be made here' }
  const group = join(found, `flotilla-${process.pid}-probe`)
  try {
    mkdirSync(group, { recursive: true })
    writeFileSync(join(group, 'pids.max'), String(probeProcesses + 2))
    return judged({ ...host, processGroups: found }, confine(host, group))
  } catch (error) {
    return { missing: `the fleet runs as root, whose processes only a control group can bound, and ${String(error)}` }
  } finally {
    for (const name of readdirSync(found).filter(isForsaken)) removeIfEmpty(join(found, name))
    removeOnceEmpty(group)
  }
}

/** A group that a fleet made which is no more. */
function isForsaken(name: string): boolean {
  const [, pid] = /^flotilla-(\d+)-/.exec(name) ?? []
  return pid !== undefined && !existsSync(`/proc/${pid}`)
}

/** The last processes of a sandbox are reaped soon after its end, not at its end. A group that stays all the same is removed by a later probe. */
function removeOnceEmpty(group: string): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let tried = 0; tried < removals && !removeIfEmpty(group); tried += 1) Atomics.wait(pause, 0, 0, pauseMs)
}

function removeIfEmpty(group: string): boolean {
  try {
    rmdirSync(group)
    return true
  } catch {
    return !existsSync(group)
  }
}

const probeProcesses = 4

/** Starts more processes than are allowed, in a sandbox like those of commands. Its input is the filter. */
function confine(host: SandboxHost, group?: string) {
  const { bwrap, shell, prlimit, system } = host
  const files = system.flatMap(({ path, link }) => (link === undefined ? ['--ro-bind', path, path] : ['--symlink', link, path]))
  const view = [...files, '--proc', '/proc', '--dev', '/dev', '--size', '65536', '--tmpfs', '/tmp', '--remount-ro', '/']
  const script = `grep -q '^Seccomp:.2' /proc/self/status && echo filtered; for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo unbounded`
  const command = [
    ...[bwrap, ...isolation(false), ...view, '--seccomp', '0', '--'],
    ...[...limited(prlimit, { ...sandboxLimits, processes: probeProcesses }), '--', shell, '-c', script],
  ]
  const [program = bwrap, ...args] = group === undefined ? command : joinGroup(shell, group, command)
  return childProcess().spawnSync(program, args, {
    input: seccompFilter(host.architecture),
    env: {},
    encoding: 'utf8',
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  })
}

function judged(host: SandboxHost, { stdout, stderr, error, signal }: ReturnType<typeof confine>): SandboxProbe {
  const said = stdout.trim().split('\n')
  if (said.includes('filtered') && !said.includes('unbounded')) return { host }
  if (said.includes('unbounded')) return { missing: 'bubblewrap runs, but the number of processes is not bounded' }
  if (signal !== null) return { missing: `bubblewrap did not come up within ${patienceMs / 1000} s` }
  return {
    missing: `bubblewrap cannot build a sandbox: ${error?.message ?? (stderr.trim().split('\n')[0] || 'it gave no reason')}`,
  }
}

function isKnown(architecture: string): architecture is Architecture {
  return architecture === 'x64' || architecture === 'arm64'
}

/** The path is the machine's own, never the fleet's: a program of this name elsewhere would build the sandbox. */
function findProgram(name: string): string | undefined {
  return programFolders.map((folder) => join(folder, name)).find(isExecutable)
}

function systemFolder(path: string): SystemFolder[] {
  const facts = lstatSync(path, { throwIfNoEntry: false })
  if (facts === undefined) return []
  return [facts.isSymbolicLink() ? { path, link: readlinkSync(path) } : { path }]
}

/** Where groups that bound processes can be made: the hierarchy of its own of version 1, or version 2 with the controller handed down. */
function controlGroups(): string | undefined {
  const has = (path: string, word: string) => existsSync(path) && readFileSync(path, 'utf8').split(/\s/).includes(word)
  if (existsSync('/sys/fs/cgroup/pids/cgroup.procs')) return '/sys/fs/cgroup/pids'
  return has('/sys/fs/cgroup/cgroup.subtree_control', 'pids') ? '/sys/fs/cgroup' : undefined
}
