import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { access, copyFile, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../ports/clock.ts'
import type { Environment } from '../../ports/environment.ts'
import type { WorkerLaunch } from '../../ports/transport.ts'
import { inherited } from '../commands/command-launch.ts'
import { converseWithRemote, type RemoteConversation, type RemoteProgram } from './remote-program.ts'
import { remoteLine, remoteShell, type RemoteInput } from './remote-shell.ts'
import { linkFiles, sshArguments, type SshTimes } from './ssh-arguments.ts'
import { pinnedKnownHosts } from './ssh-host-key.ts'
import type { SshHost } from './ssh-host.ts'

/** The programs of OpenSSH on this machine, by name or path. */
export interface SshPrograms {
  readonly ssh: string
  readonly 'ssh-keyscan': string
  readonly 'ssh-keygen': string
}

/** Times of connections over ssh, and how the client is found. */
export interface SshLimits extends SshTimes {
  /** How long a host that let us in may take to begin, in milliseconds. */
  readonly startLimitMs: number
}

/** What reaching a host takes. */
export interface SshParts {
  readonly host: SshHost
  readonly clock: Clock
  readonly environment: Environment
  readonly limits: SshLimits
  readonly programs: SshPrograms
}

/** The ssh client, set up for one host in a private folder of this machine: links to the key files, the pinned host key, a control socket. */
export interface SshClient {
  /** Starts the client with the one line that reads a script from its standard input. */
  spawn(shared: 'opens' | 'joins' | 'no'): ChildProcessWithoutNullStreams
  /** Runs a script that speaks in marked lines. */
  run(
    script: string,
    input: RemoteInput & { readonly pieces?: readonly Uint8Array[] },
    conversation: Pick<RemoteConversation, 'isLast'> &
      Partial<RemoteConversation> & { readonly shared: 'opens' | 'joins' | 'no' },
  ): RemoteProgram
  /** Removes the folder. */
  close(): Promise<void>
}

/** How long the other side may take to end once its program was killed, or to say a last line. */
const endLimitMs = 10_000

/**
 * Makes the client ready. The host is asked for its keys where a fingerprint is pinned; nothing else is sent before the client itself has
 * checked the key (HO5). Rejects with the reason.
 */
export async function openSshClient(parts: SshParts, launch: WorkerLaunch, signal: AbortSignal): Promise<SshClient> {
  const { host, clock, environment, limits, programs } = parts
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'flotilla-ssh-')))
  const close = () => rm(folder, { recursive: true, force: true })
  // A later fleet of the store ends clients that an earlier one left (LE6).
  const mine = { FLOTILLA_STORE: launch.storeId, FLOTILLA_WORKER: launch.workerId, FLOTILLA_INCARNATION: launch.incarnation }
  const env = { ...inherited(environment), ...mine }
  try {
    await furnish(folder, parts, { environment: env, signal })
  } catch (error) {
    await close()
    throw error
  }

  function start(shared: 'opens' | 'joins' | 'no'): ChildProcessWithoutNullStreams {
    const args = sshArguments(host, { ...limits, shared, line: remoteLine })
    return spawn(programs.ssh, args, { cwd: folder, env, detached: true, shell: false, stdio: 'pipe' })
  }

  return {
    spawn: start,
    close,
    run(script, { pieces = [], ...input }, { shared, ...conversation }) {
      const mark = `flotilla-${randomBytes(16).toString('hex')}`
      const text = remoteShell(script, { ...input, variables: { mark, ...input.variables } })
      const { startLimitMs } = limits
      return converseWithRemote({
        child: start(shared),
        clock,
        mark,
        input: [text, ...pieces],
        startLimitMs,
        endLimitMs,
        ...conversation,
      })
    },
  }
}

async function furnish(
  folder: string,
  { host, limits, programs }: SshParts,
  { environment, signal }: { readonly environment: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<void> {
  const { identity, knownHosts, fingerprint } = host
  if (identity !== undefined) {
    await readable(identity, 'identity')
    // The client expands `%` and `~` in paths that it is given; a link of ours needs none.
    await symlink(identity, join(folder, linkFiles.identity))
    await symlink(`${identity}-cert.pub`, join(folder, `${linkFiles.identity}-cert.pub`))
  }
  if (knownHosts !== undefined) await readable(knownHosts, 'known_hosts')
  const known = join(folder, linkFiles.knownHosts)
  if (fingerprint !== undefined) {
    const { connectSeconds } = limits
    const tools = { scan: programs['ssh-keyscan'], generate: programs['ssh-keygen'], environment, connectSeconds, signal }
    await writeFile(known, await pinnedKnownHosts(host, tools))
  } else if (knownHosts !== undefined) await copyFile(knownHosts, known)
}

async function readable(path: string, field: string): Promise<void> {
  await access(path).catch((error: unknown) => {
    throw new Error(`${field}: ${path} cannot be read (${error instanceof Error ? error.message : String(error)})`)
  })
}

/** What the processes of a worker at a host carry in their environment, so that they are found again (LE6). */
export function ownerMark({ storeId, workerId }: Pick<WorkerLaunch, 'storeId' | 'workerId'>): string {
  return digest(`${storeId}/${workerId}`)
}

/** The same of one incarnation: what has the owner's mark and not this is left over. */
export function incarnationMark({ incarnation }: Pick<WorkerLaunch, 'incarnation'>): string {
  return digest(incarnation).slice(0, 16)
}

/** 32 hexadecimal digits: fit for a name of a folder over there, and none is the beginning of another. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** The variables of the fleet that everything at the host gets, as far as they are set. */
export function passedOn(environment: Environment, names: readonly string[]): Readonly<Record<string, string>> {
  const values = names.flatMap((name) => {
    const value = environment.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(values)
}
