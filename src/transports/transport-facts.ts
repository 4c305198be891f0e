import type { Enforcement, Transport } from '../ports/transport.ts'

/** What is known of a way to workers before the first of them comes up. */
export type TransportFacts = Omit<Transport, 'open' | 'reap' | 'checks'>

/** Workers that run the commands of tasks, and nothing else. */
export function commandFacts<Kind extends string>(kind: Kind) {
  return {
    kind,
    heartbeats: 'fleet',
    startsAtOnce: false,
    survives: false,
    serves: { handlers: [], commands: true, plain: false },
  } as const satisfies Omit<TransportFacts, 'enforces'>
}

/** Workers that are programs which speak the worker protocol. */
export function programFacts(kind: string, { handlers = [], plain = false }: Partial<Omit<Transport['serves'], 'commands'>>) {
  return {
    kind,
    heartbeats: 'worker',
    startsAtOnce: false,
    survives: false,
    serves: { handlers, plain, commands: false },
  } as const satisfies Omit<TransportFacts, 'enforces'>
}

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
