import type { Channel, ChannelEnd, Transport } from '../ports/transport.ts'
import type { FromWorker, ToWorker } from '../protocol/wire.ts'
import { createMessageChannel } from '../transports/message-channel.ts'
import type { Seam } from './seam.ts'

type Word = { readonly said: FromWorker } | { readonly closed: ChannelEnd }

/** A way to a worker as it passes a seam. */
export function seamedTransport(seam: Seam, transport: Transport): Transport {
  return {
    ...transport,
    async open(launch, options) {
      const name = `${launch.workerId} ${launch.incarnation}`
      const arriving = createMessageChannel<FromWorker>()
      let close: (end: ChannelEnd) => void = () => undefined
      const closed = new Promise<ChannelEnd>((resolve) => (close = resolve))
      const say = seam.hear<Word>(
        name,
        (word) => {
          if ('said' in word) return arriving.push(word.said)
          arriving.end()
          close(word.closed)
        },
        { shown: shownWord },
      )
      let channel: Channel | undefined
      await seam.ask(`worker.open ${name}`, async () => {
        channel = await transport.open(launch, options)
        void pump(channel, say)
      })
      return {
        send(message) {
          seam.tell(shownMessage(launch.workerId, message))
          channel?.send(message)
        },
        messages: arriving,
        closed,
        close: (how) => seam.ask(`worker.close ${name} ${how.graceMs}`, async () => channel?.close(how)),
      }
    },
  }
}

/** Ends with the channel, which never rejects. */
async function pump(channel: Channel, say: (word: Word) => void): Promise<void> {
  for await (const said of channel.messages) say({ said })
  say({ closed: await channel.closed })
}

/** Logs and bytes go to the collector, whose answers are written down; they need not be. */
function shownWord(word: Word): unknown {
  if (!('said' in word)) return word
  const { said } = word
  if (said.type === 'log') return { said: { ...said, text: '' } }
  if (said.type !== 'artifact') return word
  const { bytes: _, ...rest } = said
  return { said: rest }
}

/** What a message says besides whom it is for. The values of an environment are not for keeping, and a task is in its run. */
const words: { readonly [Type in ToWorker['type']]: (message: Extract<ToWorker, { type: Type }>) => string } = {
  assign: ({ previous, dependencies }) => `after ${previous.length} receipts, with ${dependencies.length} dependencies`,
  hand_back: ({ reason }) => reason,
  stop: ({ code, reason }) => `${code}: ${reason}`,
  collected: ({ report, refused }) => (refused === undefined ? String(report) : `${report} ${refused}`),
}

function shownMessage(worker: string, message: ToWorker): string {
  // The table pairs each type with its row.
  const word = words[message.type] as (message: ToWorker) => string
  return `${worker} ${message.type} ${message.run_id}/${message.task_id}/${message.attempt} ${word(message)}`
}
