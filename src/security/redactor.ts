import type { Json } from '../protocol/json.ts'
import { formatSecretRef } from '../protocol/security.ts'
import { createByteAutomaton } from './byte-automaton.ts'
import { redactJson } from './redact-json.ts'
import { safeCover } from './secret-cover.ts'
import { textsOf, writings } from './secret-forms.ts'
import { createSecretScanner, type SecretScanner } from './secret-scanner.ts'
import { joinedBytes } from './joined-bytes.ts'

/** A secret that is in use. */
export interface KnownSecret {
  readonly key: string
  readonly value: string
}

/**
 * Puts `<secret:KEY>` in the place of secrets: their values as they are, in base64 and base64url, in hexadecimal and decimal numbers,
 * and any of these under escapes of JSON, of URLs and of HTML (SE5). It takes time in proportion to the text.
 */
export interface Redactor {
  /** The same text where nothing is found. */
  text(text: string): string
  /** As `text` for all texts of a value, names of members too; the same value where nothing is found. */
  json<Value extends Json>(value: Value): Json
  /** Redacts a text that comes in pieces. */
  stream(): RedactedStream
}

/** A text that comes in pieces. What may be the beginning of a secret is held back until more is known. */
export interface RedactedStream {
  write(bytes: Uint8Array): Uint8Array
  /** No piece follows: the rest. */
  end(): Uint8Array
  /** As `end` for whoever goes on with another redactor: what was held back, as it came. */
  giveBack(): Uint8Array
}

/** Makes a redactor of some secrets, each of them fit to be one. */
export function createRedactor(secrets: readonly KnownSecret[]): Redactor {
  const texts = secrets.flatMap(({ key, value }, secret) => textsOf(value).map((text) => ({ key, secret, bytes: encode(text) })))
  const known = writings.map(({ fold, patternsOf }) => {
    const patterns = texts.flatMap(({ secret, bytes }) => patternsOf(bytes).map((pattern) => ({ secret, pattern })))
    return { fold, patterns, automaton: createByteAutomaton(patterns.map(({ pattern }) => pattern)) }
  })
  const scan = (found: (span: Span) => void): SecretScanner =>
    createSecretScanner(
      known.map(({ fold, patterns, automaton }) => ({
        fold,
        automaton,
        found: (start, end, pattern) => found({ start, end, secret: patterns[pattern]?.secret ?? 0 }),
      })),
    )
  let spans: Span[] = []
  const scanner = scan((span) => spans.push(span))
  const holdsSecret = (bytes: Uint8Array): boolean => {
    spans = []
    scanner.forget()
    for (let at = 0; at < bytes.length; at++) scanner.take(bytes[at] ?? 0, at)
    scanner.end()
    return spans.length > 0
  }
  const covers = secrets.map(({ key }) =>
    encode(safeCover(formatSecretRef({ key }), { holdsSecret: (cover) => holdsSecret(encode(cover)), values: texts })),
  )

  const text = (given: string): string => {
    const bytes = encode(given)
    if (!holdsSecret(bytes)) return given
    const piece = createCovering(covers)
    return decode(piece.cover(bytes, spans, bytes.length))
  }
  return {
    text,
    json: (value) => redactJson(value, text),
    stream: () => createStream(scan, covers),
  }
}

/** Where a secret stands in a text. */
interface Span {
  readonly start: number
  readonly end: number
  readonly secret: number
}

function createStream(scan: (found: (span: Span) => void) => SecretScanner, covers: readonly Uint8Array[]): RedactedStream {
  let spans: Span[] = []
  const scanner = scan((span) => spans.push(span))
  const covering = createCovering(covers)
  let held: Uint8Array = new Uint8Array()
  /** Where in the whole text `held` ends. */
  let length = 0

  const release = (upTo: number): Uint8Array => {
    const base = length - held.length
    const released = covering.cover(held, spans, upTo - base, base)
    spans = spans.filter(({ start }) => start >= upTo)
    held = held.slice(upTo - base)
    return released
  }

  return {
    write(bytes) {
      for (let at = 0; at < bytes.length; at++) scanner.take(bytes[at] ?? 0, length + at)
      length += bytes.length
      held = joinedBytes([held, bytes])
      return release(Math.min(length, scanner.openFrom()))
    },
    end() {
      scanner.end()
      return release(length)
    },
    giveBack: () => held.subarray(covering.coveredTo(length - held.length)),
  }
}

interface Covering {
  /** A piece of the text up to a length of it, with the spans that begin there covered. `base`: where in the text the piece begins. */
  cover(piece: Uint8Array, spans: readonly Span[], upTo: number, base?: number): Uint8Array
  /** How much of the beginning of a piece is covered already. */
  coveredTo(base: number): number
}

/** Spans that overlap become one, under the cover of the first; a span may reach into the next piece. */
function createCovering(covers: readonly Uint8Array[]): Covering {
  let covered = 0
  return {
    cover(piece, spans, upTo, base = 0) {
      const parts: Uint8Array[] = []
      let at = base
      const keepTo = (to: number): void => {
        const from = Math.max(at, covered)
        if (to > from) parts.push(piece.subarray(from - base, to - base))
        at = Math.max(at, to)
      }
      const inOrder = spans
        .filter(({ start }) => start < base + upTo)
        .toSorted((one, other) => one.start - other.start || other.end - one.end)
      for (const { start, end, secret } of inOrder) {
        if (start >= covered) {
          keepTo(start)
          parts.push(covers[secret] ?? new Uint8Array())
        }
        covered = Math.max(covered, end)
      }
      keepTo(base + upTo)
      return joinedBytes(parts)
    },
    coveredTo: (base) => Math.max(0, covered - base),
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
