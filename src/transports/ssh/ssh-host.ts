import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { FleetHostSpec } from '../../protocol/host.ts'
import type { FleetWorkerAuth } from '../../protocol/worker.ts'

/** A host that is reached over ssh, with everything checked. */
export interface SshHost {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  /** Absolute path of the private key. Default: those that the ssh client has by itself. */
  readonly identity: string | undefined
  /** Absolute path of the file that the host's key must stand in. */
  readonly knownHosts: string | undefined
  /** The fingerprint that the host's key must have, `SHA256:…`. */
  readonly fingerprint: string | undefined
  /** Absolute path on the host; undefined: each attempt gets a folder of its own. */
  readonly workingDirectory: string | undefined
  /** Names of the fleet's variables whose values go to the host. */
  readonly environment: readonly string[]
  /** The worker program, as argv; undefined: the host runs the commands of tasks. */
  readonly command: readonly string[] | undefined
}

export type SshSpec = Extract<FleetHostSpec, { kind: 'ssh' }>
export type SshKey = Extract<FleetWorkerAuth, { method: 'ssh_key' }>

/** Where something is wrong, and what. `path` is that of the field: `host`, `host.port`, `auth.user`. */
export interface HostProblem {
  readonly path: string
  readonly reason: string
}

/**
 * Reads what a host spec and the way to prove who one is say, or everything that is wrong with it (HO5, SE6): nothing of it can become an
 * option of the client, or a text that it expands. Without a pinned key there is no host.
 */
export function readSshHost(
  spec: SshSpec,
  auth?: SshKey,
): { readonly host: SshHost } | { readonly problems: readonly HostProblem[] } {
  const problems = [...problemsOf(spec, auth), ...contradictions(spec, auth), ...pinProblems(spec, auth)]
  if (problems.length > 0) return { problems }
  const { command, codewhale_binary: binary, working_directory: workingDirectory } = spec
  const identity = auth?.identity ?? spec.identity
  const knownHosts = auth?.known_hosts ?? spec.known_hosts
  return {
    host: {
      host: spec.host,
      port: spec.port ?? 22,
      user: auth?.user ?? spec.user,
      identity: identity === undefined ? undefined : localPath(identity),
      knownHosts: knownHosts === undefined ? undefined : localPath(knownHosts),
      fingerprint: (auth?.host_key_fingerprint ?? spec.host_key_fingerprint)?.replace(/=+$/, ''),
      workingDirectory,
      environment: spec.env_allowlist,
      command: command ?? (binary === undefined ? undefined : [binary]),
    },
  }
}

const rules = {
  host: [/^[A-Za-z0-9._:][A-Za-z0-9._:%-]*$/, 'expected a name or an address of a host: letters, digits and . _ : % -'],
  user: [/^[A-Za-z0-9._][A-Za-z0-9._@+\\-]*$/, 'expected the name of a user: letters, digits and . _ @ + \\ -, no "-" first'],
  fingerprint: [
    /^SHA256:[A-Za-z0-9+/]{43}=?$/,
    'expected the SHA-256 fingerprint of a host key: "SHA256:" and 43 characters of base64',
  ],
  variable: [/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected names of variables that a shell can export: letters, digits and _'],
  directory: [/^\//, 'expected an absolute path on the host'],
  text: [/^[^\0]*$/, 'expected a text without NUL'],
  word: [/^[^\0]+$/, 'expected a text that is not empty, without NUL'],
} as const satisfies Record<string, readonly [RegExp, string]>

function problemsOf(spec: SshSpec, auth: SshKey | undefined): HostProblem[] {
  const checked: readonly (readonly [path: string, value: string | undefined, rule: keyof typeof rules])[] = [
    ['host.host', spec.host, 'host'],
    ['host.user', spec.user, 'user'],
    ['host.identity', spec.identity, 'word'],
    ['host.known_hosts', spec.known_hosts, 'word'],
    ['host.host_key_fingerprint', spec.host_key_fingerprint, 'fingerprint'],
    ['host.working_directory', spec.working_directory, 'directory'],
    ['host.working_directory', spec.working_directory, 'text'],
    ...spec.env_allowlist.map((name, at) => [`host.env_allowlist[${at}]`, name, 'variable'] as const),
    ['host.codewhale_binary', spec.codewhale_binary, 'word'],
    ...(spec.command ?? []).map((word, at) => [`host.command[${at}]`, word, at === 0 ? 'word' : 'text'] as const),
    ['auth.identity', auth?.identity, 'word'],
    ['auth.known_hosts', auth?.known_hosts, 'word'],
    ['auth.host_key_fingerprint', auth?.host_key_fingerprint, 'fingerprint'],
    ['auth.user', auth?.user, 'user'],
  ]
  return [
    ...checked.flatMap(([path, value, rule]) => {
      const [pattern, reason] = rules[rule]
      return value === undefined || pattern.test(value) ? [] : [{ path, reason }]
    }),
    ...(spec.command?.length === 0 ? [{ path: 'host.command', reason: 'expected a program' }] : []),
    ...(spec.port === 0 ? [{ path: 'host.port', reason: 'expected a port from 1' }] : []),
  ]
}

/** What stands in both places must say the same. */
function contradictions(spec: SshSpec, auth: SshKey | undefined): HostProblem[] {
  if (auth === undefined) return []
  const twice = ['identity', 'known_hosts', 'host_key_fingerprint', 'user'] as const
  return twice
    .filter((field) => spec[field] !== undefined && auth[field] !== undefined && spec[field] !== auth[field])
    .map((field) => ({ path: `auth.${field}`, reason: `says something else than host.${field}: name it once` }))
}

function pinProblems(spec: SshSpec, auth: SshKey | undefined): HostProblem[] {
  const pins = [spec.known_hosts, spec.host_key_fingerprint, auth?.known_hosts, auth?.host_key_fingerprint]
  if (pins.some((pin) => pin !== undefined)) return []
  return [{ path: 'host', reason: 'no key of the host is pinned: name host_key_fingerprint, or known_hosts' }]
}

/** Paths of this machine are relative to the folder that the fleet's process is in; `~/` is the home of its user. */
function localPath(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(path)
}
