import type { Defaults } from '../engine/defaults.ts'
import type { ConcurrencyLimits } from '../engine/gates.ts'
import type { FleetTrustLevel } from '../protocol/security.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { Clock } from '../ports/clock.ts'
import type { Files } from '../ports/files.ts'
import type { Ids } from '../ports/ids.ts'
import type { SecretSource } from '../ports/secrets.ts'
import type { Store } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'
import type { Verifier } from '../ports/verifier.ts'
import type { SandboxOptions } from '../transports/commands/command.ts'
import type { PlainHandler } from '../worker/handler.ts'
import type { Handlers } from '../worker/handlers.ts'
import type { CollectorLimits } from '../workspace/collector.ts'
import type { AlertOptions } from './alerts.ts'
import type { ContainersOptions } from './container.ts'
import type { ProfileOptions } from './profiles.ts'
import type { Retention } from './retention.ts'

/** A worker that the application defines. Exactly one of `handlers`/`run`, `commands` or `transport` says what it is. */
export interface WorkerOptions {
  /** 1–128 of `[A-Za-z0-9._-]`; not `fleet` (WI9). */
  readonly id: string
  /** Attempts at a time (SC1). Default: 1. */
  readonly slots?: number
  /** What it can do; a task that asks for more goes elsewhere (SC3). */
  readonly capabilities?: readonly string[]
  /** Roles that it serves. Default: any (SC3). */
  readonly roles?: readonly string[]
  /** Its own trust level (SE1). Default: `local`. */
  readonly trustLevel?: FleetTrustLevel
  /**
   * True: it takes tasks too whose trust level asks for more than it can enforce, a function of this process at `sandbox` for one. Then nothing
   * at all is enforced on them, and their receipts say so (SE2). Default: false, such a task is never run here.
   */
  readonly runsUnenforced?: boolean
  /** Functions in this process, by name. */
  readonly handlers?: Handlers
  /** A function in this process for tasks that name neither a handler nor a command. */
  readonly run?: PlainHandler
  /** True: it runs tasks that carry `metadata.command`, each as a child process. */
  readonly commands?: boolean
  /** Bounds of the sandboxes that its commands run in at the trust level `sandbox`, and what they may read (SE3). */
  readonly sandbox?: SandboxOptions
  /** Your own way to reach workers (HO1). */
  readonly transport?: Transport
}

/** Times and limits of a fleet: of its engine, of what attempts may leave, and of its events. */
export interface FleetLimits extends Defaults, CollectorLimits {
  /** Events that wait for a slow reader of `fleet.events()` before it gets a `gap` (EV3). */
  readonly eventBuffer: number
}

/** Options of {@link createFleet}. */
export interface FleetOptions extends ProfileOptions {
  /** Where runs live. Default: `memoryStore()`, gone with the process. */
  readonly store?: Store
  /** Functions that do tasks. They make one worker, `local`, with `slots` slots. */
  readonly handlers?: Handlers
  /** Workers besides that one. */
  readonly workers?: readonly WorkerOptions[]
  /** Slots of the worker `local`. Default: as many as the machine has cores. */
  readonly slots?: number
  /** The folder that `workspace.root` of tasks lies in (WS1). Default: the current folder. Kept with each run. */
  readonly workspace?: string
  /** False: commands are taken, but nothing is leased: for a process that only steers. Default true. */
  readonly leasing?: boolean
  /** Which unfinished runs of the store to carry on (ST11). Default: all that are neither ended nor paused. */
  readonly carryOn?: 'all' | 'none' | readonly string[]
  /** How long to wait for another owner of the store to go away. Default 0: refuse at once with `store_owned` (ST6). */
  readonly waitForStoreMs?: number
  /** Overrule an owner whose process cannot be checked from here (ST6). */
  readonly takeOver?: boolean
  /** Time. Default: the machine's. */
  readonly clock?: Clock
  /** Ids and chance. Default: the machine's. */
  readonly ids?: Ids
  /**
   * Where the values of `security_policy.allowed_secrets` come from, in the order in which they are asked: `envSecrets()`,
   * `fileSecrets()`, your own. Default: nowhere, and a run that allows secrets is refused (SE5).
   */
  readonly secrets?: SecretSource | readonly SecretSource[]
  /** Judges results of tasks whose scorer is `code_whale_verifier_prompt`. Default: none, and a person settles them (VE4). */
  readonly verifier?: Verifier
  /** Bytes of evidence and artifacts. Default: the store's. */
  readonly blobs?: Blobs
  /** The file system of workspaces and attempts. Default: the machine's. */
  readonly files?: Files
  /**
   * True: writes down everything that comes in, besides the journal: commands, what workers say, deadlines, draws, and what the store and
   * the files answer, each with its moment. `openRecording` of `flotilla/testing` steps through it and plays it again. It goes into a
   * file beside the journal of a JSON store, a moment behind it, so a process that dies leaves a prefix; otherwise into memory. Values of
   * environment variables, logs and bytes of artifacts are not in it; inputs and outputs of tasks are. Default false: nothing is written.
   */
  readonly record?: boolean
  /** How the containers of workers that runs name are run: by which runtime, and within which bounds. Default: the first runtime that answers. */
  readonly containers?: ContainersOptions
  /** How the alerts of tasks are delivered. Their secrets come from `secrets`, or from the environment without that (AL2–AL4). */
  readonly alerts?: AlertOptions
  /** Which ended runs to keep. Default: all (RU8). */
  readonly retention?: Retention
  /** How many tasks of a class or a key work at once, and how many begin in an interval (SC6). Default: one at once per key. */
  readonly concurrency?: ConcurrencyLimits
  /** Times and limits, each with its default; durations in milliseconds, sizes in bytes. */
  readonly limits?: Partial<FleetLimits>
}
