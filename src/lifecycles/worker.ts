import { setup } from 'xstate'
import { createLifecycle } from './lifecycle.ts'

/** What happens to a worker. `leases`: how many it holds at that moment; `draining`: whether a drain stands. */
export type WorkerEvent =
  | { type: 'hello'; leases: number; draining: boolean }
  | { type: 'lease' }
  | { type: 'idle' }
  | { type: 'unwell' }
  | { type: 'recover'; leases: number; draining: boolean }
  | { type: 'lost' }
  | { type: 'drain'; leases: number }
  | { type: 'retire' }

const arrivals = [
  { guard: 'draining', target: 'draining' },
  { guard: 'holdsLeases', target: 'busy' },
  { target: 'online' },
] as const
const drains = [{ guard: 'holdsLeases', target: 'draining' }, { target: 'retired' }] as const

/** The life of a worker (WO). `retired` is the one end; everything else is presence. */
const makeWorkerMachine = () =>
  setup({
    types: {} as { events: WorkerEvent },
    guards: {
      holdsLeases: ({ event }) => 'leases' in event && event.leases > 0,
      draining: ({ event }) => 'draining' in event && event.draining,
    },
  }).createMachine({
    id: 'worker',
    initial: 'unknown',
    states: {
      unknown: { on: { hello: [...arrivals], lost: 'offline', drain: [...drains], retire: 'retired' } },
      online: {
        on: { lease: 'busy', unwell: 'unhealthy', lost: 'offline', drain: [...drains], retire: 'retired' },
      },
      busy: { on: { idle: 'online', unwell: 'unhealthy', lost: 'offline', drain: [...drains], retire: 'retired' } },
      unhealthy: { on: { recover: [...arrivals], lost: 'offline', drain: [...drains], retire: 'retired' } },
      offline: { on: { hello: [...arrivals], drain: [...drains], retire: 'retired' } },
      draining: { on: { idle: 'retired', lost: 'offline', retire: 'retired' } },
      retired: { tags: 'ended' },
    },
  })

/** The worker machine as a pure function. */
export const workerLifecycle = createLifecycle(makeWorkerMachine)
