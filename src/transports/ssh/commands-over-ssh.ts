import type { Channel, WorkerLaunch } from '../../ports/transport.ts'
import type { CommandWay } from '../command-way.ts'
import { type CheckStart, runCheck } from '../commands/check-runner.ts'
import { createCommandChannel } from '../commands/command-channel.ts'
import { commandLimits } from '../commands/command.ts'
import { sshCheckStart, sshCommandStart, type SshCommandParts } from './ssh-commands.ts'
import { openSshLink } from './ssh-link.ts'
import type { SshTransportParts } from './ssh.ts'

/** Bytes of what one attempt left that are fetched. */
const fetchedBytes = 256 * 1_048_576

/** Runs commands at another host, those of one worker over one connection. */
export function commandsOverSsh(parts: SshTransportParts): CommandWay {
  const { host, clock, environment, files, redactor } = parts
  const bounds = { ...commandLimits, ...parts.bounds }
  const { termToKillMs, drainLimitMs, artifactLimit } = bounds
  /** Workers that are connected, by id. */
  const connected = new Map<string, SshCommandParts>()

  async function open(launch: WorkerLaunch, signal: AbortSignal): Promise<Channel> {
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

  const startCheck: CheckStart = async (order) => {
    const commands = connected.get(order.command.worker)
    return commands === undefined
      ? { problem: `The host of ${order.command.worker} is not connected.` }
      : sshCheckStart(commands)(order)
  }

  return {
    open: (launch, { signal }) => open(launch, signal),
    check: (command, how) => runCheck({ clock, environment, redactor, termToKillMs, start: startCheck }, command, how),
  }
}
