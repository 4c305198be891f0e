import type { FleetAlertEventClass } from '../protocol/alert.ts'
import type { Alert } from '../ports/alert-sink.ts'

const sentences: { readonly [Class in FleetAlertEventClass]: (alert: Alert) => string } = {
  stale: ({ task, attempt }) => `Nothing is heard of attempt ${attempt} of ${task.name}.`,
  restart_exhausted: ({ task, attempt }) => `${task.name} failed for good with attempt ${attempt}.`,
  needs_human: ({ task }) => `${task.name} awaits a person’s verdict.`,
  budget_exceeded: ({ task }) => `The budget of ${task.name}, or of its run, is spent.`,
  verifier_failed: ({ task, attempt }) => `The result of attempt ${attempt} of ${task.name} could not be checked.`,
  run_completed: ({ run }) => `${run.name} completed.`,
}

/** What an alert says, in one sentence. */
export function sentenceOf(alert: Alert): string {
  return sentences[alert.class](alert)
}

/** How to look closer, from the command line. */
export function commandsOf({ run, task }: Alert): readonly string[] {
  return [`flotilla status ${run.id}`, `flotilla inspect ${run.id} ${task.id}`]
}

/** An alert as JSON, for receivers that are programs. */
export function bodyOf(alert: Alert): Readonly<Record<string, unknown>> {
  const { run, task, attempt, worker, reason } = alert
  return {
    type: `flotilla.alert.${alert.class}`,
    timestamp: new Date(alert.raisedAt).toISOString(),
    data: {
      alert_id: alert.id,
      class: alert.class,
      run_id: run.id,
      run_name: run.name,
      task_id: task.id,
      task_name: task.name,
      attempt,
      ...(worker !== undefined && { worker_id: worker }),
      ...(reason !== undefined && { reason }),
      summary: sentenceOf(alert),
      commands: commandsOf(alert),
    },
  }
}
