import type { Core } from '../../src/engine/core.ts'
import type { Worker, Workers } from '../../src/engine/workers.ts'
import { createWorkers } from '../../src/engine/workers.ts'
import type { FromWorker, ToWorker } from '../../src/protocol/wire.ts'
import { createSecretsInUse } from '../../src/security/secrets-in-use.ts'
import type { SecretsInUse } from '../../src/security/secrets-in-use.ts'
import { seededIds } from '../../src/host/seeded-ids.ts'
import type { Channel, Transport, WorkerLaunch } from '../../src/ports/transport.ts'
import { createTestTransport } from './test-transport.ts'
import { watchedRun } from './watched-run.ts'
import type { WatchedRun } from './watched-run.ts'

/** A watched run with workers beside it, and secrets that may come into use. */
export interface WorkerBench extends WatchedRun {
  readonly workers: Workers
  readonly inUse: SecretsInUse
  /** How often scheduling was asked to look again. */
  nudges(): number
  /** How each wait on the clock was asked for. */
  readonly sleeps: { readonly ms: number; readonly keepAlive: boolean | undefined }[]
}

export function workerBench(members: readonly Worker[], ...given: Parameters<typeof watchedRun>): WorkerBench {
  const bench = watchedRun(...given)
  const { core } = bench
  let nudges = 0
  const inUse = createSecretsInUse()
  const sleeps: WorkerBench['sleeps'] = []
  const workers = createWorkers(
    { held: (id) => core.state.holdings.get(id) ?? 0, lingering: (id) => core.presence.lingering(id) },
    core.defaults.abandonedAtOnce,
  )
  for (const member of members) workers.add(member)
  const clock: Core['clock'] = {
    ...core.clock,
    sleep(ms, options) {
      sleeps.push({ ms, keepAlive: options?.keepAlive })
      return core.clock.sleep(ms, options)
    },
  }
  return {
    ...bench,
    core: { ...core, clock, inUse, ids: seededIds('workers'), turns: { ...core.turns, nudge: () => void (nudges += 1) } },
    ...{ workers, inUse, sleeps, nudges: () => nudges },
  }
}

/** A transport whose channels a test holds in its hand. */
export interface HeldTransport extends Transport {
  /** Every launch that was asked for, with the channel that it became. */
  readonly launches: { readonly launch: WorkerLaunch; readonly signal: AbortSignal; readonly channel: HeldChannel }[]
  /** The next launches fail with these, one each. */
  readonly failures: unknown[]
}

export interface HeldChannel {
  readonly told: ToWorker[]
  /** How it was asked to close, each time. */
  readonly closes: { readonly reason: string; readonly graceMs: number }[]
  say(message: FromWorker): void
  end(reason: string): void
}

export function createHeldTransport(options: Parameters<typeof createTestTransport>[0] = {}): HeldTransport {
  const launches: HeldTransport['launches'] = []
  const failures: unknown[] = []
  return {
    ...createTestTransport(options),
    ...{ launches, failures },
    open(launch, { signal }) {
      const { channel, held } = createChannel()
      launches.push({ launch, signal, channel: held })
      if (failures.length > 0) return Promise.reject(failures.shift() as Error)
      return Promise.resolve(channel)
    },
  }
}

function createChannel(): { readonly channel: Channel; readonly held: HeldChannel } {
  const waiting: FromWorker[] = []
  let wake: () => void = () => undefined
  let end: string | undefined
  let close: (end: { readonly reason: string; readonly asked: boolean }) => void = () => undefined
  const closed = new Promise<{ readonly reason: string; readonly asked: boolean }>((resolve) => (close = resolve))
  const held: HeldChannel = {
    ...{ told: [], closes: [] },
    say(message) {
      waiting.push(message)
      wake()
    },
    end(reason) {
      end = reason
      close({ reason, asked: false })
      wake()
    },
  }
  async function* messages(): AsyncGenerator<FromWorker> {
    for (;;) {
      const next = waiting.shift()
      if (next !== undefined) yield next
      else if (end !== undefined) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return {
    held,
    channel: {
      ...{ messages: messages(), closed, send: (message) => void held.told.push(message) },
      close(how) {
        held.closes.push(how)
        held.end(how.reason)
        return Promise.resolve()
      },
    },
  }
}
