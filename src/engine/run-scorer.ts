import { ownCopy } from '../protocol/own-copy.ts'
import type { EffectInput, Scorer, Verdict } from '../ports/scorer.ts'
import type { FleetScorerSpec, FleetTaskSpec } from '../protocol/task.ts'
import { verdictReached } from './commands/report.ts'
import type { Core } from './core.ts'
import type { Defaults } from './defaults.ts'
import { nothing } from './entry.ts'
import { keepEvidence } from './evidence.ts'
import { previousReceipts } from './receipts.ts'
import { redactVerdict } from './redacted-report.ts'
import type { RunState, TaskState } from './state.ts'

/** The limit that bounds each kind of scorer (VE1). */
const limits: { readonly [Kind in FleetScorerSpec['kind']]: 'scorerTimeoutMs' | 'commandScorerTimeoutMs' } = {
  exit_code: 'scorerTimeoutMs',
  file_exists: 'scorerTimeoutMs',
  regex_match: 'scorerTimeoutMs',
  json_path: 'scorerTimeoutMs',
  command: 'commandScorerTimeoutMs',
  code_whale_verifier_prompt: 'scorerTimeoutMs',
  manual: 'scorerTimeoutMs',
} satisfies { readonly [Kind in FleetScorerSpec['kind']]: keyof Defaults }

/**
 * Asks the scorer of a task in `verifying`, within its time, and reports the verdict (VE1). `gone` aborts when the fleet closes, which leaves the
 * task in `verifying` for the next owner to score again (CO5), or when its attempt ended otherwise: then nobody asks any more.
 */
export async function runScorer(core: Core, run: RunState, task: TaskState, gone: AbortSignal): Promise<void> {
  const { attempt } = task
  const spec = task.spec.scorer
  if (spec === undefined) return
  const gathered = await inputOf(core, run, task, spec).catch((error: unknown) => ({
    problems: [`The scorer could not be prepared: ${String(error)}`],
  }))
  if (gone.aborted) return
  const found = 'problems' in gathered ? broken(gathered.problems.join('\n')) : await verdictOf(core, gathered, gone)
  if (gone.aborted) return
  const verdict = redactVerdict(core, found)
  const kept = await keepEvidence(core.store.blobs, run.header.id, verdict.evidence)
  core.turns.report((context) => {
    const current = core.state.runs.get(run.header.id)
    const now = current?.tasks.get(task.id)
    if (current === undefined || now?.status !== 'verifying' || now.attempt !== attempt) return nothing()
    return verdictReached(context, current, now, verdict, kept)
  })
}

async function inputOf(
  core: Core,
  run: RunState,
  task: TaskState,
  scorer: FleetScorerSpec,
): Promise<EffectInput | { readonly problems: readonly string[] }> {
  const { id, workspace } = run.header
  const { attempt, pending, spec, artifacts } = task
  const prepared = await core.workspaces.prepare(withoutInputs(spec), workspace)
  if ('problems' in prepared) return prepared
  const { root, environment } = prepared
  const previous = await previousReceipts(core.store, run, task)
  return {
    scorer,
    root: pending?.evidenceRoot ?? root,
    exitCode: pending?.exitCode ?? undefined,
    attempt: {
      key: { run_id: id, task_id: task.id, attempt },
      worker: task.worker ?? '',
      // A verifier is code of the application.
      task: ownCopy(spec),
      folder: core.folderOf(id, task.id, attempt),
      environment,
      confined: pending?.confined,
      output: ownCopy(pending?.output ?? undefined),
      artifacts: ownCopy(artifacts),
      previous,
    },
  }
}

/** What the work needed to begin, it may have used up. */
function withoutInputs(task: FleetTaskSpec): FleetTaskSpec {
  if (task.workspace === undefined && task.input_files.length === 0) return task
  return { ...task, input_files: [], ...(task.workspace && { workspace: { ...task.workspace, required_files: [] } }) }
}

async function verdictOf(core: Core, input: EffectInput, gone: AbortSignal): Promise<Verdict> {
  const limitMs = core.defaults[limits[input.scorer.kind]]
  const limit = new AbortController()
  const disarm = core.deadlines.after(limitMs, () => limit.abort())
  const signal = AbortSignal.any([limit.signal, gone])
  const late = `The scorer took longer than ${limitMs / 1000} s.`
  // The table pairs each kind with the scorer of its own spec.
  const scorer = core.scorers[input.scorer.kind] as Scorer
  try {
    if (!scorer.effect) return scorer.score(input)
    const scored = scorer.score(input, { signal })
    if (scorer.endsByItself !== true) return await Promise.race([scored, aborted(signal).then(() => broken(late))])
    const verdict = await scored
    return limit.signal.aborted ? broken(`${late}\n${verdict.evidence}`) : verdict
  } catch (error) {
    return broken(limit.signal.aborted ? late : `The scorer failed: ${String(error)}`)
  } finally {
    disarm()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The check itself could not be made (RE7). */
function broken(evidence: string): Verdict {
  return { result: 'fail', failureKind: 'verifier', score: { value: 0, max: 1 }, evidence }
}
