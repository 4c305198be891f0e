import type { Clock } from '../ports/clock.ts'
import type { Channel, Transport } from '../ports/transport.ts'
import type { AttemptMessage, FromWorker, ToWorker } from '../protocol/wire.ts'
import { createMessageChannel } from '../transports/message-channel.ts'
import type { Fault, FaultKind } from './faults.ts'

/** What may go wrong with messages, and who is told of them. */
export interface MessageHazards {
  strike(point: 'told' | 'heard'): Fault | undefined
  /** The fleet's process dies at once. */
  crash(): void
  /** The process on the fleet's side of the line is dead: nothing goes through any more. */
  readonly isDead: boolean
  told(worker: string, message: ToWorker): void
  heard(worker: string, message: AttemptMessage): void
}

type Row<Message> = (pass: (message: Message) => void, message: Message, fault: Fault, clock: Clock) => void

const later: Row<never> = (pass, message, { ms = 0 }, clock) => {
  clock.alarm(ms, () => pass(message), { keepAlive: true })
}
const rows: Partial<Record<FaultKind, Row<never>>> = {
  'told.drop': () => undefined,
  'heard.drop': () => undefined,
  'told.repeat': twice,
  'heard.repeat': twice,
  'told.delay': later,
  'heard.delay': later,
}

function twice<Message>(pass: (message: Message) => void, message: Message): void {
  pass(message)
  pass(message)
}

/** The same transport, whose messages go astray as they are told to. The hello of a worker always arrives. */
export function faultyTransport(transport: Transport, clock: Clock, hazards: MessageHazards): Transport {
  return {
    ...transport,
    async open(launch, options) {
      return faultyChannel(await transport.open(launch, options), launch.workerId, clock, hazards)
    },
  }
}

function faultyChannel(channel: Channel, worker: string, clock: Clock, hazards: MessageHazards): Channel {
  const arriving = createMessageChannel<FromWorker>()
  let overtaken: AttemptMessage | undefined

  function send(message: ToWorker): void {
    if (hazards.isDead) return
    hazards.told(worker, message)
    const fault = hazards.strike('told')
    const pass = (told: ToWorker): void => {
      if (!hazards.isDead) channel.send(told)
    }
    if (fault?.kind === 'crash.before-effect') hazards.crash()
    else if (fault?.kind === 'crash.after-effect') {
      pass(message)
      hazards.crash()
    } else through(pass, message, fault)
  }

  function arrive(message: FromWorker): void {
    if (hazards.isDead) return
    if (message.type !== 'hello' && message.type !== 'drain') hazards.heard(worker, message)
    arriving.push(message)
  }

  function receive(message: FromWorker): void {
    if (message.type === 'hello' || message.type === 'drain') return arrive(message)
    const fault = hazards.strike('heard')
    if (fault?.kind === 'heard.reorder' && overtaken === undefined) {
      overtaken = message
      return
    }
    through(arrive, message, fault)
    const before = overtaken
    overtaken = undefined
    if (before !== undefined) arrive(before)
  }

  function through<Message>(pass: (message: Message) => void, message: Message, fault: Fault | undefined): void {
    const row = fault && (rows[fault.kind] as Row<Message> | undefined)
    if (row === undefined || fault === undefined) pass(message)
    else row(pass, message, fault, clock)
  }

  // The loop ends with the channel that it reads.
  void (async () => {
    for await (const message of channel.messages) receive(message)
    arriving.end()
  })()
  return { send, messages: arriving, closed: channel.closed, close: (options) => channel.close(options) }
}
