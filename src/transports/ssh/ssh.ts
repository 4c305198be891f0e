import type { Files } from '../../ports/files.ts'
import type { Channel, Enforcement, Transport, WorkerLaunch } from '../../ports/transport.ts'
import type { Redactor } from '../../security/redactor.ts'
import type { CheckStart } from '../commands/check-runner.ts'
import type { CommandLimits } from '../commands/command-attempt.ts'
import { commandLimits } from '../commands/command.ts'
import { commandFacts, unconfined } from '../transport-facts.ts'
import type { SshParts } from './ssh-client.ts'
import type { SshCommandParts } from './ssh-commands.ts'

/** What {@link sshTransport} takes. */
export interface SshTransportParts extends SshParts {
  readonly files: Files
  readonly bounds?: Partial<CommandLimits>
  /** Covers the secrets that are in use, before any output is cut; asked anew for each attempt. */
  readonly redactor?: (() => Redactor | undefined) | undefined
}

/** Bytes of what one attempt left that are fetched. */
const fetchedBytes = 256 * 1_048_576

/** Nothing over ssh is confined: it has what the user at the host has (SE2). */
export const sshEnforces: Enforcement = unconfined('nothing confines what runs at another host over ssh')

/**
 * Runs `metadata.command` of tasks at another host, with the system's ssh client (HO5). All commands of a worker go over one connection: the
 * host's key is checked before anything is sent, what the host needs is looked for, and when the connection is lost the worker is, until it is
 * there again. A command finds what commands of this machine find, with a workspace of its own where no working directory is named.
 */
export function sshTransport(parts: SshTransportParts): Transport {
  const { host, clock, environment, files, redactor } = parts
  const bounds = { ...commandLimits, ...parts.bounds }
  const { termToKillMs, drainLimitMs, artifactLimit } = bounds
  /** Workers that are connected, by id. */
  const connected = new Map<string, SshCommandParts>()

  async function open(launch: WorkerLaunch, signal: AbortSignal): Promise<Channel> {
    const { createCommandChannel, openSshLink, sshCommandStart } = await import('../launched.ts')
    const link = await openSshLink(parts, launch, signal)
    // One more, so that the refusal of what is over is said by whoever collects.
    const fetched = { files: artifactLimit + 2, bytes: fetchedBytes }
    const place = { link, launch, workingDirectory: host.workingDirectory, termToKillMs, drainLimitMs, fetched }
    const commands = { place, environment, passed: host.environment, files }
    connected.set(launch.workerId, commands)
    const channel = createCommandChannel(launch, {
      clock,
      environment,
      redactor,
      limits: bounds,
      start: sshCommandStart(commands),
    })
    let ended: Promise<void> | undefined
    const leave = () => {
      if (connected.get(launch.workerId) === commands) connected.delete(launch.workerId)
      return (ended ??= link.close())
    }
    // It never rejects, and ends with the link.
    void link.lost.then((reason) => channel.lose(`the connection to ${host.host} was lost: ${reason}`)).then(leave)
    return {
      ...channel,
      async close(options) {
        await channel.close(options)
        await leave()
      },
    }
  }

  return {
    ...commandFacts('ssh'),
    enforces: sshEnforces,
    checks: {
      enforces: sshEnforces,
      async run(command, how) {
        const { runCheck, sshCheckStart } = await import('../launched.ts')
        const start: CheckStart = async (order) => {
          const commands = connected.get(order.command.worker)
          return commands === undefined
            ? { problem: `The host of ${order.command.worker} is not connected.` }
            : sshCheckStart(commands)(order)
        }
        return runCheck({ clock, environment, redactor, termToKillMs, start }, command, how)
      },
    },
    // The host proves by its key who it is, before anything is sent (HO5).
    verifiesIdentity: true,
    open: (launch, { signal }) => open(launch, signal),
  }
}
