import type { EnginePorts } from '../engine/core.ts'
import type { AlertSink, AlertSinks } from '../ports/alert-sink.ts'
import type { Collector } from '../ports/collector.ts'
import type { EffectInput, Scorer, Scorers, Verdict } from '../ports/scorer.ts'
import type { Secrets, SecretsOutcome } from '../ports/secrets.ts'
import type { WorkspaceOutcome } from '../ports/workspaces.ts'
import { attemptId } from '../protocol/attempt-key.ts'
import { formatSecretRef } from '../protocol/security.ts'
import type { Seam } from './seam.ts'

type Work = Pick<EnginePorts, 'scorers' | 'collector' | 'workspaces' | 'secrets' | 'alertSinks'>

/** What attempts need and leave, as it passes a seam. */
export function seamedWork(seam: Seam, { scorers, collector, workspaces, secrets, alertSinks }: Work): Work {
  return {
    scorers: seamedScorers(seam, scorers),
    collector: seamedCollector(seam, collector),
    secrets: seamedSecrets(seam, secrets),
    alertSinks: seamedAlerts(seam, alertSinks),
    workspaces: {
      prepare: (task, base) =>
        seam.takeOrAsk(`workspace ${task.id} ${base}`, () => workspaces.prepare(task, base), { shown: withoutValues }),
    },
  }
}

/** The values of an environment are not for keeping. */
function withoutValues(outcome: WorkspaceOutcome): WorkspaceOutcome {
  if ('problems' in outcome) return outcome
  return { root: outcome.root, environment: Object.fromEntries(Object.keys(outcome.environment).map((name) => [name, ''])) }
}

function seamedSecrets(seam: Seam, secrets: Secrets): Secrets {
  return {
    unresolvable: (ref) => seam.take(`secret ${formatSecretRef(ref)}`, () => secrets.unresolvable(ref) ?? null) ?? undefined,
    resolve: (refs, options) =>
      seam.ask(`secrets ${refs.map(formatSecretRef).join(' ')}`, () => secrets.resolve(refs, options), { shown: withoutSecrets }),
  }
}

/** Whom an alert goes to is in its task; what it says, in the entry that orders it. */
function seamedAlerts(seam: Seam, sinks: AlertSinks): AlertSinks {
  const rows = Object.entries(sinks) as [keyof AlertSinks, AlertSink][]
  const seamed = rows.map(([kind, sink]): [keyof AlertSinks, AlertSink] => [
    kind,
    {
      resolves: sink.resolves,
      deliver: (alert, channel, options) => seam.ask(`alert ${kind} ${alert.id}`, () => sink.deliver(alert, channel, options)),
      preview: (alert, channel) => sink.preview(alert, channel),
    },
  ])
  // Each kind keeps the sink of its own channels.
  return Object.fromEntries(seamed) as AlertSinks
}

/** A secret is never kept. What stands in its place is said by nobody: wherever the secret was said, the recording has its cover. */
function withoutSecrets(outcome: SecretsOutcome): SecretsOutcome {
  if ('problems' in outcome) return outcome
  return {
    values: Object.fromEntries(Object.keys(outcome.values).map((key) => [key, `the secret ${key}, which was not recorded`])),
  }
}

/** Scorers that need nothing of the world do not pass the seam. */
function seamedScorers(seam: Seam, scorers: Scorers): Scorers {
  const rows = Object.entries(scorers) as [keyof Scorers, Scorer<never>][]
  const seamed = rows.map(([kind, scorer]) => [kind, scorer.effect ? seamedScorer(seam, scorer) : scorer] as const)
  // Each kind keeps the scorer of its own spec.
  return Object.fromEntries(seamed) as unknown as Scorers
}

function seamedScorer(seam: Seam, scorer: Extract<Scorer<never>, { effect: true }>): Scorer<never> {
  return {
    effect: true,
    ...(scorer.endsByItself !== undefined && { endsByItself: scorer.endsByItself }),
    score: (input: EffectInput<never>, options): Promise<Verdict> =>
      seam.ask(`score ${input.root} ${JSON.stringify(input.scorer)}`, () => scorer.score(input, options)),
  }
}

function seamedCollector(seam: Seam, collector: Collector): Collector {
  return {
    log: (place, text) => seam.ask(`log ${attemptId(place)}`, () => collector.log(place, text)),
    collect: (place, report) => seam.ask(`collect ${attemptId(place)} ${report.report}`, () => collector.collect(place, report)),
    finish: (place) => seam.ask(`finish ${attemptId(place)}`, () => collector.finish(place)),
  }
}
