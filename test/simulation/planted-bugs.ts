/** Mistakes for the simulation to find: what is right in a file, and what stands in its place. */
export const plantedBugs: readonly {
  readonly what: string
  readonly file: string
  readonly right: string
  readonly wrong: string
  /** It is in what entries are taken for, so that what is decided stays the same. */
  readonly isOfReading?: boolean
}[] = [
  {
    what: 'a late result counts for the attempt that is live',
    file: 'src/engine/attempt-watch.ts',
    right: 'task !== undefined && task.attempt === attempt && isWorking',
    wrong: 'task !== undefined && attempt <= task.attempt && isWorking',
  },
  {
    what: 'any attempt of a worker keeps the leases of all its attempts',
    file: 'src/engine/reports.ts',
    right: '    presence.deadline = now + core.defaults.leaseTtlMs\n',
    wrong:
      '    for (const one of core.presence.all()) if (one.worker === presence.worker) one.deadline = now + core.defaults.leaseTtlMs\n',
  },
  {
    what: 'the second retry is lost',
    file: 'src/engine/attempt-watch.ts',
    right: "if (task.status === 'backoff' && task.notBefore !== null) {",
    wrong: "if (task.status === 'backoff' && task.notBefore !== null && task.failures !== 2) {",
  },
  {
    what: 'a receipt names the attempt before',
    file: 'src/engine/receipt-record.ts',
    right: '...(entry.attempt !== undefined && { attempt: entry.attempt }),',
    wrong: '...(entry.attempt !== undefined && { attempt: Math.max(1, entry.attempt - 1) }),',
    isOfReading: true,
  },
  {
    what: 'the wait before a retry grows one step too early',
    file: 'src/engine/retry.ts',
    right: 'policy.backoff_multiplier ** (failures - 1)',
    wrong: 'policy.backoff_multiplier ** failures',
  },
  {
    what: 'one attempt too many',
    file: 'src/engine/retry.ts',
    right: 'if (failures >= Math.max(1, max_attempts))',
    wrong: 'if (failures > Math.max(1, max_attempts))',
  },
  {
    what: 'a worker gets one lease more than it has slots',
    file: 'src/engine/workers.ts',
    right: 'return worker.facts.slots - counts',
    wrong: 'return worker.facts.slots + 1 - counts',
  },
  {
    what: 'a paused run goes on leasing',
    file: 'src/engine/fold.ts',
    right: "(run.status === 'queued' || run.status === 'running')",
    wrong: "(run.status === 'queued' || run.status === 'running' || run.status === 'paused')",
  },
  {
    what: 'attempts begin before their lease is durable',
    file: 'src/engine/commit.ts',
    right: '        if (batches.length > 0) await store.append(batches)\n',
    wrong: '        for (const turn of turns) turn.durable()\n        if (batches.length > 0) await store.append(batches)\n',
  },
  {
    what: 'crashes of the fleet are never enough',
    file: 'src/engine/attempt-end.ts',
    right: 'const crashesThatFail = 3',
    wrong: 'const crashesThatFail = 30',
  },
  {
    what: 'a run ends before its last task',
    file: 'src/engine/task-ended.ts',
    right: 'run.sealed && openTasks(run) === 0',
    wrong: 'run.sealed && openTasks(run) <= 1',
  },
  {
    what: 'what was stored without an answer is taken for lost',
    file: 'src/engine/commit.ts',
    right: "error.code === 'outcome_unknown' && asked.has(turn)",
    wrong: "error.code === 'run_exists' && asked.has(turn)",
  },
  {
    what: 'after a release the number of the attempt is used again',
    file: 'src/lifecycles/lease.ts',
    right: 'attempt: ({ context }) => context.attempt + 1 }',
    wrong: 'attempt: ({ context }) => context.attempt + (context.crashes > 0 ? 0 : 1) }',
  },
]
