import type { Channel, ChannelEnd, WorkerLaunch } from '../../ports/transport.ts'
import { attemptId, attemptKey } from '../../protocol/attempt-key.ts'
import type { AssignMessage, AttemptKey, AttemptMessage, FromWorker, StopMessage, ToWorker } from '../../protocol/wire.ts'
import { createMessageChannel } from '../message-channel.ts'
import { createOutputLog } from '../output-log.ts'
import { endOf, isOf, taskOf, workOn } from './member-work.ts'
import { confinementOf, startMember } from './pool-member.ts'
import type { PoolMember } from './pool-member.ts'
import type { PoolParts } from './worker-pool.ts'

/** Text that may lie unread before the middle of a flood is left out (HO4). */
const unreadLimit = 4 * 1_048_576

/** Starts that fail one after another wait longer and longer (WO2). */
const backoffMs = { first: 500, most: 30_000 }

/** A program that has done its one attempt gets so long to go by itself. */
const leaveMs = 2_000

/** The worker programs of one incarnation of a worker. */
interface Pool {
  readonly channel: Channel
  /** Starts the first program; rejects when it does not come up. */
  warm(signal: AbortSignal): Promise<void>
}

export function createPool(launch: WorkerLaunch, parts: PoolParts): Pool {
  const { launcher, clock, files, handlers = [], reuse = true, startTimeoutMs = 30_000 } = parts
  const messages = createMessageChannel<FromWorker>(weigh)
  const members = new Set<PoolMember>()
  /** Attempts whose program is being started, or whose start has failed. */
  const starting = new Map<string, AbortController>()
  /** The start of a program for the next attempt, where each has its own. Never rejects. */
  let ahead: Promise<void> | undefined
  const startingAhead = new AbortController()
  let failures = 0
  /** Tasks whose program was lost before it accepted them, last time. */
  const lostUnbegun = new Set<string>()
  let announceEnd!: (end: ChannelEnd) => void
  const closed = new Promise<ChannelEnd>((resolve) => (announceEnd = resolve))
  let closing: Promise<void> | undefined

  const memberOf = (key: AttemptKey) => {
    for (const member of members) if (member.work !== undefined && isOf(member.work, key)) return member
    return undefined
  }

  async function start(confined: AssignMessage['confined'], signal: AbortSignal): Promise<PoolMember> {
    const output = createOutputLog({
      limit: unreadLimit,
      unread: () => messages.backlog,
      send: (text) => printed(text),
    })
    let printed: (text: string) => void = () => undefined
    const member = await startMember(
      { launcher, launch, clock, files, handlers, startTimeoutMs },
      { confined, log: output.write, signal },
    )
    printed = (text) => member.work !== undefined && messages.push({ type: 'log', ...member.work.key, text })
    members.add(member)
    void listen(member, () => output.recent)
    return member
  }

  /** Ends with the line of the program, which never rejects. */
  async function listen(member: PoolMember, recent: () => string): Promise<void> {
    for await (const message of member.channel.messages) {
      if (message.type === 'drain') member.isLeaving = true
      else if (message.type !== 'hello') hear(member, message)
    }
    await lost(member, (await member.channel.closed).reason, recent())
  }

  function hear(member: PoolMember, message: AttemptMessage): void {
    const { work } = member
    // A program may only speak of what it was given; of anything else it is told that it does not hold it (LE2).
    if (work === undefined || !isOf(work, message) || work.last !== undefined) return deny(member, message)
    if (message.type === 'accepted') {
      work.hasAccepted = true
      lostUnbegun.delete(taskOf(message))
      const { process } = member.started
      return messages.push(process === undefined ? message : { ...message, process })
    }
    if (message.type !== 'result' && message.type !== 'failed' && message.type !== 'stopped') return messages.push(message)
    work.disarm?.()
    if (reuse && !member.isLeaving) {
      member.work = undefined
      messages.push(message)
      return
    }
    work.last = message
    member.isLeaving = true
    void leave(member)
  }

  function deny(member: PoolMember, { type, run_id, task_id, attempt }: AttemptMessage): void {
    if (type === 'result' || type === 'failed' || type === 'stopped') return
    const reason = 'This program was not given this attempt.'
    member.channel.send({ type: 'stop', run_id, task_id, attempt, code: 'lease_lost', reason, grace_ms: 0 })
  }

  /** The program has done its work; its attempt ends when nothing of it is left. */
  async function leave(member: PoolMember, graceMs = leaveMs): Promise<void> {
    await Promise.all([member.channel.close({ reason: 'it has done its work', graceMs }), member.started.stop(graceMs)])
  }

  async function lost(member: PoolMember, reason: string, printed: string): Promise<void> {
    await member.started.stop(0)
    members.delete(member)
    const { work } = member
    member.work = undefined
    if (work === undefined) return
    work.disarm?.()
    // It had said its last word, whether it had accepted or not.
    if (work.last !== undefined) return messages.push(work.last)
    const task = taskOf(work.key)
    const again = lostUnbegun.delete(task)
    if (work.hasAccepted || work.isStopping || again) messages.push(endOf(work, reason, printed))
    else {
      lostUnbegun.add(task)
      messages.push({ type: 'stopped', ...work.key, released: `its worker was lost before it began: ${reason}` })
    }
  }

  function assign(message: AssignMessage): void {
    const name = attemptId(message)
    if (closing !== undefined || starting.has(name) || memberOf(message) !== undefined) return
    const fit = idleFor(message)
    if (fit !== undefined) return give(fit, message)
    // Kept to something else: it makes room.
    const other = members.size + starting.size >= launch.slots ? idle()[0] : undefined
    if (other !== undefined) other.isLeaving = true
    const given = new AbortController()
    starting.set(name, given)
    void startFor(message, given.signal, other).finally(() => starting.delete(name))
  }

  async function startFor(message: AssignMessage, signal: AbortSignal, leaving: PoolMember | undefined): Promise<void> {
    try {
      if (leaving !== undefined) await leave(leaving)
      const member = (await takeAhead(message)) ?? (await start(message.confined, signal))
      failures = 0
      if (signal.aborted) {
        member.work = undefined
        messages.push({ type: 'stopped', ...attemptKey(message) })
        if (!reuse) await leave(member)
      } else give(member, message)
    } catch (error) {
      if (signal.aborted) return messages.push({ type: 'stopped', ...attemptKey(message) })
      failures += 1
      await clock.sleep(Math.min(backoffMs.most, backoffMs.first * 2 ** (failures - 1)), { signal, keepAlive: false })
      const released = `its worker could not be started: ${error instanceof Error ? error.message : String(error)}`
      messages.push({ type: 'stopped', ...attemptKey(message), ...(!signal.aborted && { released }) })
    }
  }

  function idle(): PoolMember[] {
    return [...members].filter((member) => member.work === undefined && !member.isLeaving)
  }

  function idleFor({ confined }: AssignMessage): PoolMember | undefined {
    const confinement = confinementOf(confined)
    return idle().find((member) => member.confinement === confinement)
  }

  function give(member: PoolMember, message: AssignMessage): void {
    member.work = workOn(message)
    member.channel.send(message)
    if (reuse || launcher.startsAhead !== true || closing !== undefined || ahead !== undefined || idle().length > 0) return
    // What goes wrong with it goes wrong again with the attempt that needs it, and is told there.
    const started = start(undefined, startingAhead.signal).then(nothing, nothing)
    ahead = started.finally(() => (ahead = undefined))
  }

  /** The program that is being started ahead, where it will do; it is taken at once, since others may wait for it too. */
  async function takeAhead(message: AssignMessage): Promise<PoolMember | undefined> {
    if (ahead === undefined || message.confined !== undefined) return undefined
    await ahead
    const member = idleFor(message)
    if (member !== undefined) member.work = workOn(message)
    return member
  }

  function stop(message: StopMessage): void {
    starting.get(attemptId(message))?.abort()
    const member = memberOf(message)
    if (member?.work === undefined || member.work.last !== undefined) return
    const { work } = member
    work.isStopping = true
    member.channel.send(message)
    work.disarm?.()
    // What does not end by itself is ended (HO3, WO3).
    work.disarm = clock.alarm(message.grace_ms, () => void member.started.stop(0), { keepAlive: false })
  }

  function send(message: ToWorker): void {
    if (message.type === 'assign') assign(message)
    else if (message.type === 'stop') stop(message)
    else memberOf(message)?.channel.send(message)
  }

  /** What it still does gets the grace. */
  async function end(member: PoolMember, reason: string, graceMs: number): Promise<void> {
    await member.channel.close({ reason, graceMs })
    await member.started.stop(0)
  }

  async function finish(reason: string, graceMs: number): Promise<void> {
    for (const given of starting.values()) given.abort()
    startingAhead.abort()
    await ahead
    await Promise.all(
      [...members].map((member) =>
        member.work === undefined ? leave(member, Math.min(graceMs, leaveMs)) : end(member, reason, graceMs),
      ),
    )
    while (starting.size > 0 || members.size > 0) {
      await clock.turn()
      await Promise.all([...members].map((member) => member.started.stop(0)))
    }
    messages.end()
    announceEnd({ reason, asked: true })
  }

  return {
    async warm(signal) {
      const member = await start(undefined, signal)
      messages.push({ type: 'hello', worker_id: launch.workerId, incarnation: launch.incarnation, attempts: [] })
      if (signal.aborted) await leave(member)
    },
    channel: {
      send,
      messages,
      closed,
      close({ reason, graceMs }) {
        // Closing again without grace hurries what is left.
        if (closing !== undefined && graceMs === 0) for (const member of members) void member.started.stop(0)
        return (closing ??= finish(reason, graceMs))
      },
    },
  }
}

const nothing = (): void => undefined

function weigh(message: FromWorker): number {
  return message.type === 'log' ? message.text.length : 0
}
