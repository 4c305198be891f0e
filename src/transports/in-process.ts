import type { AttemptMessage, FromWorker, ToWorker } from '../protocol/wire.ts'
import type { Clock } from '../ports/clock.ts'
import type { Channel, ChannelEnd, Transport } from '../ports/transport.ts'
import { createMessageChannel } from './message-channel.ts'

/** Code in this process that serves attempts: what `handlerWorker` makes. */
export interface InProcessWorker {
  readonly serves: { readonly handlers: readonly string[]; readonly plain: boolean }
  connect(send: (message: AttemptMessage) => void): {
    receive(message: ToWorker): void
    close(reason: string): Promise<void>
  }
}

/**
 * Runs attempts as functions in the fleet's own process. Nothing can be enforced on them (SE2), and they end with the process. A
 * function that ignores its signal never confirms its end: after the grace its channel closes without it (WO3).
 */
export function inProcessTransport({ worker, clock }: { readonly worker: InProcessWorker; readonly clock: Clock }): Transport {
  return {
    kind: 'in-process',
    enforces: { network: false, fileWrites: false, environment: false, processes: false },
    heartbeats: 'fleet',
    startsAtOnce: true,
    survives: false,
    serves: { ...worker.serves, commands: false },
    async open({ workerId, incarnation }, { signal }) {
      signal.throwIfAborted()
      const messages = createMessageChannel<FromWorker>()
      messages.push({ type: 'hello', worker_id: workerId, incarnation, attempts: [] })
      return createChannel({ messages, connection: worker.connect(messages.push), clock })
    },
  }
}

function createChannel(parts: {
  readonly messages: ReturnType<typeof createMessageChannel<FromWorker>>
  readonly connection: ReturnType<InProcessWorker['connect']>
  readonly clock: Clock
}): Channel {
  const { messages, connection, clock } = parts
  let announceEnd!: (end: ChannelEnd) => void
  const closed = new Promise<ChannelEnd>((resolve) => (announceEnd = resolve))
  let closing: Promise<void> | undefined

  const settled = new AbortController()

  const finish = async (reason: string, graceMs: number) => {
    const ended = connection.close(reason).then(() => settled.abort())
    await Promise.race([ended, clock.sleep(graceMs, { signal: settled.signal })])
    messages.end()
    announceEnd({ reason, asked: true })
  }

  return {
    send(message) {
      if (closing === undefined || message.type !== 'assign') connection.receive(message)
    },
    messages,
    closed,
    close({ reason, graceMs }) {
      // Closing again without grace waits for nothing more.
      if (closing !== undefined && graceMs === 0) settled.abort()
      return (closing ??= finish(reason, graceMs))
    },
  }
}
