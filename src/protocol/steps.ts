/** Long work, written once: it stops wherever it may rest, after a piece that takes well below a millisecond. */
export type Steps<Result = void> = Generator<void, Result, void>

/** What resting needs of a clock. */
export interface Resting {
  /** Milliseconds that only grow. */
  monotonic(): number
  /** Resolves when what else could run at once has run. */
  turn(): Promise<void>
}

const stepsPerSlice = 250
const sliceMs = 8

/** Does the work in one piece. */
export function allAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * Does the work in slices of at most 250 steps and about 8 ms, with a turn between them; work of a single slice is done before the
 * call returns. Rejects with what the work throws, and with what `turn` rejects with.
 */
export async function inSlices<Result>(steps: Steps<Result>, clock: Resting): Promise<Result> {
  let beganAt = clock.monotonic()
  let taken = 0
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    taken += 1
    if (taken < stepsPerSlice && clock.monotonic() - beganAt < sliceMs) continue
    await clock.turn()
    beganAt = clock.monotonic()
    taken = 0
  }
}
