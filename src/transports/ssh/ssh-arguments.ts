import type { SshHost } from './ssh-host.ts'

/** Names of the files in the folder that the client is started in: whatever their real paths are, the client expands nothing in these. */
export const linkFiles = { identity: 'identity', knownHosts: 'known_hosts', control: 'control' } as const

/** The name that the host's key stands under in a file that holds nothing else. */
export const pinnedName = 'flotilla-pinned-host'

/** Seconds: how long a connection may take to come up, how often a silent host is asked, and how often in vain. */
export interface SshTimes {
  readonly connectSeconds: number
  readonly aliveSeconds: number
  readonly aliveCount: number
}

/**
 * The arguments of the system's ssh client for one command line at a host (HO5). No configuration file is read, nobody is asked, no agent is
 * spoken to, nothing is forwarded, and the host must have the pinned key. Of what a task file says, only the host, its port and the
 * user stand here, and the host behind `--` (SE6).
 */
export function sshArguments(
  host: Pick<SshHost, 'host' | 'port' | 'user' | 'identity' | 'fingerprint'>,
  options: SshTimes & {
    /** `opens`: others may go over the connection of this client; `joins`: it goes over an open one where there is one. */
    readonly shared: 'opens' | 'joins' | 'no'
    /** The command line for the shell at the other side. */
    readonly line: string
  },
): readonly string[] {
  const { connectSeconds, aliveSeconds, aliveCount, shared, line } = options
  const settings = {
    ...fixed,
    ConnectTimeout: String(connectSeconds),
    ServerAliveInterval: String(aliveSeconds),
    ServerAliveCountMax: String(aliveCount),
    UserKnownHostsFile: linkFiles.knownHosts,
    ...(host.fingerprint === undefined ? {} : { HostKeyAlias: pinnedName }),
    ControlMaster: shared === 'opens' ? 'yes' : 'no',
    ControlPath: shared === 'no' ? 'none' : linkFiles.control,
  }
  return [
    '-F',
    'none',
    '-T',
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...(host.identity === undefined ? [] : ['-i', linkFiles.identity]),
    '-p',
    String(host.port),
    ...(host.user === undefined ? [] : ['-l', host.user]),
    '--',
    host.host,
    line,
  ]
}

const fixed = {
  BatchMode: 'yes',
  IdentitiesOnly: 'yes',
  IdentityAgent: 'none',
  PreferredAuthentications: 'publickey',
  StrictHostKeyChecking: 'yes',
  GlobalKnownHostsFile: '/dev/null',
  UpdateHostKeys: 'no',
  VerifyHostKeyDNS: 'no',
  CheckHostIP: 'no',
  CanonicalizeHostname: 'no',
  ClearAllForwardings: 'yes',
  ForwardAgent: 'no',
  ForwardX11: 'no',
  Tunnel: 'no',
  PermitLocalCommand: 'no',
  ProxyCommand: 'none',
  RequestTTY: 'no',
  EscapeChar: 'none',
  ControlPersist: 'no',
  ConnectionAttempts: '1',
  TCPKeepAlive: 'yes',
  LogLevel: 'ERROR',
}
