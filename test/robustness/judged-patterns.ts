import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { diskFiles } from '../../src/host/files.ts'
import { scoredAttempt, scorersOf } from '../support/scored-attempt.ts'
import { scratch } from '../fixtures/scratch.ts'
import { evilPatterns, evilTexts } from './evil-patterns.ts'
import { workingTime } from './working-time.ts'

/** What became of a pattern. */
export interface JudgedPattern {
  readonly pattern: string
  readonly usable: boolean
  /** `pass`, or the kind of failure. */
  readonly verdicts: readonly string[]
  /** The longest that one of the texts took, in milliseconds of work. */
  readonly slowest: number
}

/** Has the scorer judge texts of a length by every evil pattern. */
export async function judgeEvilPatterns(length: number): Promise<readonly JudgedPattern[]> {
  const texts = evilTexts(length)
  await using folder = await scratch()
  for (const [index, text] of texts.entries()) await writeFile(join(folder.path, `${index}.txt`), text)
  const scorer = scorersOf({ files: diskFiles() }).regex_match
  if (scorer?.effect !== true) throw new Error('There is no such scorer.')
  const judged: JudgedPattern[] = []
  for (const [pattern, usable] of evilPatterns) {
    const verdicts: string[] = []
    let slowest = 0
    for (const index of texts.keys()) {
      const from = workingTime()
      const verdict = await scorer.score(
        { scorer: { kind: 'regex_match', path: `${index}.txt`, pattern }, root: folder.path, attempt: scoredAttempt() },
        { signal: new AbortController().signal },
      )
      slowest = Math.max(slowest, workingTime() - from)
      verdicts.push(verdict.failureKind ?? verdict.result)
    }
    judged.push({ pattern, usable, verdicts, slowest })
  }
  return judged
}
