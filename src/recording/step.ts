import type { Batch } from '../ports/store.ts'

/** The version of the format. A newer one is refused. */
export const recordingVersion = 1

/** The first line of what one process recorded. */
export interface Opening {
  readonly flotilla_recording: number
  readonly life: number
}

/** An error as it is written down. */
export interface NotedError {
  readonly code?: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** What came of a question: neither is an answer that says nothing. */
export interface Outcome {
  readonly ok?: unknown
  readonly failed?: NotedError
}

/** What came in. */
export type Input =
  /** Somebody asked something of the fleet. Its answer names the number. */
  | { readonly kind: 'call'; readonly call: string; readonly number: number; readonly args?: unknown }
  /** The world answered a question of the fleet's. */
  | ({ readonly kind: 'answer'; readonly to: string } & Outcome)
  /** A worker, or another process, said something. */
  | { readonly kind: 'heard'; readonly from: string; readonly word?: unknown }
  /** A deadline was met; `due` is in the time that only grows. */
  | { readonly kind: 'deadline'; readonly due: number }
  /** Nothing: the fleet went on by itself. */
  | { readonly kind: 'nothing' }

/** One thing that came in, and everything that came of it before the next. */
export interface Step {
  /** Which process of the recording, from 1. */
  readonly life: number
  /** Wall-clock time, epoch milliseconds. */
  readonly at: number
  /** Milliseconds that only grow, from an arbitrary zero. */
  readonly up: number
  readonly input: Input
  /** Ids, draws, and what else was answered at once, in order. */
  readonly took?: readonly (readonly [what: string, value: unknown])[]
  /** Questions that were asked. */
  readonly asked?: readonly string[]
  /** What was given to the store, whether it took it or not: that is a later answer. */
  readonly appended?: readonly (readonly Batch[])[]
  /** What workers were told. */
  readonly told?: readonly string[]
  /** What callers were answered. */
  readonly answered?: readonly ({ readonly call: number } & Outcome)[]
  /** Deadlines that were taken back after their time had come, and before they were met. */
  readonly missed?: readonly number[]
}
