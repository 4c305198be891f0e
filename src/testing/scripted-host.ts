import type { Clock } from '../ports/clock.ts'
import type { Channel, ChannelEnd, Transport, WorkerLaunch } from '../ports/transport.ts'
import { attemptId, attemptKey } from '../protocol/attempt-key.ts'
import type { AssignMessage, AttemptKey, AttemptMessage, FromWorker, ToWorker } from '../protocol/wire.ts'
import { createMessageChannel } from '../transports/message-channel.ts'
import type { MessageChannel } from '../transports/message-channel.ts'
import { runAttempt } from '../worker/run-attempt.ts'
import type { RunningAttempt } from '../worker/run-attempt.ts'
import { playing } from './playing.ts'
import type { Play, ScriptedWorker } from './scripted-worker.ts'

/** The machine that a scripted worker lives on. */
export interface ScriptedHost {
  readonly transport: Transport
  /** The worker's process dies with everything that it runs. */
  die(reason: string): void
  /** Its line breaks, and can be opened again at once. */
  reconnect(): void
  /** The fleet's process died: a worker that lives with it dies too, a remote one notices that its line is gone. */
  fleetDied(): void
}

interface Running {
  readonly assign: AssignMessage
  readonly attempt: RunningAttempt
  /** Nothing of it is said any more: it hangs. */
  silent: boolean
  /** It does not hear that it is to stop. */
  deaf: boolean
  ended: boolean
}

interface Line {
  readonly messages: MessageChannel<FromWorker>
  end(end: ChannelEnd): void
}

/** Opens a place for a worker to play in. `chooses` may put another play in the place of the worker's own. */
export function createScriptedHost(
  worker: ScriptedWorker,
  parts: {
    readonly clock: Clock
    readonly heartbeatMs: number
    readonly chooses: (play: Play, assign: AssignMessage) => Play
  },
): ScriptedHost {
  const { clock } = parts
  const isRemote = worker.options.remote ?? false
  const running = new Map<string, Running>()
  const outbox: AttemptMessage[] = []
  let line: Line | undefined
  let cutUntil = 0
  /** Grows whenever everything that ran is dead. */
  let life = 0

  function say(one: Running, message: AttemptMessage, saidIn: number): void {
    if (saidIn !== life || one.silent) return
    if (line === undefined) outbox.push(message)
    else line.messages.push(message)
  }

  function assign(message: AssignMessage): void {
    const name = attemptId(message)
    if (running.has(name)) return
    const here = life
    const play = parts.chooses(worker.playOf(message.task, message.attempt), message)
    const run = playing(play, {
      stall: ({ deaf }) => {
        one.silent = true
        one.deaf = deaf
      },
      crash: () => die('the worker crashed'),
      disconnect: (ms) => cut('the line broke', ms),
    })
    const one: Running = {
      assign: message,
      silent: false,
      deaf: false,
      ended: false,
      attempt: runAttempt({
        assign: message,
        handler: { name: worker.id, run },
        clock,
        send: (told) => say(one, told, here),
      }),
    }
    running.set(name, one)
    say(one, { ...attemptKey(message), type: 'accepted' }, here)
    beat(one, here)
    // It never rejects.
    void one.attempt.done.then(() => {
      one.ended = true
      if (here === life) running.delete(name)
    })
  }

  function beat(one: Running, here: number): void {
    const heartbeat: AttemptMessage = { ...attemptKey(one.assign), type: 'heartbeat' }
    const again = (): void => void clock.alarm(parts.heartbeatMs, act, { keepAlive: true })
    function act(): void {
      if (one.ended || one.silent || here !== life) return
      say(one, heartbeat, here)
      again()
    }
    again()
  }

  function receive(message: ToWorker): void {
    if (message.type === 'assign') assign(message)
    else if (message.type === 'collected') running.get(attemptId(message))?.attempt.collected(message)
    else if (message.type === 'hand_back') running.get(attemptId(message))?.attempt.handBack(message.reason)
    else stop(message)
  }

  function stop(message: Extract<ToWorker, { type: 'stop' }>): void {
    const one = running.get(attemptId(message))
    // What it does not know does not run here.
    if (one === undefined) line?.messages.push({ ...attemptKey(message), type: 'stopped' })
    else if (!one.deaf) {
      one.silent = false
      one.attempt.stop(message.code, message.reason)
    }
  }

  function cut(reason: string, ms: number): void {
    cutUntil = clock.monotonic() + ms
    if (!isRemote) forgetAll()
    const gone = line
    line = undefined
    gone?.end({ reason, asked: false })
  }

  function die(reason: string): void {
    forgetAll()
    const gone = line
    line = undefined
    gone?.end({ reason, asked: false })
  }

  function forgetAll(): void {
    life += 1
    running.clear()
    outbox.length = 0
  }

  /** What it still runs, and what it still has to tell of. */
  function known(): AttemptKey[] {
    const keys = [...[...running.values()].map((one) => one.assign), ...outbox].map(attemptKey)
    return [...new Map(keys.map((key) => [attemptId(key), key])).values()]
  }

  async function open({ workerId, incarnation }: WorkerLaunch): Promise<Channel> {
    if (clock.monotonic() < cutUntil) throw new Error('the line is down')
    const messages = createMessageChannel<FromWorker>()
    let announce!: (end: ChannelEnd) => void
    const closed = new Promise<ChannelEnd>((resolve) => (announce = resolve))
    const mine: Line = {
      messages,
      end(end) {
        messages.end()
        announce(end)
      },
    }
    line?.end({ reason: 'another line was opened', asked: false })
    line = mine
    messages.push({ type: 'hello', worker_id: workerId, incarnation, attempts: known() })
    for (const message of outbox.splice(0)) messages.push(message)
    return {
      send: (message) => {
        if (line === mine) receive(message)
      },
      messages,
      closed,
      async close({ reason }) {
        for (const one of running.values()) one.attempt.stop('fleet_closed', reason)
        if (line === mine) line = undefined
        forgetAll()
        mine.end({ reason, asked: true })
      },
    }
  }

  return {
    die,
    reconnect: () => cut('the line was opened anew', 0),
    fleetDied() {
      if (isRemote) {
        line?.end({ reason: 'the fleet is gone', asked: false })
        line = undefined
      } else die('the fleet is gone')
    },
    transport: {
      kind: 'scripted',
      enforces: { network: false, fileWrites: false, environment: false, processes: false },
      heartbeats: 'worker',
      startsAtOnce: false,
      survives: isRemote,
      serves: { handlers: worker.names, commands: false, plain: true },
      open,
    },
  }
}
