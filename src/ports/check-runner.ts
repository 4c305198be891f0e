import type { Json } from '../protocol/json.ts'
import type { FleetScore } from '../protocol/receipt.ts'
import type { AttemptKey, Confinement } from '../protocol/wire.ts'
import type { Enforcement } from './transport.ts'

/** A command that checks what an attempt left (VE3). */
export interface CheckCommand {
  readonly key: AttemptKey
  /** The worker that had the attempt: the command runs on its host. */
  readonly worker: string
  /** The id of the store, so that orphans of this store can be told apart (LE6). */
  readonly storeId: string
  readonly program: string
  readonly args: readonly string[]
  /** Absolute path of the task's root, which it runs in. */
  readonly root: string
  /** Absolute path of the attempt's own folder. */
  readonly folder: string
  /** Values of the names that the task requires or allows (WS3); no secret is among them. */
  readonly environment: Readonly<Record<string, string>>
  /** What it is held to, as the attempt was (SE1); undefined: nothing. */
  readonly confined: Confinement | undefined
  /** Paths of the root that the task says it writes; none, or left out: it does not say. */
  readonly writablePaths?: readonly string[]
  /** What it finds in the file `FLOTILLA_INPUT`. */
  readonly input: Json
}

/** How a check ended. `output` is what it wrote, its middle left out where that is much. */
export type CheckEnd =
  | {
      readonly exitCode: number
      readonly output: string
      /** What the last line of its standard output that is a score says. */
      readonly score?: FleetScore
    }
  /** It could not be started, or ended without an exit code: a sentence. */
  | { readonly problem: string; readonly output: string }

/** Runs the commands of `command` scorers on one host. */
export interface CheckRunner {
  /** What it can keep a command from, when told to (SE2). */
  readonly enforces: Enforcement
  /** Runs a command to its end. Aborting stops its whole process group; it resolves, or rejects, when nothing of it is left. */
  run(command: CheckCommand, options: { readonly signal: AbortSignal }): Promise<CheckEnd>
}
