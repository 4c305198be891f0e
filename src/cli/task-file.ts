import { createReadStream } from 'node:fs'
import { basename, extname } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { checkSize, FleetError, parseTaskDocument, sizeLimits } from '../protocol/index.ts'
import type { FleetRunSpec } from '../protocol/index.ts'
import { findJsonProblem } from './json-syntax.ts'

const limits = sizeLimits.taskFile

/**
 * Reads a task file, TOML by its ending, else JSON. Throws `unreadable_file`, `too_large`, or `invalid_document` with everything that is
 * wrong; each names the file, and a syntax error its line and column (WI6).
 */
export async function readTaskFile(path: string): Promise<FleetRunSpec> {
  const isToml = extname(path).toLowerCase() === '.toml'
  const bytes = await readBounded(path)
  return naming(path, () => {
    // Brackets mean other things in TOML, so its depth is counted once it is parsed.
    checkSize(bytes, isToml ? { ...limits, maxDepth: Infinity } : limits)
    const text = decode(path, bytes)
    return parseTaskDocument(isToml ? tomlValue(path, text) : jsonValue(path, text), { stem: stemOf(path) })
  })
}

async function readBounded(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
      chunks.push(chunk)
      length += chunk.length
      // One byte over is enough to refuse it, however long it goes on.
      if (length > limits.maxBytes) break
    }
  } catch (error) {
    throw new FleetError('unreadable_file', `${path}: ${reasonOf(error)}`, { details: { path }, cause: error })
  }
  return Buffer.concat(chunks)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file. Check the path.',
  EISDIR: 'this is a folder. Name a file in it.',
  EACCES: 'it may not be read. Check its permissions.',
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return reasons[code ?? ''] ?? `it cannot be read: ${message}.`
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new FleetError('invalid_document', `${path}: expected UTF-8 text, got other bytes. Save it as UTF-8.`, {
      details: { path },
    })
  }
}

function jsonValue(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const problem = findJsonProblem(text)
    if (problem === undefined) throw cause
    throw syntaxError(path, { ...problem, message: `expected ${problem.expected}, got ${problem.found}` })
  }
}

function tomlValue(path: string, text: string): unknown {
  try {
    return withoutDates(parseToml(text, { maxDepth: limits.maxDepth + 1 }))
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const [first = ''] = cause.message.replace(/^Invalid TOML document: /, '').split('\n')
    throw syntaxError(path, { line: cause.line, column: cause.column, message: first })
  }
}

/** TOML's dates become text, as they would stand in JSON. What is deeper than the limit is left alone: it is refused as it is. */
function withoutDates(value: unknown, depth = 0): unknown {
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || value === null || depth > limits.maxDepth) return value
  if (Array.isArray(value)) return value.map((member) => withoutDates(member, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutDates(member, depth + 1)]))
}

function syntaxError(path: string, at: { readonly line: number; readonly column: number; readonly message: string }): FleetError {
  const { line, column, message } = at
  return new FleetError('invalid_document', `${path}:${line}:${column}: ${message}.`, { details: { path, line, column } })
}

/** The name of a task file without its ending, as a name that a run may have. */
function stemOf(path: string): string {
  return basename(path, extname(path))
    .replace(/\p{Cc}/gu, '')
    .slice(0, 60)
}

/** Calls, and names the file in what is thrown. */
export function naming<Value>(path: string, call: () => Value): Value {
  try {
    return call()
  } catch (error) {
    throw named(path, error)
  }
}

/** The error with the file named, on a line of its own before a list. */
function named(path: string, error: unknown): unknown {
  if (!FleetError.is(error) || error.message.startsWith(`${path}:`)) return error
  const { problems } = error.details
  const message =
    error.code === 'invalid_document' && Array.isArray(problems)
      ? `${path}:\n${indented(error.message)}`
      : `${path}: ${error.message}`
  return new FleetError(error.code, message, { details: { path, ...error.details }, cause: error })
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}
