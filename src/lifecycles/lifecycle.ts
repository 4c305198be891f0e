import type { AnyStateMachine, EventFromLogic, ContextFrom, AnyActorScope, StateValueFrom } from 'xstate'

/** A status and the facts that the machine keeps with it. Plain data: what is stored and folded. */
export interface Position<Machine extends AnyStateMachine> {
  readonly value: StateValueFrom<Machine> & string
  readonly context: ContextFrom<Machine>
}

/** A machine that can be stepped as a pure function: no actor, no timer, no effect. */
export interface Lifecycle<Machine extends AnyStateMachine> {
  readonly machine: Machine
  /** The position before any event. */
  readonly initial: Position<Machine>
  /** The position after an event, or undefined when the machine does not accept it there: then nothing changes (CO3). */
  step(from: Position<Machine>, event: EventFromLogic<Machine>): Position<Machine> | undefined
  /** Whether a status carries a tag. */
  hasTag(value: StateValueFrom<Machine> & string, tag: string): boolean
  readonly values: readonly (StateValueFrom<Machine> & string)[]
}

/**
 * Makes a machine steppable. This is the only place that calls XState: every step goes through `machine.transition` with one scope
 * that is reused and does nothing, because the engine starts no actor.
 */
export function createLifecycle<Machine extends AnyStateMachine>(machine: Machine): Lifecycle<Machine> {
  type Value = StateValueFrom<Machine> & string
  const values = Object.keys(machine.root.states) as Value[]
  const tags = new Map(values.map((value) => [value, new Set<string>(machine.root.states[value]?.tags ?? [])]))
  const first = machine.getInitialSnapshot(inertScope, undefined)
  return {
    machine,
    initial: { value: first.value as Value, context: first.context as ContextFrom<Machine> },
    values,
    step(from, event) {
      const snapshot = machine.resolveState({ value: from.value, context: from.context, status: 'active' })
      // An accepted self-transition may return the same object, so acceptance is asked, not inferred.
      if (!snapshot.can(event)) return undefined
      const next = machine.transition(snapshot, event, inertScope)
      return { value: next.value as Value, context: next.context as ContextFrom<Machine> }
    },
    hasTag: (value, tag) => tags.get(value)?.has(tag) ?? false,
  }
}

const nothing = (): void => {}

const inertScope = {
  id: 'inert',
  sessionId: 'inert',
  logger: nothing,
  defer: nothing,
  emit: nothing,
  actionExecutor: nothing,
  stopChild: nothing,
  self: { send: nothing, id: 'inert', sessionId: 'inert' },
  system: { _sendInspectionEvent: nothing, _relay: nothing },
} as unknown as AnyActorScope
