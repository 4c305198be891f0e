import type { Enforcement } from '../ports/transport.ts'

/** Nothing is kept from workers that nothing confines. */
export function unconfined(because: string): Enforcement {
  return { network: false, fileWrites: false, environment: false, processes: false, because }
}

/** What was looked for confines everything, or is missing and confines nothing (SE2). */
export function enforcementOf(probed: { readonly host: unknown } | { readonly missing: string }): Enforcement {
  return 'missing' in probed
    ? unconfined(probed.missing)
    : { network: true, fileWrites: true, environment: true, processes: true }
}
