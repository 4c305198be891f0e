import { claimsOf, overlap } from '../security/claims.ts'
import type { Invariant, World } from './invariants.ts'
import { hasEnded, holdsLease } from './model.ts'
import type { Happened, ModelRun, ModelTask } from './model.ts'

/** The rules on what tasks hold and spend (SC6, SC7, BU), by their ids. */
export const boundsInvariants: Readonly<Record<string, Invariant>> = {
  'BU2 what crossed a limit is partial at best, and is not tried again': { entry: overBudget },
  'BU3 nothing is leased of a run whose budget is spent': {
    entry: ({ run, before, task }) =>
      run.isOverBudget && holdsLease(task) && !holdsLease(before)
        ? `leased although the budget of ${run.id} is spent`
        : undefined,
  },
  'SC6 no class and no key has more leases at once than its limit': { step: limits },
  'SC7 what overlaps holds no leases at once': { step: claims },
}

function overBudget({ entry, before, task }: Happened): string | undefined {
  if (before?.isOverBudget !== true || task === undefined) return undefined
  if (entry.receipt?.result === 'pass') return 'it passed although it had crossed a limit'
  return !holdsLease(task) && !hasEnded(task) ? `it is ${task.status} again although it had crossed a limit` : undefined
}

function limits(world: World): string | undefined {
  const { classes = {}, keys = {}, everyKey = { atOnce: 1 } } = world.concurrency
  const held = new Map<string, { count: number; readonly most: number }>()
  const count = (name: string, most: number | undefined): void => {
    if (most === undefined) return
    const one = held.get(name) ?? { count: 0, most }
    one.count += 1
    held.set(name, one)
  }
  for (const { task } of leasedTasks(world)) {
    const { class: ofClass } = task.spec.metadata
    const { concurrency_key: key } = task.spec
    if (ofClass !== undefined) count(`the class ${ofClass}`, classes[ofClass]?.atOnce)
    if (key !== undefined) count(`the key ${key}`, (keys[key] ?? everyKey).atOnce)
  }
  for (const [name, one] of held) if (one.count > one.most) return `${name} holds ${one.count} leases of ${one.most}`
  return undefined
}

function claims(world: World): string | undefined {
  const holders = leasedTasks(world).flatMap(({ run, task }) => {
    const claimed = claimsOf(task.spec, run.header.workspace)
    return claimed === undefined ? [] : [{ name: `${run.id}/${task.id}`, claimed }]
  })
  for (const [index, one] of holders.entries()) {
    for (const other of holders.slice(index + 1)) {
      const both = overlap(one.claimed, other.claimed)
      if (both !== undefined) return `${one.name} and ${other.name} both claim ${both}`
    }
  }
  return undefined
}

/** What an append that was stored for some of its runs only has left is mended by the next process: until then nothing is held against it. */
function leasedTasks({ runs, isTorn }: World): readonly { readonly run: ModelRun; readonly task: ModelTask }[] {
  if (isTorn()) return []
  return [...runs.values()].flatMap((run) =>
    hasEnded(run) ? [] : [...run.tasks.values()].filter(holdsLease).map((task) => ({ run, task })),
  )
}
