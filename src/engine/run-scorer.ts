import type { ScorerInput, Verdict } from '../ports/scorer.ts'
import { verdictReached } from './commands/report.ts'
import type { Core } from './core.ts'
import type { Decision } from './entry.ts'
import { keepEvidence } from './evidence.ts'
import { redactVerdict } from './redacted-report.ts'
import type { RunState, TaskState } from './state.ts'

/** Asks the scorer of a task in `verifying`, within its time, and reports the verdict (VE1). */
export async function runScorer(core: Core, run: RunState, task: TaskState, closing: AbortSignal): Promise<void> {
  const { attempt } = task
  if (task.spec.scorer === undefined) return
  const prepared = await core.workspaces.prepare(task.spec, run.header.workspace)
  const root = 'root' in prepared ? prepared.root : run.header.workspace
  const limit = new AbortController()
  const signal = AbortSignal.any([limit.signal, closing])
  const disarm = core.deadlines.after(core.defaults.scorerTimeoutMs, () => limit.abort())
  const found = await verdictOf(core, { scorer: task.spec.scorer, root, exitCode: task.pending?.exitCode ?? undefined }, signal)
  disarm()
  // A closing fleet leaves the task in `verifying`; the next owner scores it again (CO5).
  if (closing.aborted) return
  const verdict = redactVerdict(core, found)
  const kept = await keepEvidence(core.store.blobs, run.header.id, verdict.evidence)
  core.turns.report(function* (context): Decision {
    const current = core.state.runs.get(run.header.id)
    const now = current?.tasks.get(task.id)
    if (current === undefined || now?.status !== 'verifying' || now.attempt !== attempt) return
    yield* verdictReached(context, current, now, verdict, kept)
  })
}

async function verdictOf(core: Core, input: ScorerInput, signal: AbortSignal): Promise<Verdict> {
  const scorer = core.scorers[input.scorer.kind]
  if (scorer === undefined) return broken(`No scorer of kind ${input.scorer.kind} is registered.`)
  // The table pairs each kind with the scorer of its own spec.
  const score = scorer.score as (input: ScorerInput, options: { signal: AbortSignal }) => Verdict | Promise<Verdict>
  const timedOut = new Promise<Verdict>((resolve) => {
    const late = (): void => resolve(broken(`The scorer took longer than ${core.defaults.scorerTimeoutMs / 1000} s.`))
    signal.addEventListener('abort', late, { once: true })
  })
  try {
    return await Promise.race([score(input, { signal }), timedOut])
  } catch (error) {
    return broken(`The scorer failed: ${String(error)}`)
  }
}

/** The check itself could not be made (RE7). */
function broken(evidence: string): Verdict {
  return { result: 'fail', failureKind: 'verifier', score: { value: 0, max: 1 }, evidence }
}
