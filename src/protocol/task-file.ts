import { isRecord } from './field.ts'
import { invalidDocument, type DocumentPath } from './problem.ts'
import { FleetRunSpec } from './run-spec.ts'
import { checkDepth, sizeLimits } from './size-limit.ts'

/** A task file as a run: the document to read, and where its parts stand in the file. */
interface Framed {
  readonly document: unknown
  place(path: DocumentPath): DocumentPath
}

/**
 * Reads the parsed content of a task file: a document with `tasks`, a list of tasks, or one bare task. A missing or empty name takes
 * `stem`, the name of the file without its ending. Throws `invalid_document` with every problem, each with its path in the file (WI6),
 * and `too_large` for more than 64 levels (WI7); `checkSize` is for the bytes, before they are parsed.
 */
export function parseTaskDocument(value: unknown, options: { readonly stem: string }): FleetRunSpec {
  checkDepth(value, sizeLimits.taskFile)
  const { document, place } = frame(value, options.stem.trim() === '' ? 'fleet-run' : options.stem)
  const reading = FleetRunSpec.read(document)
  if (reading.ok) return reading.value
  throw invalidDocument(
    'the document',
    reading.problems.map((problem) => ({ ...problem, path: place(problem.path) })),
  )
}

function frame(value: unknown, stem: string): Framed {
  if (Array.isArray(value)) return { document: { name: stem, tasks: value }, place: (path) => without(path, 1) }
  if (!isRecord(value)) return { document: value, place: (path) => path }
  if (isBareTask(value)) return { document: { name: stem, tasks: [value] }, place: (path) => without(path, 2) }
  const name = value['name'] ?? ''
  return { document: name === '' ? { ...value, name: stem } : value, place: (path) => path }
}

function isBareTask(value: Readonly<Record<string, unknown>>): boolean {
  const has = (key: string) => Object.hasOwn(value, key)
  return !has('tasks') && !has('open') && (has('instructions') || has('id'))
}

/** The path of a part of `tasks`, without the frame that was put around it; the name of the frame is the file's own. */
function without(path: DocumentPath, framing: number): DocumentPath {
  return path[0] === 'tasks' ? path.slice(framing) : path
}
