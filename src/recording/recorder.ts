import type { Clock } from '../ports/clock.ts'
import type { Batch } from '../ports/store.ts'
import { FleetError } from '../protocol/errors.ts'
import type { Noting, Seam } from './seam.ts'
import type { RecordingSink } from './sink.ts'
import type { Input, NotedError, Outcome, Step } from './step.ts'

/** Writes down what passes between a fleet and the world. */
export interface Recorder extends Seam {
  /** Resolves when nothing waits to be dealt with. */
  idle(): Promise<void>
  readonly isIdle: boolean
  /** From now on nothing passes any more: the process is dead. */
  end(): void
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] extends readonly (infer Item)[] | undefined ? Item[] : Type[Key] }

interface Waiting {
  readonly input: Input
  readonly act: () => void
  /** It was taken back while it waited. */
  readonly isOver?: () => boolean
}

/**
 * Lets in one thing at a time: the next when everything that can follow from the one before by itself has. So a recording has one
 * order, and whoever plays it again meets the same fleet at each step.
 */
export function createRecorder(parts: {
  readonly clock: Clock
  /** Resolves when every promise that could settle has. */
  readonly quiet: () => Promise<void>
  readonly sink: RecordingSink
  /** Covers what must not be kept; asked when a step is over. Default: nothing. */
  readonly cover?: (step: Step) => Step
}): Recorder {
  const { clock, quiet, sink, cover = (plain) => plain } = parts
  const life = sink.begin()
  const waiting: Waiting[] = []
  let moment = { at: clock.now(), up: clock.monotonic() }
  let step: Mutable<Step> | undefined
  let isWorking = false
  let working = Promise.resolve()
  let calls = 0
  let hasEnded = false

  function enter(entering: Waiting): void {
    if (hasEnded) return
    waiting.push(entering)
    start()
  }

  function start(): void {
    if (!isWorking) working = work()
  }

  async function work(): Promise<void> {
    isWorking = true
    for (;;) {
      if (step !== undefined) {
        await quiet()
        finish()
        if (sink.isFull) await sink.flush()
      }
      const next = waiting.shift()
      if (next === undefined || hasEnded) break
      if (next.isOver?.() !== true) begin(next)
    }
    isWorking = false
  }

  function begin({ input, act }: Waiting): void {
    const up = clock.monotonic()
    // A timer may be a fraction of a millisecond early.
    moment = { at: clock.now(), up: input.kind === 'deadline' ? Math.max(up, input.due) : up }
    step = { life, ...moment, input }
    act()
  }

  function finish(): void {
    if (step !== undefined && !hasEnded) sink.write(cover(step))
    step = undefined
  }

  /** The present step; what the fleet does by itself is one too. */
  function here(): Mutable<Step> {
    if (step === undefined) {
      step = { life, ...moment, input: { kind: 'nothing' } }
      start()
    }
    return step
  }

  function ask<Answer>(what: string, act: () => Promise<Answer>, { shown, batches }: Noting<Answer> = {}): Promise<Answer> {
    noteQuestion(what, batches)
    return new Promise((resolve, reject) => {
      const answer = (outcome: Outcome, tell: () => void): void =>
        enter({ input: { kind: 'answer', to: what, ...outcome }, act: tell })
      attempted(act).then(
        (value) => answer(outcomeOf(value, shown), () => resolve(value)),
        (error: unknown) => answer({ failed: noted(error) }, () => reject(error)),
      )
    })
  }

  function noteQuestion(what: string, batches: readonly Batch[] | undefined): void {
    const now = here()
    ;(now.asked ??= []).push(what)
    if (batches !== undefined) (now.appended ??= []).push(batches)
  }

  function take<Value>(what: string, act: () => Value, { shown }: Noting<Value> = {}): Value {
    const value = act()
    const now = here()
    ;(now.took ??= []).push([what, shown === undefined ? value : shown(value)])
    return value
  }

  return {
    now: () => moment.at,
    monotonic: () => moment.up,
    alarm(ms, act, options) {
      const due = moment.up + Math.max(0, ms)
      let isOver = false
      const meet = (): void => {
        isOver = true
        act()
      }
      const cancel = clock.alarm(
        Math.max(0, due - clock.monotonic()),
        () => enter({ input: { kind: 'deadline', due }, act: meet, isOver: () => isOver }),
        options,
      )
      return () => {
        if (isOver) return
        isOver = true
        cancel()
        if (due <= moment.up) (here().missed ??= []).push(due)
      }
    },
    take,
    ask,
    takeOrAsk(what, act, noting) {
      const given = act()
      if (!(given instanceof Promise)) return take(what, () => given, noting)
      // Of two that are asked alike, one may be answered at once and the other later.
      take(`later ${what}`, () => null)
      return ask(what, () => given, noting)
    },
    tell: (what) => void (here().told ??= []).push(what),
    hear(from, deliver, { shown } = {}) {
      return (word) =>
        enter({
          input: { kind: 'heard', from, word: shown === undefined ? word : shown(word) },
          act: () => deliver(word),
        })
    },
    call(what, args, act, { shown } = {}) {
      const number = (calls += 1)
      const answered = (outcome: Outcome): void => void (here().answered ??= []).push({ call: number, ...outcome })
      return new Promise((resolve, reject) => {
        const perform = (): void =>
          void attempted(act).then(
            (value) => {
              answered(outcomeOf(value, shown))
              resolve(value)
            },
            (error: unknown) => {
              answered({ failed: noted(error) })
              reject(error)
            },
          )
        enter({ input: { kind: 'call', call: what, number, args }, act: perform })
      })
    },
    async idle() {
      while (isWorking) await working
    },
    get isIdle() {
      return !isWorking
    },
    end() {
      hasEnded = true
      waiting.length = 0
    },
  }
}

function attempted<Answer>(act: () => Promise<Answer>): Promise<Answer> {
  try {
    return act()
  } catch (error) {
    return Promise.reject(error)
  }
}

function outcomeOf<Answer>(value: Answer, shown: ((value: Answer) => unknown) | undefined): Outcome {
  const ok = shown === undefined ? value : shown(value)
  return ok === undefined ? {} : { ok }
}

/** An error as it is written down, without its cause and its stack. */
export function noted(error: unknown): NotedError {
  if (!FleetError.is(error)) return { message: error instanceof Error ? error.message : String(error) }
  return { code: error.code, message: error.message, details: error.details }
}
