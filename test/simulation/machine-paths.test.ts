import { expect, test } from 'vitest'
import type { AnyStateMachine } from 'xstate'
import { leaseMachine, runMachine } from '../../src/lifecycles/index.ts'
import { simulate } from '../../src/testing/index.ts'
import type { Invariant } from '../../src/testing/index.ts'
import { allFaults } from './all-faults.ts'
import { scenarios } from './scenarios.ts'

/** Every pair of states that a machine's own transitions join. */
function edgesOf(machine: AnyStateMachine): Set<string> {
  const { states, transitions } = machine.root
  const edges = new Set<string>()
  for (const node of Object.values(states)) {
    const found = [...node.transitions.values(), ...transitions.values()].flat()
    for (const { target } of found) for (const to of target ?? []) edges.add(`${node.key} → ${to.key}`)
  }
  return edges
}

/** An entry lists a path of several steps as one: these are the states that may lie inside of it. */
function joinedBy(edges: ReadonlySet<string>, inner: readonly string[]): Set<string> {
  const joined = new Set(edges)
  for (let round = 0; round < inner.length; round += 1) {
    for (const first of [...joined])
      for (const second of edges) {
        const [from, middle] = first.split(' → ')
        const [start, to] = second.split(' → ')
        if (middle === start && middle !== undefined && inner.includes(middle)) joined.add(`${from} → ${to}`)
      }
  }
  return joined
}

async function walked(): Promise<{ readonly lease: ReadonlySet<string>; readonly run: ReadonlySet<string> }> {
  const lease = new Set<string>()
  const run = new Set<string>()
  const statuses = new Map<string, string>()
  const walking: Readonly<Record<string, Invariant>> = {
    walking: {
      entry({ entry, before, task, run: { id } }) {
        if (entry.created !== undefined) statuses.set(id, 'pending')
        if (before !== undefined && task !== undefined && entry.set?.status !== undefined)
          lease.add(`${before.status} → ${task.status}`)
        if (entry.run?.status !== undefined) {
          run.add(`${statuses.get(id)} → ${entry.run.status}`)
          statuses.set(id, entry.run.status)
        }
        return undefined
      },
    },
  }
  for (const scenario of scenarios) await simulate(scenario, { seeds: 100, faults: allFaults, invariants: walking })
  return { lease, run }
}

test(
  'CO3 simulated runs take every way through the machines that an entry can show, and no other',
  { timeout: 300_000 },
  async () => {
    const { lease, run } = await walked()
    const [leaseEdges, runEdges] = [edgesOf(leaseMachine), edgesOf(runMachine)]
    const others = (taken: ReadonlySet<string>, edges: ReadonlySet<string>): string[] =>
      [...taken].filter((pair) => !edges.has(pair))
    expect(others(lease, joinedBy(leaseEdges, ['starting', 'verifying']))).toEqual([])
    expect(others(run, runEdges)).toEqual([])
    const missing = (edges: ReadonlySet<string>, taken: ReadonlySet<string>): string[] =>
      [...edges].filter((pair) => !taken.has(pair)).toSorted()
    // What is left: a restart never delays, a file is judged in no time, and few restarts meet an open dependency or a late verdict.
    expect(missing(leaseEdges, lease)).toMatchInlineSnapshot(`
    [
      "backoff → backoff",
      "cancelled → backoff",
      "completed → backoff",
      "completed → blocked",
      "enqueued → backoff",
      "enqueued → blocked",
      "failed → backoff",
      "failed → blocked",
      "running → blocked",
      "starting → blocked",
      "verifying → blocked",
      "verifying → cancelled",
    ]
  `)
    expect(missing(runEdges, run)).toMatchInlineSnapshot(`
    [
      "cancelled → failed",
      "completed → failed",
      "pending → completed",
      "pending → failed",
      "queued → completed",
      "queued → failed",
    ]
  `)
  },
)
