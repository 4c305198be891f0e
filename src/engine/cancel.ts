import type { FleetWorkerEventPayload } from '../protocol/event.ts'
import { leaseStep, reported } from './decide.ts'
import type { DecideContext } from './decide.ts'
import type { Decision } from './entry.ts'
import { receiptOf, spentMs } from './receipt.ts'
import { cleared, isLeased, isWorking, lastSeqOf } from './state.ts'
import type { RunState, TaskState } from './state.ts'

/**
 * Cancels a task, live or waiting: its lease is revoked at once, and it gets a `skip` receipt (RU5). That of a waiting task is of no
 * attempt, whatever attempts it had before: each of them has a receipt of its own (VE6). What follows from its end is the caller's to
 * decide.
 */
export function* cancelTask(
  context: DecideContext,
  run: RunState,
  task: TaskState,
  cancel: { readonly by: string; readonly reason: string; readonly cause: string | null },
): Decision {
  const { now } = context
  const live = isLeased(task.status)
  const events: FleetWorkerEventPayload[] = [
    ...(live ? [{ state: 'interrupted' as const, signal: cancel.reason }] : []),
    { state: 'cancelled', cancelled_by: cancel.by },
  ]
  const reporter = live ? task.worker : null
  const said = reported(task, reporter, events)
  yield {
    on: run.header.id,
    kind: 'task.stepped',
    task: task.id,
    ...(live && { attempt: task.attempt }),
    set: {
      ...leaseStep(task, { type: 'cancel' }),
      endedAt: now,
      ...(live && { spentMs: spentMs(task, now) }),
      ...cleared(
        task,
        'timeoutAt',
        'timeoutMs',
        'notBefore',
        'notBeforeMs',
        'process',
        'pending',
        'overBudget',
        'permissions',
        'route',
      ),
      cause: cancel.cause ?? cancel.reason,
    },
    ...said,
    receipt: receiptOf(task, {
      reported: said,
      result: 'skip',
      at: now,
      terminalSeq: lastSeqOf(task, reporter) + events.length,
      evidence: cancel.reason,
      hadWorker: live,
    }),
    ...(isWorking(task.status) && { effects: ['worker.stop'] }),
  }
}
