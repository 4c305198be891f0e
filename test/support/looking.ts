import type { Entry } from '../../src/engine/entry.ts'
import type { Run } from '../../src/fleet/run-handle.ts'
import type { MemoryStore } from '../../src/store/memory.ts'

/** The status of every task of a run, by id. */
export async function statuses(run: Pick<Run, 'tasks'>): Promise<Record<string, string>> {
  return Object.fromEntries((await run.tasks()).map((task) => [task.id, task.status]))
}

/** The durable entries of a run, or of the fleet's own stream. */
export function entriesOf(store: MemoryStore, run: string): Entry[] {
  return store.lines(run).map((line) => JSON.parse(line) as Entry)
}

/** What an entry last set of a task's fields. */
export function fieldsOf(store: MemoryStore, run: string, task: string): NonNullable<Entry['set']> {
  return Object.assign({}, ...entriesOf(store, run).map((entry) => (entry.task === task ? entry.set : undefined)))
}

/** What the receipts of a run say: `task/attempt result kind`. */
export async function verdicts(run: Pick<Run, 'receipts'>, task?: string): Promise<string[]> {
  return (await run.receipts(task)).map((receipt) =>
    [`${receipt.task_id}/${receipt.attempt ?? '-'}`, receipt.result, receipt.failure_kind]
      .filter((part) => part !== undefined)
      .join(' '),
  )
}
