const cover = '[redacted]'

/** Names that announce a secret, with any separator between their words. */
const secretName =
  '(?:api[-_]?key|access[-_]?key|private[-_]?key|client[-_]?secret|auth[-_]?token|secret|token|password|passwd|authorization)'

/** Shapes of text that are likely a credential, whoever wrote it. */
const shapes: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${cover}`],
  [
    new RegExp(`((?:["']?)\\b[A-Za-z0-9_-]*${secretName}["']?\\s*[:=]\\s*)(?:"[^"]*"|'[^']*'|(?!\\[redacted\\])[^\\s,;]+)`, 'gi'),
    `$1${cover}`,
  ],
  [/\b(?:sk|pk)[-_][A-Za-z0-9_-]{8,}/g, cover],
  [/\bgh[opsur]_[A-Za-z0-9]{8,}/g, cover],
  [/\bxox[abprs]-[A-Za-z0-9-]{8,}/g, cover],
  [/\bAKIA[A-Z0-9]{12,}/g, cover],
  [/(:\/\/)[^/\s:@]+:[^/\s@]+@/g, `$1${cover}@`],
]

/**
 * Covers what looks like a credential: bearer tokens, assignments to names that announce a secret, well-known prefixes of tokens, users
 * with passwords in URLs. It knows shapes, not values: a secret of no known shape stays (SE5).
 */
export function redactShapes(text: string): string {
  return shapes.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text)
}
