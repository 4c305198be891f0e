import type { CheckEnd, CheckRunner } from '../ports/check-runner.ts'
import type { EffectInput, Scorer, Verdict } from '../ports/scorer.ts'
import type { Json } from '../protocol/json.ts'
import { fail, pass, scored } from './verdict.ts'

type CommandSpec = { readonly kind: 'command'; readonly command: string; readonly args: readonly string[] }

/**
 * Runs a program on the task's host (VE3): exit code 0 passes, another one is the work's own failure; one that cannot be run, or is killed, is a check
 * that could not be made. The last line of its standard output that is a JSON object with `value` gives the score.
 */
export function commandScorer(parts: {
  readonly checks: Pick<CheckRunner, 'run'>
  readonly storeId: string
}): Scorer<CommandSpec> {
  const { checks, storeId } = parts
  return {
    effect: true,
    endsByItself: true,
    async score(input, { signal }) {
      const { scorer, root, attempt } = input
      const { key, worker, folder, environment, confined } = attempt
      const { command: program, args } = scorer
      const writablePaths = attempt.task.workspace?.writable_paths ?? []
      const place = { root, folder, environment, confined, writablePaths }
      const end = await checks.run({ key, worker, storeId, program, args, ...place, input: toldOf(input) }, { signal })
      return verdictOn(program, end)
    },
  }
}

function verdictOn(program: string, end: CheckEnd): Verdict {
  const written = end.output === '' ? '' : `\n${end.output.trimEnd()}`
  if ('problem' in end) return fail('verifier', `${end.problem}${written}`)
  const { exitCode, score } = end
  const evidence = `${program} ended with exit code ${exitCode}.${written}`
  return scored(exitCode === 0 ? pass(evidence) : fail('task', evidence), score)
}

/** What the program finds in its input file: plain data. */
function toldOf({ attempt, exitCode }: EffectInput): Json {
  const { key, task, output, artifacts, previous } = attempt
  return { ...key, task, output, exit_code: exitCode, artifacts, previous } as unknown as Json
}
