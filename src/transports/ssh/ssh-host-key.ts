import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { pinnedName } from './ssh-arguments.ts'
import type { SshHost } from './ssh-host.ts'

/** How the programs beside the client are run. */
export interface KeyTools {
  /** `ssh-keyscan` and `ssh-keygen`, or paths of them. */
  readonly scan: string
  readonly generate: string
  readonly environment: Readonly<Record<string, string>>
  readonly connectSeconds: number
  readonly signal: AbortSignal
}

/**
 * The file of known hosts that holds nothing but the key with the pinned fingerprint, in place of a fingerprint, which the client cannot be
 * given. The host is asked for its keys, and nothing is sent to it. Throws where none of them has the fingerprint, or where the key must
 * stand in a file of known hosts as well and does not.
 */
export async function pinnedKnownHosts(host: SshHost, tools: KeyTools): Promise<string> {
  const { fingerprint, knownHosts } = host
  const offered = keysOf(
    await run(tools.scan, ['-T', String(tools.connectSeconds), '-p', String(host.port), '--', host.host], tools),
  )
  if (offered.length === 0)
    throw new Error(`${host.host} did not show a host key: it cannot be reached on port ${host.port}, or speaks no ssh`)
  const pinned = offered.find((key) => fingerprintOf(key) === fingerprint)
  if (pinned === undefined) {
    const seen = offered.map((key) => `${key.type} ${fingerprintOf(key)}`).join(', ')
    throw new Error(`the host key of ${host.host} is not the pinned one (${fingerprint}): it has ${seen}`)
  }
  if (knownHosts !== undefined) {
    const name = host.port === 22 ? host.host : `[${host.host}]:${host.port}`
    const known = keysOf(await run(tools.generate, ['-F', name, '-f', knownHosts], tools))
    if (!known.some((key) => key.base64 === pinned.base64))
      throw new Error(`the pinned key of ${name} does not stand in ${knownHosts}`)
  }
  return `${pinnedName} ${pinned.type} ${pinned.base64}\n`
}

interface HostKey {
  readonly type: string
  readonly base64: string
}

/** The keys in lines of a file of known hosts; certificates and revoked keys are none. */
export function keysOf(text: string): readonly HostKey[] {
  return text.split('\n').flatMap((line) => {
    const [, type, base64] = /^[^#@\s]\S* ([a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)(?:\s.*)?$/.exec(line) ?? []
    return type === undefined || base64 === undefined ? [] : [{ type, base64 }]
  })
}

/** As `ssh-keygen -l` writes it. */
export function fingerprintOf({ base64 }: Pick<HostKey, 'base64'>): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(base64, 'base64')).digest('base64').replace(/=+$/, '')}`
}

function run(program: string, args: readonly string[], { environment, connectSeconds, signal }: KeyTools): Promise<string> {
  return new Promise((resolve, reject) => {
    // A host that accepts and never speaks is waited for by the program itself; the limit here is for a program that hangs.
    const timeout = (connectSeconds + 5) * 3_000
    const options = { env: { ...environment }, signal, timeout, killSignal: 'SIGKILL', maxBuffer: 1_048_576 } as const
    execFile(program, args, options, (error, stdout) => {
      if (signal.aborted) reject(signal.reason as Error)
      // A scan that found nothing, and a search for what is not there, exit with a code: what they wrote tells.
      else if (error !== null && error.code === 'ENOENT') reject(new Error(`there is no program ${program} on this machine`))
      else resolve(stdout)
    })
  })
}
