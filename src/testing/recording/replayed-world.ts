import type { Batch } from '../../ports/store.ts'
import { FleetError } from '../../protocol/errors.ts'
import { noted } from '../../recording/recorder.ts'
import type { Seam } from '../../recording/seam.ts'
import type { Outcome, Step } from '../../recording/step.ts'

/** What the code did in one step. */
export interface Done {
  readonly asked: string[]
  readonly appended: (readonly Batch[])[]
  readonly told: string[]
  readonly answered: ({ readonly call: number } & Outcome)[]
  /** It took an id, a draw or the like that the recording does not have here. */
  readonly tookMore: string[]
}

/** The world of one process, as a recording has it. */
export interface ReplayedWorld {
  readonly seam: Seam
  /** Begins a step; gives a place where all that is done from now on is written. */
  begin(moment: Pick<Step, 'at' | 'up' | 'took'>): Done
  /** Lets come in what came in; false when the code no longer waits for it. A call is not among it. */
  letIn(input: Step['input']): boolean
  /** The number of the call that is being made. */
  calling(number: number): void
  /** The earliest deadline that the code waits for. */
  nextDeadline(among: (due: number) => boolean): number | undefined
}

interface Deadline {
  readonly due: number
  readonly act: () => void
}

interface Question {
  resolve(answer: unknown): void
  reject(error: unknown): void
}

/** Stands in for the world: what it answers, says and draws is what was written down, when it was written down. */
export function createReplayedWorld(): ReplayedWorld {
  const questions = new Map<string, Question[]>()
  const sources = new Map<string, (word: never) => void>()
  const deadlines = new Set<Deadline>()
  let moment = { at: 0, up: 0 }
  let took: (readonly [string, unknown])[] = []
  let call = 0
  let done: Done = nothingDone()

  function takeNext(what: string): { readonly value: unknown } | undefined {
    const index = took.findIndex(([taken]) => taken === what)
    if (index < 0) return undefined
    const [found] = took.splice(index, 1)
    return { value: found?.[1] }
  }

  function take<Value>(what: string, act: () => Value): Value {
    const found = takeNext(what)
    // What was written down is what was taken.
    if (found !== undefined) return found.value as Value
    done.tookMore.push(what)
    return act()
  }

  function ask<Answer>(what: string, batches: readonly Batch[] | undefined): Promise<Answer> {
    done.asked.push(what)
    if (batches !== undefined) done.appended.push(batches)
    return new Promise((resolve, reject) => {
      const waiting = questions.get(what) ?? []
      questions.set(what, [...waiting, { resolve: (answer) => resolve(answer as Answer), reject }])
    })
  }

  function answer(to: string, { ok, failed }: Outcome): boolean {
    const question = questions.get(to)?.shift()
    if (failed === undefined) question?.resolve(ok)
    else question?.reject(errorOf(failed))
    return question !== undefined
  }

  function meet(due: number): boolean {
    const met = [...deadlines].find((deadline) => deadline.due === due)
    if (met === undefined) return false
    deadlines.delete(met)
    met.act()
    return true
  }

  return {
    seam: {
      now: () => moment.at,
      monotonic: () => moment.up,
      alarm(ms, act) {
        const deadline = { due: moment.up + Math.max(0, ms), act }
        deadlines.add(deadline)
        return () => void deadlines.delete(deadline)
      },
      take,
      ask: (what, _, noting) => ask(what, noting?.batches),
      takeOrAsk<Answer>(what: string): Answer | Promise<Answer> {
        const [first] = took.filter(([taken]) => taken === what || taken === `later ${what}`)
        const found = first === undefined ? undefined : takeNext(first[0])
        return found === undefined || first?.[0] !== what ? ask<Answer>(what, undefined) : (found.value as Answer)
      },
      tell: (what) => void done.told.push(what),
      hear(from, deliver) {
        sources.set(from, deliver)
        return () => undefined
      },
      call(_, __, act, { shown } = {}) {
        const number = call
        const made = act()
        made.then(
          (value) => {
            const ok: unknown = shown === undefined ? value : shown(value)
            done.answered.push({ call: number, ...(ok !== undefined && { ok }) })
          },
          (error: unknown) => void done.answered.push({ call: number, failed: noted(error) }),
        )
        return made
      },
    },
    begin(next) {
      moment = { at: next.at, up: next.up }
      took = [...(next.took ?? [])]
      return (done = nothingDone())
    },
    letIn(input) {
      if (input.kind === 'answer') return answer(input.to, input)
      if (input.kind === 'deadline') return meet(input.due)
      if (input.kind !== 'heard') return true
      const deliver = sources.get(input.from)
      deliver?.(input.word as never)
      return deliver !== undefined
    },
    calling: (number) => void (call = number),
    nextDeadline(among) {
      const dues = [...deadlines].map(({ due }) => due).filter(among)
      return dues.length === 0 ? undefined : Math.min(...dues)
    },
  }
}

function nothingDone(): Done {
  return { asked: [], appended: [], told: [], answered: [], tookMore: [] }
}

function errorOf({ code, message, details }: NonNullable<Outcome['failed']>): Error {
  if (code === undefined) return new Error(message)
  // A code that this version does not know is told apart by nothing here.
  return new FleetError(code as FleetError['code'], message, details === undefined ? {} : { details })
}
