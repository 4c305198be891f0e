import Emittery from 'emittery'
import type { FleetEvent, FleetEventName, FleetEventOf } from '../protocol/fleet-event.ts'
import { createSubscription } from './subscription.ts'
import type { GapEvent, Subscription } from './subscription.ts'

/** Gets every event of one name. */
export type FleetListener<Name extends FleetEventName> = (event: FleetEventOf<Name>) => void | Promise<void>

/** Live events for the host application (EV3). Nothing that a subscriber does reaches the fleet. */
export interface Bus {
  emit(event: FleetEvent): void
  hasListeners(): boolean
  /** Whether anybody hears events of a name. */
  isListenedTo(name: FleetEventName): boolean
  on<Name extends FleetEventName>(name: Name, listener: FleetListener<Name>): () => void
  once<Name extends FleetEventName>(name: Name): Promise<FleetEventOf<Name>>
  off<Name extends FleetEventName>(name: Name, listener: FleetListener<Name>): void
  events(options: { readonly signal?: AbortSignal }): AsyncIterable<FleetEvent | GapEvent>
  close(): void
}

type Events = { [Name in FleetEventName]: FleetEventOf<Name> }

/** The one place that knows the emitter: its listeners get the event itself. */
export function createBus(options: { readonly buffer: number }): Bus {
  const emitter = new Emittery<Events>()
  const subscriptions = new Set<Subscription>()
  /** Whether a name has listeners, or any has: once somebody asked, since the emitter makes lists to count them. */
  const heard = new Map<FleetEventName | undefined, boolean>()

  function isHeard(name?: FleetEventName): boolean {
    const known = heard.get(name)
    if (known !== undefined) return known
    const isIt = emitter.listenerCount(name) > 0
    heard.set(name, isIt)
    return isIt
  }

  /** Listeners came or went. */
  function changed(): void {
    heard.clear()
  }

  return {
    emit(event) {
      for (const subscription of subscriptions) subscription.push(event)
      if (!isHeard(event.event)) return
      // The emitter pairs the name with its event; the union of events does not show it.
      const emitted = emitter.emit(event.event, event as never)
      emitted.catch((error: unknown) => {
        process.emitWarning(
          `A listener of ${event.event} failed: ${error instanceof Error ? error.message : String(error)}`,
          'FlotillaWarning',
        )
      })
    },
    hasListeners: () => subscriptions.size > 0 || isHeard(),
    isListenedTo: (name) => subscriptions.size > 0 || isHeard(name),
    on(name, listener) {
      const off = emitter.on(name, listener as never)
      changed()
      return () => {
        off()
        changed()
      }
    },
    once(name) {
      const coming = emitter.once(name)
      changed()
      // The emitter takes its listener away by itself.
      void coming.then(changed, changed)
      return coming as never
    },
    off(name, listener) {
      emitter.off(name, listener as never)
      changed()
    },
    events({ signal }) {
      const subscription = createSubscription(options.buffer, signal, () => subscriptions.delete(subscription))
      subscriptions.add(subscription)
      return subscription.events
    },
    close() {
      for (const subscription of [...subscriptions]) subscription.end()
      emitter.clearListeners()
      changed()
    },
  }
}
