import type { Channel, ChannelEnd, Transport } from '../../src/ports/transport.ts'
import type { AssignMessage, AttemptKey, AttemptMessage, FromWorker, ToWorker } from '../../src/protocol/wire.ts'

/** An attempt that a test holds in its hand: it says what the worker says. */
export interface HeldAttempt {
  readonly assign: AssignMessage
  readonly worker: string
  /** Set once the fleet told it to stop. */
  readonly stopped: ToWorker | undefined
  send(message: Omit<AttemptMessage, keyof AttemptKey>): void
  accept(): void
  heartbeat(): void
  complete(result?: { output?: unknown; exit_code?: number; summary?: string; schema_accepted?: boolean }): void
  fail(reason: string, options?: { failure_kind?: 'task' | 'transport'; recoverable?: boolean }): void
  /** Confirms a stop. */
  confirm(): void
}

export interface TestTransport extends Transport {
  /** Every attempt that was ever assigned, in order. */
  readonly attempts: readonly HeldAttempt[]
  /** Everything that the fleet said to its workers, in order. */
  readonly told: readonly { readonly worker: string; readonly message: ToWorker }[]
  /** The newest attempt of a task. */
  attempt(task: string): HeldAttempt
  /** Ends the channel of a worker, as if its host had died. */
  drop(worker: string, reason?: string): void
  /** How often workers were opened. */
  readonly opened: number
  /** The next opens fail with this reason, so many times. */
  failOpens(times: number, reason: string): void
  /** What the workers that are opened from now on say that they still run. */
  stillRuns: readonly AttemptKey[]
  /** Says something on a worker's channel. */
  say(worker: string, message: FromWorker): void
}

/** A transport whose workers do nothing by themselves: the test plays them. Leases depend on their messages, unless `heartbeats` says else. */
export function createTestTransport(
  options: Partial<
    Pick<Transport, 'startsAtOnce' | 'heartbeats' | 'survives' | 'serves' | 'enforces' | 'checks' | 'dialsIn'>
  > = {},
): TestTransport {
  const attempts: HeldAttempt[] = []
  const told: { readonly worker: string; readonly message: ToWorker }[] = []
  const channels = new Map<string, { push(message: FromWorker): void; end(end: ChannelEnd): void }>()
  let opened = 0
  let failing = { times: 0, reason: '' }
  return {
    kind: 'test',
    enforces: { network: false, fileWrites: false, environment: false, processes: false },
    heartbeats: 'worker',
    startsAtOnce: false,
    survives: false,
    serves: { handlers: ['work'], commands: false, plain: true },
    ...options,
    attempts,
    told,
    stillRuns: [],
    get opened() {
      return opened
    },
    attempt(task) {
      const found = attempts.findLast((held) => held.assign.task_id === task)
      if (found === undefined) throw new Error(`No attempt of ${task} was assigned.`)
      return found
    },
    drop: (worker, reason = 'the host died') => channels.get(worker)?.end({ reason, asked: false }),
    failOpens(times, reason) {
      failing = { times, reason }
    },
    say: (worker, message) => channels.get(worker)?.push(message),
    async open({ workerId, incarnation }): Promise<Channel> {
      opened += 1
      if (failing.times > 0) {
        failing.times -= 1
        throw new Error(failing.reason)
      }
      const waiting: FromWorker[] = []
      let wake: (() => void) | undefined
      let over = false
      let announce: (end: ChannelEnd) => void = () => undefined
      const closed = new Promise<ChannelEnd>((resolve) => (announce = resolve))
      const push = (message: FromWorker): void => {
        waiting.push(message)
        wake?.()
      }
      const end = (why: ChannelEnd): void => {
        over = true
        announce(why)
        wake?.()
      }
      channels.set(workerId, { push, end })
      async function* messages(): AsyncGenerator<FromWorker> {
        for (;;) {
          const next = waiting.shift()
          if (next !== undefined) yield next
          else if (over) return
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      }
      push({ type: 'hello', worker_id: workerId, incarnation, attempts: this.stillRuns })
      return {
        send(message) {
          told.push({ worker: workerId, message })
          if (message.type === 'assign') attempts.push(held(workerId, message, push))
          else if (message.type === 'stop') {
            const found = attempts.find((one) => sameAttempt(one.assign, message))
            if (found !== undefined) (found as { stopped: ToWorker | undefined }).stopped = message
          }
        },
        messages: messages(),
        closed,
        async close({ reason }) {
          end({ reason, asked: true })
        },
      }
    },
  }
}

function held(worker: string, assign: AssignMessage, push: (message: FromWorker) => void): HeldAttempt {
  const key: AttemptKey = { run_id: assign.run_id, task_id: assign.task_id, attempt: assign.attempt }
  const send: HeldAttempt['send'] = (message) => push({ ...key, ...message } as FromWorker)
  return {
    assign,
    worker,
    stopped: undefined,
    send,
    accept: () => send({ type: 'accepted' } as never),
    heartbeat: () => send({ type: 'heartbeat' } as never),
    complete: (result = {}) => send({ type: 'result', ...result } as never),
    fail: (reason, { failure_kind = 'task', recoverable } = {}) =>
      send({ type: 'failed', reason, failure_kind, recoverable } as never),
    confirm: () => send({ type: 'stopped' } as never),
  }
}

function sameAttempt(a: AttemptKey, b: AttemptKey): boolean {
  return a.run_id === b.run_id && a.task_id === b.task_id && a.attempt === b.attempt
}
