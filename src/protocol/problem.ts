import { FleetError } from './errors.ts'
import { allAtOnce, type Steps } from './steps.ts'

/** Where in a document: keys and indexes, outermost first. */
export type DocumentPath = readonly (string | number)[]

/** One thing that is wrong with a document (WI6). */
export interface DocumentProblem {
  readonly path: DocumentPath
  /** What the contract wants there, as a phrase: `an integer from 0 to 4294967295`. */
  readonly expected: string
  /** What is there, as a phrase: `-1`, `nothing`, `a list`. */
  readonly got: string
}

/** A problem as it stands in `details.problems` of an `invalid_document` error: the path as text, empty for the whole document. */
export interface ReportedProblem {
  readonly path: string
  readonly expected: string
  readonly got: string
}

/**
 * The one error for everything that is wrong with a document: a line per problem, `path: expected …, got …` (WI6). `subject` stands
 * where a path would be empty. `details.problems` holds the same as data.
 */
export function invalidDocument(subject: string, problems: readonly DocumentProblem[]): FleetError {
  return allAtOnce(reportingInvalid(subject, problems))
}

/** As `invalidDocument`, in steps: there may be as many problems as tasks. */
export function* reportingInvalid(subject: string, problems: readonly DocumentProblem[]): Steps<FleetError> {
  const reported: ReportedProblem[] = []
  const lines: string[] = []
  for (const { path, expected, got } of problems) {
    const place = formatPath(path)
    reported.push({ path: place, expected, got })
    lines.push(`${place === '' ? subject : place}: expected ${expected}, got ${got}`)
    yield
  }
  return new FleetError('invalid_document', lines.join('\n'), { details: { problems: reported } })
}

/** A path as text: `tasks[3].retry_policy.max_attempts`, `metadata["a b"]`. */
export function formatPath(path: DocumentPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(part)) text += `[${quote(part)}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}

/** What was found, in few words. Text at a path that may hold a secret is counted, not shown (SE5). */
export function describeFound(value: unknown, path: DocumentPath): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'string') return isPrivate(path) ? describeHidden(value) : quote(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Text that is not to be shown. */
export function describeHidden(text: string): string {
  return `a text of ${text.length} characters`
}

/** Text in double quotes on one printable line, cut after 80 characters. */
export function quote(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  return JSON.stringify(shown).replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const privateFields: ReadonlySet<string | number> = new Set([
  'url',
  'webhook_url',
  'endpoint_url',
  'url_ref',
  'webhook_url_ref',
  'webhook_ref',
  'url_secret_ref',
  'secret_ref',
  'secret',
  'webhook_secret',
  'signing_secret',
  'routing_key',
  'token_ref',
  'key_ref',
  'key',
  'allowed_secrets',
])

function isPrivate(path: DocumentPath): boolean {
  return path.slice(-2).some((part) => privateFields.has(part))
}
