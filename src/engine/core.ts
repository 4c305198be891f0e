import type { AlertSinks } from '../ports/alert-sink.ts'
import type { Clock } from '../ports/clock.ts'
import type { Collector } from '../ports/collector.ts'
import type { Ids } from '../ports/ids.ts'
import type { Scorers } from '../ports/scorer.ts'
import type { Secrets } from '../ports/secrets.ts'
import type { Store } from '../ports/store.ts'
import type { Workspaces } from '../ports/workspaces.ts'
import type { FleetEvent, FleetEventName } from '../protocol/fleet-event.ts'
import type { SecretsInUse } from '../security/secrets-in-use.ts'
import type { Deadlines } from './deadlines.ts'
import type { Defaults } from './defaults.ts'
import type { ConcurrencyLimits } from './gates.ts'
import type { Presence } from './presence.ts'
import type { FleetState, RunState } from './state.ts'
import type { Turns } from './turns.ts'

/** What the engine is given. */
export interface EnginePorts {
  readonly store: Store
  /** Where a run that is not in memory is read for looking only; the same contents. */
  readonly shown: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly scorers: Scorers
  readonly alertSinks: AlertSinks
  readonly collector: Collector
  readonly workspaces: Workspaces
  readonly secrets: Secrets
  /** What attempts have of them, to be redacted from everything that workers say. */
  readonly inUse: SecretsInUse
  /** Absolute path of an attempt's own folder. */
  readonly folderOf: (run: string, task: string, attempt: number) => string
  /** Tells the host application; cheap when nobody listens. */
  readonly announce: (event: FleetEvent) => void
  readonly hasListeners: () => boolean
  /** Whether anybody hears an event of a name: what nobody hears is not made. */
  readonly isListenedTo: (name: FleetEventName) => boolean
  readonly defaults: Defaults
  /** Limits of classes and keys (SC6). */
  readonly concurrency: ConcurrencyLimits
}

/** What the parts of the engine share: the ports, the durable state, and what lives beside it. */
export interface Core extends EnginePorts {
  readonly state: FleetState
  readonly presence: Presence
  readonly deadlines: Deadlines
  readonly turns: Turns
  /** The cursor of what has no entry of its own: that of the last event of the run that is durable (EV1). */
  readonly liveCursor: (run: RunState) => string
}
