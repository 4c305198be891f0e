import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assign, initialTransition, setup } from 'xstate'
import type { AnyStateMachine } from 'xstate'
import { leaseLifecycle } from '../../../src/lifecycles/lease.ts'
import { createLifecycle } from '../../../src/lifecycles/lifecycle.ts'
import type { Lifecycle } from '../../../src/lifecycles/lifecycle.ts'
import { runLifecycle } from '../../../src/lifecycles/run.ts'
import { workerLifecycle } from '../../../src/lifecycles/worker.ts'
import { xstateStep } from '../../support/xstate-steps.ts'

/** Every event of a machine with every value of what its guards look at, and one that no machine knows. */
const flags = [false, true]
const unknownEvent = { type: 'unheard-of' }
const leaseEvents = [
  ...['due', 'block', 'lease', 'accept', 'finish', 'pass', 'cancel', 'overturn'].map((type) => ({ type })),
  ...flags.map((delayed) => ({ type: 'unblock', delayed })),
  ...flags.map((crash) => ({ type: 'release', crash })),
  ...flags.flatMap((retry) => flags.map((delayed) => ({ type: 'fail', retry, delayed }))),
  ...flags.flatMap((blocked) => flags.map((delayed) => ({ type: 'restart', blocked, delayed }))),
  unknownEvent,
]
const runEvents = [
  ...['start', 'lease', 'pause', 'resume', 'cancel', 'restart', 'overturn'].map((type) => ({ type })),
  ...['completed', 'failed', 'cancelled'].map((result) => ({ type: 'end', result })),
  unknownEvent,
]
const workerEvents = [
  ...['lease', 'idle', 'unwell', 'lost', 'retire'].map((type) => ({ type })),
  ...[0, 1, 7].flatMap((leases) => flags.map((draining) => ({ type: 'hello', leases, draining }))),
  ...[0, 1, 7].flatMap((leases) => flags.map((draining) => ({ type: 'recover', leases, draining }))),
  ...[0, 1, 7].map((leases) => ({ type: 'drain', leases })),
  unknownEvent,
]
const leaseContexts = [0, 1, 3].flatMap((failures) => [0, 2].map((crashes) => ({ attempt: 4, failures, crashes })))
const runContexts = [null, 'pending', 'queued', 'running'].map((pausedFrom) => ({ pausedFrom }))

const machines = [
  ['lease', leaseLifecycle, leaseEvents, leaseContexts],
  ['run', runLifecycle, runEvents, runContexts],
  ['worker', workerLifecycle, workerEvents, [{}]],
] as unknown as [string, Lifecycle<AnyStateMachine>, { type: string }[], object[]][]

test.for(machines)('CO3 the table of the %s machine steps as XState does, for every state, event and guard', (row) => {
  const [, lifecycle, events, contexts] = row
  let accepted = 0
  for (const value of lifecycle.values)
    for (const context of contexts)
      for (const event of events) {
        const next = lifecycle.step({ value, context } as never, event as never)
        expect(next, `${value} ${JSON.stringify(event)}`).toEqual(xstateStep(lifecycle.machine, { value, context }, event))
        if (next !== undefined) accepted += 1
      }
  expect(accepted).toBeGreaterThan(lifecycle.values.length)
})

test.for(machines)('CO3 the %s machine begins where XState does', ([, lifecycle]) => {
  const [first] = initialTransition(lifecycle.machine)
  expect(lifecycle.initial).toEqual({ value: first.value, context: first.context })
})

test.for(machines)('CO3 the %s machine ends up where XState does after any sequence of events', ([, lifecycle, events]) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (sequence) => {
      let ours = lifecycle.initial
      let theirs: { readonly value: string; readonly context: unknown } = lifecycle.initial
      for (const event of sequence) {
        ours = lifecycle.step(ours, event as never) ?? ours
        theirs = xstateStep(lifecycle.machine, theirs, event) ?? theirs
        expect(ours).toEqual(theirs)
      }
    }),
    { numRuns: 500 },
  )
})

test('CO3 a table does what XState does with forbidden and targetless rows, and with several assignments', () => {
  const machine = setup({
    types: {} as { context: { n: number; last: string }; events: { type: 'add' | 'tell' | 'forbid' | 'leave'; by?: number } },
    guards: { big: ({ event }) => (event.by ?? 0) > 5 },
    actions: {
      add: assign({ n: ({ context, event }) => context.n + (event.by ?? 1) }),
      double: assign({ n: ({ context }) => context.n * 2 }),
      name: assign({ last: (_, params: { text: string }) => params.text }),
    },
  }).createMachine({
    id: 'sample',
    context: { n: 1, last: '' },
    initial: 'a',
    on: { leave: '.b', tell: { actions: { type: 'name', params: { text: 'root' } } } },
    states: {
      a: {
        on: {
          add: [{ guard: 'big', target: 'b', actions: ['add', 'double'] }, { actions: 'add' }],
          forbid: {},
          tell: { guard: 'big', target: 'a', actions: { type: 'name', params: { text: 'a' } } },
        },
      },
      b: { on: { leave: {} } },
    },
  })
  const lifecycle = createLifecycle(machine)
  const events = ['add', 'tell', 'forbid', 'leave'].flatMap((type) => [0, 9].map((by) => ({ type, by })))
  for (const value of ['a', 'b'] as const)
    for (const event of events) {
      const from = { value, context: { n: 3, last: 'x' } }
      expect(lifecycle.step(from, event as never), `${value} ${JSON.stringify(event)}`).toEqual(xstateStep(machine, from, event))
    }
})

const plain = { id: 'odd', initial: 'a', states: { a: {}, b: {} } } as const
test.for([
  ['nested states', { ...plain, states: { a: { initial: 'c', states: { c: {} } }, b: {} } }],
  ['a final state', { ...plain, states: { a: {}, b: { type: 'final' } } }],
  ['an entry action', { ...plain, states: { a: { entry: 'act' }, b: {} } }],
  ['a delayed transition', { ...plain, states: { a: { after: { 100: 'b' } }, b: {} } }],
  ['an eventless transition', { ...plain, states: { a: { always: { guard: () => false, target: 'b' } }, b: {} } }],
  ['an invocation', { ...plain, states: { a: { invoke: { src: 'work' } }, b: {} } }],
  ['a wildcard', { ...plain, states: { a: { on: { '*': 'b' } }, b: {} } }],
  ['a guard without a name', { ...plain, states: { a: { on: { go: { guard: () => true, target: 'b' } } }, b: {} } }],
  ['an action without a name', { ...plain, states: { a: { on: { go: { target: 'b', actions: () => {} } } }, b: {} } }],
  ['an action that is no assignment', { ...plain, states: { a: { on: { go: { target: 'b', actions: 'act' } } }, b: {} } }],
] as const)('CO3 a machine with %s is refused when it is loaded, not misread', ([, config]) => {
  const machine = setup({ actions: { act: () => {} } }).createMachine(config as never) as unknown as AnyStateMachine
  expect(() => createLifecycle(machine)).toThrow(/The machine odd has .*, which a table cannot do/)
})
