import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { ArtifactMessage, AttemptKey } from '../protocol/wire.ts'

/** Where an attempt works. */
export interface AttemptPlace extends AttemptKey {
  /** Absolute path of the attempt's own folder. */
  readonly folder: string
  /** Absolute path of the task's workspace root. */
  readonly root: string
}

/** Gathers what attempts leave behind: their log and their artifacts (AR1–AR5). */
export interface Collector {
  /** Adds text to the attempt's log, bounded by cutting the middle (AR5). */
  log(place: AttemptPlace, text: string): Promise<void>
  /**
   * Checks a reported artifact against AR2–AR4 and keeps its bytes. Gives the reference with the size and checksum that the fleet
   * computed; rejects `artifact_refused` with the reason.
   */
  collect(place: AttemptPlace, report: ArtifactMessage): Promise<FleetArtifactRef>
  /** Closes the attempt's log: its reference, or undefined when nothing was written. Called once per attempt, at its end. */
  finish(place: AttemptPlace): Promise<FleetArtifactRef | undefined>
}
