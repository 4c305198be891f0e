import { assign, setup } from 'xstate'
import { createLifecycle } from './lifecycle.ts'

type ActiveRunStatus = 'pending' | 'queued' | 'running'

/** What the run machine keeps with a run's status. */
export interface RunContext {
  /** The state that a paused run goes back to. */
  readonly pausedFrom: ActiveRunStatus | null
}

/** What happens to a run. */
export type RunEvent =
  | { type: 'start' }
  | { type: 'lease' }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'end'; result: 'completed' | 'failed' | 'cancelled' }
  | { type: 'cancel' }
  | { type: 'restart' }
  | { type: 'overturn' }

const ends = [
  { guard: 'anyFailed', target: 'failed' },
  { guard: 'anyCancelled', target: 'cancelled' },
  { target: 'completed' },
] as const

/** The life of a run (RU). Terminal states are tagged `ended` and are not final: restarting a task leaves them. */
const makeRunMachine = () =>
  setup({
    types: {} as { context: RunContext; events: RunEvent },
    guards: {
      anyFailed: ({ event }) => event.type === 'end' && event.result === 'failed',
      anyCancelled: ({ event }) => event.type === 'end' && event.result === 'cancelled',
      pausedFromPending: ({ context }) => context.pausedFrom === 'pending',
      pausedFromQueued: ({ context }) => context.pausedFrom === 'queued',
    },
    actions: {
      remember: assign({ pausedFrom: (_, params: { status: ActiveRunStatus }) => params.status }),
      forget: assign({ pausedFrom: null }),
    },
  }).createMachine({
    id: 'run',
    context: { pausedFrom: null },
    initial: 'pending',
    states: {
      pending: {
        on: {
          start: 'queued',
          pause: { target: 'paused', actions: { type: 'remember', params: { status: 'pending' } } },
          end: [...ends],
          cancel: 'cancelled',
        },
      },
      queued: {
        on: {
          lease: 'running',
          pause: { target: 'paused', actions: { type: 'remember', params: { status: 'queued' } } },
          end: [...ends],
          cancel: 'cancelled',
        },
      },
      running: {
        on: {
          pause: { target: 'paused', actions: { type: 'remember', params: { status: 'running' } } },
          end: [...ends],
          cancel: 'cancelled',
        },
      },
      paused: {
        on: {
          resume: [
            { guard: 'pausedFromPending', target: 'pending', actions: 'forget' },
            { guard: 'pausedFromQueued', target: 'queued', actions: 'forget' },
            { target: 'running', actions: 'forget' },
          ],
          end: [
            { guard: 'anyFailed', target: 'failed', actions: 'forget' },
            { guard: 'anyCancelled', target: 'cancelled', actions: 'forget' },
            { target: 'completed', actions: 'forget' },
          ],
          cancel: { target: 'cancelled', actions: 'forget' },
        },
      },
      completed: { tags: 'ended', on: { restart: 'running', overturn: 'failed' } },
      failed: { tags: 'ended', on: { restart: 'running' } },
      cancelled: { tags: 'ended', on: { restart: 'running', overturn: 'failed' } },
    },
  })

/** The run machine as a pure function. */
export const runLifecycle = createLifecycle(makeRunMachine)
