import type { FilterFunction, JSONValue } from 'json-p3'
import { type LinearPattern, loadCompiler } from './linear-regex.ts'

/** Finds values in documents; throws when a document is nested too deep, or a pattern in the query cannot be used. */
export interface JsonQuery {
  find(document: unknown): Iterable<unknown>
}

/** A query walks documents by recursion; those that are nested deeper are refused. */
const deepest = 500
/** A pattern may come from the document, so there may be many of them. */
const keptPatterns = 100

/** Makes what compiles RFC 9535 queries; the libraries are loaded here. */
export async function loadQueries(): Promise<(expression: string) => JsonQuery | { readonly problem: string }> {
  const [{ JSONPathEnvironment }, compilePattern] = await Promise.all([import('json-p3'), loadCompiler()])
  return (expression) => {
    const environment = new JSONPathEnvironment({ maxRecursionDepth: deepest })
    // The library's own `match` and `search` run native patterns, which a document could make run for ever.
    const patternOf = patternCache(compilePattern)
    replaceFunction(environment.functionRegister, 'match', (text, pattern) => patternOf(pattern).isAllOf(text))
    replaceFunction(environment.functionRegister, 'search', (text, pattern) => patternOf(pattern).isIn(text))
    try {
      const query = environment.compile(expression)
      return { find: (document) => valuesOf(query.lazyQuery(document as JSONValue)) }
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) }
    }
  }
}

/** As RFC 9535 has it, a test of what is no text is false. */
function replaceFunction(
  register: Map<string, FilterFunction>,
  name: string,
  test: (text: string, pattern: string) => boolean,
): void {
  const standard = register.get(name)
  if (standard === undefined)
    throw new Error(`The JSONPath library has no function ${name} any more, so its patterns cannot be made safe.`)
  register.set(name, {
    argTypes: standard.argTypes,
    returnType: standard.returnType,
    call: (text, pattern) => typeof text === 'string' && typeof pattern === 'string' && test(text, pattern),
  })
}

function patternCache(
  compile: (pattern: string) => LinearPattern | { readonly problem: string },
): (pattern: string) => LinearPattern {
  const known = new Map<string, LinearPattern>()
  return (pattern) => {
    const kept = known.get(pattern)
    if (kept !== undefined) return kept
    const compiled = compile(pattern)
    if ('problem' in compiled) throw new Error(`the pattern ${JSON.stringify(pattern)} cannot be used: ${compiled.problem}`)
    if (known.size >= keptPatterns) known.clear()
    known.set(pattern, compiled)
    return compiled
  }
}

function* valuesOf(nodes: Iterable<{ readonly value: unknown }>): Iterable<unknown> {
  for (const node of nodes) yield node.value
}
