import type { FleetTaskSpec } from '../protocol/task.ts'

/** Where a task works, and what it may see of the fleet's environment. */
export interface PreparedWorkspace {
  /** Absolute path of the task's root (WS1). */
  readonly root: string
  /** Values of the names that the task requires or allows (WS3). */
  readonly environment: Readonly<Record<string, string>>
}

/** Makes sure that a task finds what it needs before its attempt starts (WS1–WS3). */
export interface Workspaces {
  /**
   * The workspace, or everything that is wrong with it, one sentence each. `base` is the run's workspace folder. Without a promise where
   * nothing must be looked at.
   */
  prepare(task: FleetTaskSpec, base: string): WorkspaceOutcome | Promise<WorkspaceOutcome>
}

export type WorkspaceOutcome = PreparedWorkspace | { readonly problems: readonly string[] }
