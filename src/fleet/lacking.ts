import type { WorkerFacts } from '../engine/worker-facts.ts'
import type { HelloFrame } from '../protocol/worker-protocol.ts'

/** What a worker is registered for and says that it does not do, by name. What it leaves out of its hello it does not deny (SC3). */
export function lackingOf(
  facts: Pick<WorkerFacts, 'serves' | 'capabilities'>,
  { handlers, plain, capabilities }: HelloFrame,
): string[] {
  return [
    ...missing('the handler', facts.serves.handlers, handlers),
    ...(facts.serves.plain && handlers !== undefined && plain !== true ? ['tasks without a handler'] : []),
    ...missing('the capability', facts.capabilities, capabilities),
  ]
}

function missing(what: string, wanted: readonly string[], said: readonly string[] | undefined): string[] {
  return said === undefined ? [] : wanted.filter((name) => !said.includes(name)).map((name) => `${what} ${name}`)
}
