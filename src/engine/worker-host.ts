import type { Channel } from '../ports/transport.ts'
import type { Core } from './core.ts'
import { just, nothing } from './entry.ts'
import type { Reports } from './reports.ts'
import type { WorkerLine } from './worker-line.ts'
import type { Worker, Workers } from './workers.ts'

/** Brings workers up, listens to them, and brings them up again (WO1, WO2). */
export interface WorkerHost {
  /** Resolves when the worker has said hello, or its first start has failed; it goes on trying. */
  start(worker: Worker): Promise<void>
  /** Takes no more leases; retired once its last has ended, or given back after `graceMs`. */
  retire(worker: Worker): Promise<void>
  close(options: { readonly reason: string; readonly graceMs: number }): Promise<void>
}

/** How many times in a row a worker must stay up this long before its failures are forgotten. */
const steadyMs = 10_000

export function createWorkerHost(
  core: Core,
  workers: Workers,
  parts: { readonly reports: Reports; readonly line: WorkerLine },
  store: { readonly id: () => string; readonly kept: () => Promise<void> },
): WorkerHost {
  const { reports, line } = parts
  const closing = new AbortController()
  const loops = new Set<Promise<void>>()

  function start(worker: Worker): Promise<void> {
    return new Promise((resolve) => {
      // Whether one that comes by itself ever comes, nobody knows.
      if (worker.transport.dialsIn === true) resolve()
      const loop = keepUp(worker, resolve).finally(() => loops.delete(loop))
      loops.add(loop)
    })
  }

  /** One worker's life: open, listen until the channel ends, wait, and again. */
  async function keepUp(worker: Worker, firstSettled: () => void): Promise<void> {
    while (!closing.signal.aborted && worker.status !== 'retired') {
      const since = core.clock.monotonic()
      const reason = await serve(worker, firstSettled)
      firstSettled()
      if (closing.signal.aborted || isRetired(worker)) return
      worker.failures = core.clock.monotonic() - since > steadyMs ? 1 : worker.failures + 1
      line.lost(worker, reason)
      // Who comes by itself waits by itself.
      if (worker.transport.dialsIn === true) continue
      const { first, most } = core.defaults.workerBackoffMs
      await core.clock.sleep(Math.min(most, first * 2 ** (worker.failures - 1)), { signal: closing.signal, keepAlive: false })
      worker.incarnation = core.ids.next('inc')
    }
  }

  /** Serves one incarnation; gives the reason of its end. */
  async function serve(worker: Worker, ready: () => void): Promise<string> {
    let channel: Channel
    try {
      channel = await worker.transport.open(
        {
          workerId: worker.facts.id,
          storeId: store.id(),
          incarnation: worker.incarnation,
          slots: worker.facts.slots,
          leaseTtlMs: core.defaults.leaseTtlMs,
          kept: store.kept,
        },
        { signal: closing.signal },
      )
    } catch (error) {
      return `it could not be started: ${error instanceof Error ? error.message : String(error)}`
    }
    // Whoever closed, or retired the worker, meanwhile has closed the channels that were there.
    if (closing.signal.aborted || isRetired(worker)) {
      await channel.close({ reason: 'nobody waits for it any more', graceMs: 0 })
      return 'nobody waited for it any more'
    }
    worker.channel = channel
    for await (const message of channel.messages) {
      if (message.type === 'hello') {
        line.hello(worker, message)
        ready()
      } else if (message.type === 'drain') worker.resting = true
      else reports.take(worker, message)
    }
    return (await channel.closed).reason
  }

  async function retire(worker: Worker): Promise<void> {
    workers.step(worker, { type: 'retire' })
    const { channel } = worker
    worker.channel = undefined
    await channel?.close({ reason: 'retired', graceMs: core.defaults.stopGraceMs })
    const { id } = worker.facts
    core.turns.report(() => {
      // The end of its last lease and the drain that waited for it both come here.
      if (core.state.workers.get(id)?.retired === true) return nothing()
      const record = { id, incarnation: worker.incarnation, draining: true, retired: true }
      return just({ on: 'fleet', kind: 'worker.retired', record })
    })
  }

  return {
    start,
    retire,
    async close({ reason, graceMs }) {
      closing.abort()
      const channels = workers.all().flatMap(({ channel }) => (channel === undefined ? [] : [channel]))
      await Promise.all(channels.map((channel) => channel.close({ reason, graceMs })))
      await Promise.all(loops)
    },
  }
}

/** Read through a call: the status changes while the loop waits. */
function isRetired(worker: Worker): boolean {
  return worker.status === 'retired'
}
