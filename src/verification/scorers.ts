import type { CheckRunner } from '../ports/check-runner.ts'
import type { Files } from '../ports/files.ts'
import type { Scorers } from '../ports/scorer.ts'
import type { Verifier } from '../ports/verifier.ts'
import { commandScorer } from './command.ts'
import { exitCodeScorer } from './exit-code.ts'
import { fileExistsScorer } from './file-exists.ts'
import { jsonPathScorer } from './json-path.ts'
import { manualScorer } from './manual.ts'
import { regexMatchScorer } from './regex-match.ts'
import { verifierPromptScorer } from './verifier-prompt.ts'

/** What the scorers stand on. */
export interface ScorerParts {
  readonly files: Files
  readonly checks: Pick<CheckRunner, 'run'>
  readonly storeId: string
  /** The application's own; undefined: a person decides (VE4). */
  readonly verifier: Verifier | undefined
}

/** One scorer of each kind (VE2–VE5). */
export function createScorers({ files, checks, storeId, verifier }: ScorerParts): Scorers {
  return {
    exit_code: exitCodeScorer,
    file_exists: fileExistsScorer(files),
    regex_match: regexMatchScorer(files),
    json_path: jsonPathScorer(files),
    command: commandScorer({ checks, storeId }),
    code_whale_verifier_prompt: verifierPromptScorer(verifier),
    manual: manualScorer,
  }
}
