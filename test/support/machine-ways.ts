import type { AnyStateMachine, EventFromLogic, SnapshotFrom } from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import type { Lifecycle, Position } from '../../src/lifecycles/lifecycle.ts'

/** Events that lead through a machine, and the position after each of them. */
export interface Way<Machine extends AnyStateMachine> {
  readonly name: string
  readonly events: readonly EventFromLogic<Machine>[]
  readonly positions: readonly Position<Machine>[]
}

/** What can be played in a position: on the way to other states, and as the last event of a way. */
export interface Playable<Machine extends AnyStateMachine> {
  readonly through: (position: Position<Machine>) => readonly EventFromLogic<Machine>[]
  readonly last?: (position: Position<Machine>) => readonly EventFromLogic<Machine>[]
  /** Ways to events that the shortest way to their state does not allow. */
  readonly more?: readonly (readonly EventFromLogic<Machine>[])[]
}

/** Ways through all that can be played: the shortest to each state, and from there each event. Made by XState from the machine itself. */
export function waysThrough<Machine extends AnyStateMachine>(
  lifecycle: Lifecycle<Machine>,
  { through, last = () => [], more = [] }: Playable<Machine>,
): Way<Machine>[] {
  const positionOf = (snapshot: SnapshotFrom<Machine>): Position<Machine> => snapshot as unknown as Position<Machine>
  const shortest = getShortestPaths(lifecycle.machine, {
    events: ((snapshot: SnapshotFrom<Machine>) =>
      through(positionOf(snapshot)).filter((event) => lifecycle.step(positionOf(snapshot), event) !== undefined)) as never,
    // Counters only grow: of two positions of one status the first will do, but for where a pause leads back to.
    serializeState: ((snapshot: SnapshotFrom<Machine>) => keyOf(positionOf(snapshot))) as never,
  })
  const found = shortest.flatMap(({ state, steps }) => {
    const events = steps.map((step) => step.event as EventFromLogic<Machine>).filter(({ type }) => !type.startsWith('xstate.'))
    const position = positionOf(state as SnapshotFrom<Machine>)
    return [...through(position), ...last(position)].map((event) => wayOf(lifecycle, [...events, event]))
  })
  return [...found, ...more.map((events) => wayOf(lifecycle, events))].filter((way) => way !== undefined)
}

function wayOf<Machine extends AnyStateMachine>(
  lifecycle: Lifecycle<Machine>,
  events: readonly EventFromLogic<Machine>[],
): Way<Machine> | undefined {
  const positions: Position<Machine>[] = []
  let position: Position<Machine> | undefined = lifecycle.initial
  for (const event of events) {
    position = lifecycle.step(position, event)
    if (position === undefined) return undefined
    positions.push(position)
  }
  return { name: events.map(wordsOf).join(', '), events, positions }
}

function wordsOf({ type, ...more }: { readonly type: string }): string {
  const flags = Object.entries(more).map(([name, value]) =>
    value === true ? name : value === false ? `not ${name}` : String(value),
  )
  return flags.length === 0 ? type : `${type} (${flags.join(', ')})`
}

function keyOf({ value, context }: { readonly value: string; readonly context: unknown }): string {
  return JSON.stringify([value, (context as { readonly pausedFrom?: string }).pausedFrom])
}

/** Every transition of a machine: `from event → to`. */
export function transitionsOf(machine: AnyStateMachine): string[] {
  const { states, transitions } = machine.root
  return Object.values(states).flatMap((node) =>
    [...node.transitions.values(), ...transitions.values()]
      .flat()
      .flatMap(({ eventType, target }) => (target ?? []).map((to) => `${node.key} ${eventType} → ${to.key}`)),
  )
}

/** Every transition that some way takes. */
export function transitionsOn<Machine extends AnyStateMachine>(
  lifecycle: Lifecycle<Machine>,
  ways: readonly Way<Machine>[],
): Set<string> {
  return new Set(
    ways.flatMap(({ events, positions }) =>
      events.map(
        ({ type }, index) => `${positions[index - 1]?.value ?? lifecycle.initial.value} ${type} → ${positions[index]?.value}`,
      ),
    ),
  )
}
