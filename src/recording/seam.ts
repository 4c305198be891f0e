import type { Batch } from '../ports/store.ts'

/** How something that passes is written down, when not as it is: what must not be kept is left out. */
export interface Noting<Value> {
  readonly shown?: (value: Value) => unknown
  /** What is to be stored, for the question that stores it. */
  readonly batches?: readonly Batch[]
}

/**
 * Everything that passes between a fleet and the world, in one place. A recorder stands there and writes down what passes; a replayer
 * stands in for the world, and answers from what was written down.
 */
export interface Seam {
  /** Wall-clock time, epoch milliseconds, and time that only grows: both stand still while one input is dealt with. */
  now(): number
  monotonic(): number
  /** A deadline; gives a function that takes it back. */
  alarm(ms: number, act: () => void, options: { readonly keepAlive: boolean }): () => void
  /** What the world answers at once: ids and draws. */
  take<Value>(what: string, act: () => Value, noting?: Noting<Value>): Value
  /** What the world answers later, or refuses. */
  ask<Answer>(what: string, act: () => Promise<Answer>, noting?: Noting<Answer>): Promise<Answer>
  /** What the world answers at once where it can. */
  takeOrAsk<Answer>(what: string, act: () => Answer | Promise<Answer>, noting?: Noting<Answer>): Answer | Promise<Answer>
  /** What the fleet tells the world without an answer. */
  tell(what: string): void
  /** What the world says by itself: gives the function to say it with. */
  hear<Word>(from: string, deliver: (word: Word) => void, noting?: Noting<Word>): (word: Word) => void
  /** What somebody asks of the fleet. */
  call<Answer>(what: string, args: unknown, act: () => Promise<Answer>, noting?: Noting<Answer>): Promise<Answer>
}
