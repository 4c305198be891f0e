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
  const lifecycle = createLifecycle(() => machine)
  const events = ['add', 'tell', 'forbid', 'leave'].flatMap((type) => [0, 9].map((by) => ({ type, by })))
  for (const value of ['a', 'b'] as const)
    for (const event of events) {
      const from = { value, context: { n: 3, last: 'x' } }
      expect(lifecycle.step(from, event as never), `${value} ${JSON.stringify(event)}`).toEqual(xstateStep(machine, from, event))
    }
})

const plain = { id: 'odd', initial: 'a', states: { a: {}, b: {} } } as const
const load = (config: object): Lifecycle<AnyStateMachine> =>
  createLifecycle(
    () =>
      setup({
        guards: { isOpen: () => true },
        actions: { act: () => {}, assignAll: assign(() => ({})), note: assign({ n: 1 }) },
      }).createMachine(config as never) as unknown as AnyStateMachine,
  )
const inA = (transition: object): object => ({ ...plain, states: { a: { on: { go: transition } }, b: {} } })

test.for([
  ['nested states', 'the state a of type compound', { ...plain, states: { a: { initial: 'c', states: { c: {} } }, b: {} } }],
  ['a final state', 'the state b of type final', { ...plain, states: { a: {}, b: { type: 'final' } } }],
  ['an entry action', 'entry or exit actions in the state a', { ...plain, states: { a: { entry: 'act' }, b: {} } }],
  ['an exit action', 'entry or exit actions in the state b', { ...plain, states: { a: {}, b: { exit: 'act' } } }],
  ['an action at its beginning', 'entry or exit actions of its own', { ...plain, entry: 'act' }],
  ['a delayed transition', 'a delayed transition in the state a', { ...plain, states: { a: { after: { 100: 'b' } }, b: {} } }],
  [
    'an eventless transition',
    'an eventless transition in the state a',
    { ...plain, states: { a: { always: { guard: () => false, target: 'b' } }, b: {} } },
  ],
  ['an invocation', 'an invocation in the state a', { ...plain, states: { a: { invoke: { src: 'work' } }, b: {} } }],
  ['a wildcard', 'a wildcard transition in the state a', { ...plain, states: { a: { on: { '*': 'b' } }, b: {} } }],
  ['a wildcard for it all', 'a wildcard transition of its own', { ...plain, on: { 'go.*': '.b' } }],
  ['two targets', 'a transition to 2 states', inA({ target: ['a', 'b'] })],
  ['a guard without a name', 'the guard without a name', inA({ guard: () => true, target: 'b' })],
  ['a guard that is not there', 'the guard isShut', inA({ guard: 'isShut', target: 'b' })],
  ['an action without a name', 'the action without a name', inA({ target: 'b', actions: () => {} })],
  ['an assignment without a name', 'the action without a name', inA({ target: 'b', actions: assign({ n: 1 }) })],
  ['an action that is not there', 'the action do', inA({ target: 'b', actions: 'do' })],
  ['an action that is no assignment', 'the action act', inA({ target: 'b', actions: 'act' })],
  ['an assignment of everything at once', 'the action assignAll', inA({ target: 'b', actions: 'assignAll' })],
] as const)('CO3 a machine with %s is refused when it is loaded, not misread', ([, what, config]) => {
  expect(() => load(config).values).toThrow(
    new TypeError(`The machine odd has ${what}, which a table cannot do. Keep it flat, its guards and actions named.`),
  )
  expect(load(inA({ guard: 'isOpen', target: 'b', actions: 'note' })).values).toEqual(['a', 'b'])
})

test('CO3 a machine whose context has to be computed is refused, since beginning takes no input', () => {
  expect(() => load({ ...plain, context: () => ({ n: 1 }) }).values).toThrow(
    /^The machine odd does not begin in one state with a plain context/,
  )
  expect(load({ ...plain, context: { n: 1 } }).initial).toEqual({ value: 'a', context: { n: 1 } })
  expect(load(plain).initial).toEqual({ value: 'a', context: {} })
})

test.for(machines)('CO3 the statuses of the %s machine carry the tags that it gives them, and no other', ([, lifecycle]) => {
  const { states } = lifecycle.machine.root
  const given = lifecycle.values.flatMap((value) => states[value]?.tags ?? [])
  for (const value of lifecycle.values)
    for (const tag of [...given, 'unheard-of'])
      expect(lifecycle.hasTag(value, tag), `${value} ${tag}`).toBe(states[value]?.tags.includes(tag))
})

test('CO3 a status that the machine does not know accepts nothing, and has no tag', () => {
  expect(leaseLifecycle.step({ value: 'asleep' as never, context: leaseLifecycle.initial.context }, { type: 'cancel' })).toBe(
    undefined,
  )
  expect(leaseLifecycle.hasTag('asleep' as never, 'leased')).toBe(false)
  expect(leaseLifecycle.step(leaseLifecycle.initial, { type: 'cancel' })?.value).toBe('cancelled')
})
