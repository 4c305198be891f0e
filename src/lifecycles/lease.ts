import { assign, setup } from 'xstate'
import { createLifecycle } from './lifecycle.ts'

/** What the lease machine keeps with a task's status. */
export interface LeaseContext {
  /** Number of the last attempt; grows with each lease and is never used again (LE1). */
  readonly attempt: number
  /** Attempts that failed, timed out or went stale since the task was created or restarted (RE1). */
  readonly failures: number
  /** Releases in a row because the fleet crashed (LE8). */
  readonly crashes: number
}

/** What happens to a task. `delayed`: it must wait for a moment first; `blocked`: a dependency is open. */
export type LeaseEvent =
  | { type: 'unblock'; delayed: boolean }
  | { type: 'block' }
  | { type: 'due' }
  | { type: 'lease' }
  | { type: 'accept' }
  | { type: 'finish' }
  | { type: 'pass' }
  | { type: 'fail'; retry: boolean; delayed: boolean }
  | { type: 'release'; crash: boolean }
  | { type: 'cancel' }
  | { type: 'restart'; blocked: boolean; delayed: boolean }
  | { type: 'overturn' }

/** Where a failed attempt leads, whatever it was at. */
const failures = [
  { guard: 'retriesLater', target: 'backoff', actions: 'countFailure' },
  { guard: 'retriesNow', target: 'enqueued', actions: 'countFailure' },
  { target: 'failed', actions: 'countFailure' },
] as const

/**
 * The life of a task: waiting (`blocked`, `backoff`, `enqueued`), held by a worker (`starting`, `running`, `verifying`, tagged
 * `leased`), ended (`completed`, `failed`, `cancelled`, tagged `ended`). Ended states are not final: a restart leaves them (LE9).
 */
const makeLeaseMachine = () =>
  setup({
    types: {} as { context: LeaseContext; events: LeaseEvent },
    guards: {
      delayed: ({ event }) => 'delayed' in event && event.delayed,
      blocked: ({ event }) => 'blocked' in event && event.blocked,
      retriesLater: ({ event }) => event.type === 'fail' && event.retry && event.delayed,
      retriesNow: ({ event }) => event.type === 'fail' && event.retry,
    },
    actions: {
      countAttempt: assign({ attempt: ({ context }) => context.attempt + 1 }),
      countFailure: assign({ failures: ({ context }) => context.failures + 1, crashes: 0 }),
      countRelease: assign({
        crashes: ({ context, event }) => (event.type === 'release' && event.crash ? context.crashes + 1 : 0),
      }),
      forgetCrashes: assign({ crashes: 0 }),
      refreshBudget: assign({ failures: 0, crashes: 0 }),
    },
  }).createMachine({
    id: 'lease',
    context: { attempt: 0, failures: 0, crashes: 0 },
    initial: 'blocked',
    // A restart is accepted in every state (LE9).
    on: {
      restart: [
        { guard: 'blocked', target: '.blocked', actions: 'refreshBudget' },
        { guard: 'delayed', target: '.backoff', actions: 'refreshBudget' },
        { target: '.enqueued', actions: 'refreshBudget' },
      ],
    },
    states: {
      blocked: {
        tags: 'waiting',
        on: { unblock: [{ guard: 'delayed', target: 'backoff' }, { target: 'enqueued' }], cancel: 'cancelled' },
      },
      backoff: { tags: 'waiting', on: { due: 'enqueued', block: 'blocked', cancel: 'cancelled' } },
      enqueued: {
        tags: 'waiting',
        on: { lease: { target: 'starting', actions: 'countAttempt' }, block: 'blocked', cancel: 'cancelled' },
      },
      starting: {
        tags: ['leased', 'working'],
        on: {
          accept: 'running',
          finish: { target: 'verifying', actions: 'forgetCrashes' },
          fail: [...failures],
          release: { target: 'enqueued', actions: 'countRelease' },
          cancel: 'cancelled',
        },
      },
      running: {
        tags: ['leased', 'working'],
        on: {
          finish: { target: 'verifying', actions: 'forgetCrashes' },
          fail: [...failures],
          release: { target: 'enqueued', actions: 'countRelease' },
          cancel: 'cancelled',
        },
      },
      verifying: {
        tags: 'leased',
        on: {
          pass: 'completed',
          fail: [...failures],
          cancel: 'cancelled',
        },
      },
      completed: { tags: 'ended', on: { overturn: 'failed' } },
      failed: { tags: 'ended' },
      cancelled: { tags: 'ended' },
    },
  })

/** The lease machine as a pure function. */
export const leaseLifecycle = createLifecycle(makeLeaseMachine)

/** A task's status inside the fleet. */
export type TaskStatus = (typeof leaseLifecycle.values)[number]
