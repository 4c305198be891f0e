import type { AnyStateMachine, EventFromLogic, ContextFrom, StateValueFrom } from 'xstate'
import { compileTable, initialOf, stepTable } from './table.ts'

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
  /** As `hasTag`, for a tag that is asked for very often. */
  tagged(tag: string): (value: StateValueFrom<Machine> & string) => boolean
  readonly values: readonly (StateValueFrom<Machine> & string)[]
}

/**
 * Makes a machine steppable. The engine starts no actor: a table that is compiled from the machine's own nodes steps it, a hundred
 * times faster than XState would; a property test holds the two together. Both are made when they are first used: making them takes
 * longer than loading the rest of the engine. Throws then when a table cannot do what the machine does.
 */
export function createLifecycle<Machine extends AnyStateMachine>(make: () => Machine): Lifecycle<Machine> {
  type Value = StateValueFrom<Machine> & string
  let made: ReturnType<typeof compile> | undefined
  const parts = () => (made ??= compile(make()))
  return {
    get machine() {
      return parts().machine as Machine
    },
    get initial() {
      return parts().initial as Position<Machine>
    },
    get values() {
      return parts().values as Value[]
    },
    // The table keeps the shape of the context: assignments are typed by the machine.
    step: ({ value, context }, event) => stepTable(parts().table, value, context, event) as Position<Machine> | undefined,
    hasTag: (value, tag) => parts().tags.get(value)?.has(tag) ?? false,
    tagged(tag) {
      let values: ReadonlySet<string> | undefined
      return (value) => (values ??= new Set(parts().values.filter((one) => parts().tags.get(one)?.has(tag)))).has(value)
    },
  }
}

function compile(machine: AnyStateMachine) {
  const values = Object.keys(machine.root.states)
  return {
    machine,
    values,
    tags: new Map(values.map((value) => [value, new Set<string>(machine.root.states[value]?.tags ?? [])])),
    table: compileTable(machine),
    initial: initialOf(machine),
  }
}
