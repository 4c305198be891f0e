import type { Files } from '../ports/files.ts'
import type { Scorer, Verdict } from '../ports/scorer.ts'
import { readEvidence } from './evidence-file.ts'
import { loadQueries } from './json-queries.ts'
import { fail, pass } from './verdict.ts'

/**
 * An RFC 9535 query over a JSON file passes when it finds a value that is neither null nor false (VE2). A query that begins with a
 * dot is read as if it began with `$`. A query that cannot be understood is told before the file is looked for.
 */
export function jsonPathScorer(
  files: Files,
): Scorer<{ readonly kind: 'json_path'; readonly path: string; readonly expression: string }> {
  return {
    effect: true,
    async score({ scorer, root }) {
      const { path, expression } = scorer
      const compile = await loadQueries()
      const query = compile(expression.startsWith('.') ? `$${expression}` : expression)
      if ('problem' in query) return fail('verifier', `The expression ${expression} cannot be used: ${query.problem}`)
      const evidence = await readEvidence(files, root, path)
      if ('verdict' in evidence) return evidence.verdict
      const document = parseJson(evidence.text)
      if ('problem' in document) return fail('task', `${path} is no JSON: ${document.problem}`)
      return judge(query.find, document.json, scorer)
    },
  }
}

function judge(
  find: (document: unknown) => Iterable<unknown>,
  document: unknown,
  { path, expression }: { readonly path: string; readonly expression: string },
): Verdict {
  try {
    let found = 0
    for (const value of find(document)) {
      found += 1
      if (value !== null && value !== false) return pass(`${expression} finds ${excerpt(value)} in ${path}.`)
    }
    return fail(
      'task',
      found === 0 ? `${expression} finds nothing in ${path}.` : `${expression} finds only null or false in ${path}.`,
    )
  } catch (error) {
    return fail('verifier', `The expression ${expression} cannot be used on ${path}: ${messageOf(error)}`)
  }
}

function parseJson(text: string): { readonly json: unknown } | { readonly problem: string } {
  try {
    return { json: JSON.parse(text) }
  } catch (error) {
    return { problem: messageOf(error) }
  }
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
