import type { FleetSecretRef } from '../protocol/security.ts'

/** The source of values that stood in a policy itself: the fleet keeps them apart from its journal. */
export const keptSource = 'kept'

const sources: ReadonlySet<string> = new Set(['env', 'keyring', 'file', keptSource])

/** Reads the printed form of a secret's name, `<secret:KEY>` or `<secret:env.KEY>`; undefined for any other text. */
export function parseSecretText(text: string): FleetSecretRef | undefined {
  const [, source, rest] = /^<secret:(?:([^.<>\s]+)\.)?([^<>\s]+)>$/.exec(text.trim()) ?? []
  if (rest === undefined) return undefined
  if (source === undefined) return { key: rest }
  return sources.has(source) ? { key: rest, source } : { key: `${source}.${rest}` }
}
