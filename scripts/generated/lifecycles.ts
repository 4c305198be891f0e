import { leaseMachine, runMachine, workerMachine } from 'flotilla/lifecycles'

/** The part of a machine's node that a diagram needs. */
interface Node {
  readonly key: string
  readonly tags: readonly string[]
  readonly transitions: ReadonlyMap<string, readonly Transition[]>
  readonly states: Readonly<Record<string, Node>>
}
interface Transition {
  readonly guard?: unknown
  readonly target?: readonly { readonly key: string }[]
  readonly actions: readonly unknown[]
}
interface Step {
  readonly from: string
  readonly event: string
  readonly guard: string
  readonly to: string
  readonly actions: string
}

const anywhere = 'every state'

/** A diagram, a table of states and a table of steps for each of the three machines, drawn from the machines themselves. */
export function lifecycleSections(): Readonly<Record<string, string>> {
  return {
    run: section(runMachine.root as unknown as Node, runMachine.config.initial),
    lease: section(leaseMachine.root as unknown as Node, leaseMachine.config.initial),
    worker: section(workerMachine.root as unknown as Node, workerMachine.config.initial),
  }
}

function section(root: Node, initial: unknown): string {
  const states = Object.values(root.states)
  const inStates = states.flatMap((state) => stepsOf(state, state.key))
  const steps = [...inStates, ...stepsOf(root, anywhere)]
  return [diagram(inStates, String(initial)), stateTable(states), stepTable(steps)].join('\n\n')
}

function stepsOf(node: Node, from: string): Step[] {
  return [...node.transitions].flatMap(([event, transitions]) =>
    transitions.map((transition) => ({
      from,
      event,
      guard: nameOf(transition.guard),
      to: transition.target?.map((target) => target.key).join(', ') ?? from,
      actions: transition.actions.map(nameOf).join(', '),
    })),
  )
}

function diagram(steps: readonly Step[], initial: string): string {
  const arrows = new Map<string, string[]>()
  for (const { from, to, event, guard } of steps) {
    const labels = arrows.get(`${from} --> ${to}`) ?? []
    arrows.set(`${from} --> ${to}`, [...labels, guard === '' ? event : `${event} [${guard}]`])
  }
  const lines = [...arrows].map(([arrow, labels]) => `  ${arrow}: ${labels.join(', ')}`)
  return ['```mermaid', 'stateDiagram-v2', '  direction LR', `  [*] --> ${initial}`, ...lines, '```'].join('\n')
}

function stateTable(states: readonly Node[]): string {
  return ['| state | tags |', '|---|---|', ...states.map(({ key, tags }) => `| \`${key}\` | ${tags.join(', ') || '–'} |`)].join(
    '\n',
  )
}

function stepTable(steps: readonly Step[]): string {
  const rows = steps.map(({ from, event, guard, to, actions }) => {
    const origin = from === anywhere ? from : `\`${from}\``
    return `| ${origin} | \`${event}\` | ${guard || '–'} | \`${to}\` | ${actions || '–'} |`
  })
  return ['| from | event | guard | to | actions |', '|---|---|---|---|---|', ...rows].join('\n')
}

function nameOf(part: unknown): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return part
  const { type, params } = part as { readonly type: string; readonly params?: Readonly<Record<string, unknown>> }
  return params === undefined ? type : `${type}(${Object.values(params).map(String).join(', ')})`
}
