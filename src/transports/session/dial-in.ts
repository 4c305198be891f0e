import type { Clock } from '../../ports/clock.ts'
import type { Files } from '../../ports/files.ts'
import type { Transport } from '../../ports/transport.ts'
import type { HelloFrame } from '../../protocol/worker-protocol.ts'
import { AttemptLines } from './attempt-lines.ts'
import type { Greeting } from './worker-greeting.ts'
import { loadLaunched } from '../late.ts'

/** A transport whose workers come by themselves, over connections that the application accepted (HO2). */
export interface DialInTransport extends Transport {
  readonly dialsIn: true
  readonly gate: DialInGate
}

/** Where the connections of workers that proved who they are come in. */
export interface DialInGate {
  /** Hands over the connection of a worker. It takes the place of the one that the worker had; another incarnation is told so. */
  admit(workerId: string, greeting: Greeting): void
  /** Ends what was handed over and not opened. */
  close(reason: string): void
}

export function isDialIn(transport: Transport): transport is DialInTransport {
  return transport.dialsIn === true && 'gate' in transport
}

/** What is known of one worker, over its connections. */
interface Place {
  /** Says hello, and was not opened yet. */
  next: Greeting | undefined
  /** The connection that is open, or was. */
  current: Greeting | undefined
  /** Of the incarnation that came last. */
  incarnation: string | undefined
  lines: AttemptLines
  wake: (() => void) | undefined
}

/**
 * Waits for workers to dial in. Each connection is a channel; what one incarnation of a worker was told, and what was heard of it, is
 * remembered from one to the next, so that a lost line loses and repeats nothing (HO7).
 */
export function dialInTransport(options: {
  readonly serves: Transport['serves']
  readonly verifiesIdentity: boolean
  readonly clock: Clock
  readonly files: Files
}): DialInTransport {
  const { clock, files } = options
  const places = new Map<string, Place>()

  function placeOf(id: string): Place {
    let place = places.get(id)
    if (place === undefined) {
      place = { next: undefined, current: undefined, incarnation: undefined, lines: new AttemptLines(), wake: undefined }
      places.set(id, place)
    }
    return place
  }

  return {
    kind: 'dial-in',
    enforces: {
      ...{ network: false, fileWrites: false, environment: false, processes: false },
      because: 'it dials in, and what it is kept to on its machine is not known here',
    },
    heartbeats: 'worker',
    startsAtOnce: false,
    survives: true,
    dialsIn: true,
    verifiesIdentity: options.verifiesIdentity,
    serves: options.serves,
    gate: {
      admit(workerId, greeting) {
        const place = placeOf(workerId)
        for (const before of [place.current, place.next]) if (before !== undefined) giveWay(before, greeting)
        place.next = greeting
        place.wake?.()
      },
      close(reason) {
        for (const { next } of places.values()) next?.line.close(reason)
      },
    },
    async open({ workerId, ...launch }, { signal }) {
      const { openSession } = await loadLaunched()
      const place = placeOf(workerId)
      const greeting = await nextOf(place, signal)
      const { incarnation } = greeting.hello
      if (incarnation !== place.incarnation) {
        place.incarnation = incarnation
        place.lines = new AttemptLines()
      }
      return openSession(greeting, {
        launch: { workerId, ...launch, incarnation: incarnation ?? launch.incarnation },
        sharesFiles: false,
        lines: place.lines,
        clock,
        files,
      })
    },
  }
}

/** Rejects when nobody waits any more. */
async function nextOf(place: Place, signal: AbortSignal): Promise<Greeting> {
  signal.throwIfAborted()
  while (place.next === undefined) {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        place.wake = undefined
        signal.removeEventListener('abort', wake)
        resolve()
      }
      place.wake = wake
      signal.addEventListener('abort', wake, { once: true })
    })
    signal.throwIfAborted()
  }
  const greeting = place.next
  place.current = greeting
  place.next = undefined
  return greeting
}

/** The line of the same incarnation is a half-open one, or its worker knows; another incarnation should not come again. */
function giveWay(before: Greeting, after: Greeting): void {
  const reason = 'another connection of the worker took its place'
  if (isSame(before.hello, after.hello)) before.line.close(reason)
  else
    before.line.refuse(
      'superseded',
      'Another process dialled in as this worker later, so this one is no longer it. Give each its own id.',
    )
}

function isSame(a: HelloFrame, b: HelloFrame): boolean {
  return a.incarnation === b.incarnation
}
