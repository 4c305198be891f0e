import type { Files } from '../ports/files.ts'
import type { Scorers } from '../ports/scorer.ts'
import { exitCodeScorer } from './exit-code.ts'
import { fileExistsScorer } from './file-exists.ts'
import { jsonPathScorer } from './json-path.ts'
import { manualScorer } from './manual.ts'
import { regexMatchScorer } from './regex-match.ts'

/** The scorers that need nothing but files (VE2, VE5). Kinds that are not among them are refused at creation. */
export function createScorers({ files }: { readonly files: Files }): Scorers {
  return {
    exit_code: exitCodeScorer,
    file_exists: fileExistsScorer(files),
    regex_match: regexMatchScorer(files),
    json_path: jsonPathScorer(files),
    manual: manualScorer,
  }
}
