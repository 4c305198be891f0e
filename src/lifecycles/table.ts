import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'

/** What an event may lead to: the first row whose guard holds counts. */
interface Row {
  readonly guard: ((args: StepArgs) => boolean) | undefined
  /** Undefined: the status stays. */
  readonly target: string | undefined
  readonly assigns: readonly Assign[]
}

/** What the machine's own guards and assignments are called with. */
interface StepArgs {
  readonly context: Context
  readonly event: { readonly type: string }
}

type Context = Readonly<Record<string, unknown>>
/** The whole context that follows. */
type Assign = (args: StepArgs) => Context

/** The rows of every status, by the type of the event. */
export type Table = ReadonlyMap<string, ReadonlyMap<string, readonly Row[]>>

/**
 * Compiles a machine into plain rows, read from XState's own nodes, so that the machine stays the one source of truth. Takes flat
 * states, guards and assignments by name; refuses anything else when it is loaded, since a table could not do it.
 */
export function compileTable(machine: AnyStateMachine): Table {
  const { root } = machine
  const refuse = (what: string): never => {
    throw new TypeError(
      `The machine ${machine.id} has ${what}, which a table cannot do. Keep it flat, its guards and actions named.`,
    )
  }
  requirePlain(root, refuse)
  return new Map(
    Object.values(root.states).map((node) => {
      if (node.type !== 'atomic') refuse(`the state ${node.key} of type ${node.type}`)
      requirePlain(node, refuse)
      // What the state itself does not take, the machine as a whole may.
      const types = new Set([...node.transitions.keys(), ...root.transitions.keys()])
      const rows = [...types].map((type) => {
        const found = [...(node.transitions.get(type) ?? []), ...(root.transitions.get(type) ?? [])]
        return [type, found.map((transition) => rowOf(machine, transition, refuse))] as const
      })
      return [node.key, new Map(rows)] as const
    }),
  )
}

/** Where the machine begins. Its context is plain data, so that beginning needs no input. */
export function initialOf(machine: AnyStateMachine): { readonly value: string; readonly context: Context } {
  const value = machine.root.initial.target[0]?.key
  const context: unknown = machine.config.context ?? {}
  if (value === undefined || typeof context !== 'object')
    throw new TypeError(`The machine ${machine.id} does not begin in one state with a plain context, which a table needs.`)
  return { value, context: context as Context }
}

/** The status and context after an event; undefined when no row takes it. A context without assignments is given as it came. */
export function stepTable(
  table: Table,
  value: string,
  context: Context,
  event: { readonly type: string },
): { readonly value: string; readonly context: Context } | undefined {
  const rows = table.get(value)?.get(event.type)
  if (rows === undefined) return undefined
  const before = { context, event }
  for (const { guard, target, assigns } of rows) {
    if (guard !== undefined && !guard(before)) continue
    // A row that leads nowhere forbids what the rows behind it would allow.
    if (target === undefined && assigns.length === 0) return undefined
    let now = context
    for (const assign of assigns) now = assign({ context: now, event })
    return { value: target ?? value, context: now }
  }
  return undefined
}

type Refuse = (what: string) => never

function requirePlain(node: AnyStateNode, refuse: Refuse): void {
  const where = node.parent === undefined ? 'of its own' : `in the state ${node.key}`
  // XState makes entry and exit actions of delays, so they are looked for first.
  if (node.after.length > 0) refuse(`a delayed transition ${where}`)
  if (node.entry.length > 0 || node.exit.length > 0) refuse(`entry or exit actions ${where}`)
  if (node.invoke.length > 0) refuse(`an invocation ${where}`)
  if ((node.always ?? []).length > 0) refuse(`an eventless transition ${where}`)
  for (const type of node.transitions.keys()) if (type.includes('*')) refuse(`a wildcard transition ${where}`)
}

function rowOf(machine: AnyStateMachine, transition: AnyTransitionDefinition, refuse: Refuse): Row {
  const targets = transition.target ?? []
  if (targets.length > 1) refuse(`a transition to ${targets.length} states`)
  return {
    guard: transition.guard === undefined ? undefined : guardOf(machine, transition.guard, refuse),
    target: targets[0]?.key,
    assigns: transition.actions.map((action) => assignOf(machine, action, refuse)),
  }
}

function guardOf(machine: AnyStateMachine, guard: unknown, refuse: Refuse): Row['guard'] {
  const { type, params } = nameAndParams(guard)
  const found = type === undefined ? undefined : (machine.implementations.guards as Record<string, unknown>)[type]
  if (typeof found !== 'function') return refuse(`the guard ${type ?? 'without a name'}`)
  return (args) => (found as (args: StepArgs, params: unknown) => boolean)(args, params)
}

/** An assignment's fields are values, or functions of the context and the event. */
function assignOf(machine: AnyStateMachine, action: unknown, refuse: Refuse): Assign {
  const { type, params } = nameAndParams(action)
  const found = type === undefined ? undefined : (machine.implementations.actions as Record<string, unknown>)[type]
  const assignment = typeof found === 'function' && 'assignment' in found ? found.assignment : undefined
  if (typeof assignment !== 'object' || assignment === null) return refuse(`the action ${type ?? 'without a name'}`)
  const fields = Object.entries(assignment) as [string, unknown][]
  return (args) => {
    const next = { ...args.context }
    for (const [field, value] of fields) {
      next[field] = typeof value === 'function' ? (value as (args: StepArgs, params: unknown) => unknown)(args, params) : value
    }
    return next
  }
}

/** XState's own forms: a name, a name with parameters, or a function, which has neither. */
function nameAndParams(named: unknown): { readonly type?: string; readonly params?: unknown } {
  if (typeof named === 'string') return { type: named }
  return typeof named === 'object' ? (named as { readonly type: string; readonly params?: unknown }) : {}
}
