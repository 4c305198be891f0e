import { attemptId } from '../../protocol/attempt-key.ts'
import type { FromWorker, ToWorker } from '../../protocol/wire.ts'
import type { Redactor } from '../../security/redactor.ts'
import type { Channel, ChannelEnd, WorkerLaunch } from '../../ports/transport.ts'
import { type CommandParts, type RunningCommand, runCommand } from './command-attempt.ts'
import { createMessageChannel } from '../message-channel.ts'

/** A channel whose worker may be lost. */
export interface CommandChannel extends Channel {
  /** The way to the worker is gone: the channel ends at once, unasked. Resolves when nothing waits for what it ran any more. */
  lose(reason: string): Promise<void>
}

/** The channel of a worker that runs commands, wherever they are started. */
export function createCommandChannel(
  launch: WorkerLaunch,
  parts: Pick<CommandParts, 'clock' | 'environment' | 'limits' | 'start'> & {
    /** Asked anew for each attempt. */
    readonly redactor: (() => Redactor | undefined) | undefined
  },
): CommandChannel {
  const messages = createMessageChannel<FromWorker>(weigh)
  const running = new Map<string, RunningCommand>()
  let announceEnd!: (end: ChannelEnd) => void
  const closed = new Promise<ChannelEnd>((resolve) => (announceEnd = resolve))
  let closing: Promise<void> | undefined

  const receive = (message: ToWorker) => {
    const name = attemptId(message)
    const command = running.get(name)
    if (message.type === 'stop') return command?.stop(message)
    if (message.type === 'collected') return command?.collected(message)
    if (message.type === 'hand_back') return command?.handBack(message.grace_ms)
    if (command !== undefined || closing !== undefined) return
    const started = runCommand({
      ...parts,
      redactor: parts.redactor?.(),
      assign: message,
      storeId: launch.storeId,
      unread: () => messages.backlog,
      send: messages.push,
    })
    running.set(name, started)
    // `done` never rejects; the entry goes when nothing of the command is left.
    void started.done.then(() => running.delete(name))
  }

  const finish = async (reason: string) => {
    await Promise.all([...running.values()].map((command) => command.done))
    messages.end()
    announceEnd({ reason, asked: true })
  }

  /** Closing again, with less grace, hurries what is left. */
  const close = ({ reason, graceMs }: { readonly reason: string; readonly graceMs: number }) => {
    for (const command of running.values()) command.stop({ code: 'fleet_closed', reason, grace_ms: graceMs })
    return (closing ??= finish(reason))
  }

  const lose = async (reason: string) => {
    if (closing === undefined) {
      closing = Promise.resolve()
      messages.end()
      announceEnd({ reason, asked: false })
    }
    for (const command of running.values()) command.stop({ code: 'lease_lost', reason, grace_ms: 0 })
    await Promise.all([...running.values()].map((command) => command.done))
  }

  messages.push({ type: 'hello', worker_id: launch.workerId, incarnation: launch.incarnation, attempts: [] })
  return { send: receive, messages, closed, close, lose }
}

/** Text counts by its length: it is the only thing that a command can send without end. */
function weigh(message: FromWorker): number {
  return message.type === 'log' ? message.text.length : 0
}
