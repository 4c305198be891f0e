import { FleetError } from '../protocol/errors.ts'
import type { Commits, Turn } from './commit.ts'
import type { DecideContext } from './decide.ts'
import { nothing } from './entry.ts'
import type { Decision, Draft, Entry } from './entry.ts'

/**
 * Makes a decision of a context; asked again when the state that it saw was discarded. It calls a generator that is declared in its file
 * rather than being one: each generator function that is made anew costs ten times the call, and lives until the next major collection.
 */
export type Decide<Answer> = (context: DecideContext) => Decision<Answer>

/** Runs decisions one after the other, each followed by what scheduling makes of it, and hands the entries to the disk. */
export interface Turns {
  /** A caller's command: resolves with its answer once all that it saw is durable, rejects with its refusal (CO1). */
  command<Answer>(decide: Decide<Answer>): Promise<Answer>
  /**
   * What the outside reports, or a deadline: kept and decided again when the store failed. `decide` looks at the state anew and
   * decides nothing when it no longer applies.
   */
  report(decide: Decide<void>): void
  /** Lets scheduling look again. */
  nudge(): void
}

/** What turns need of the rest of the engine. */
export interface TurnHooks {
  readonly context: () => DecideContext
  /** Applies a draft to the state and gives the entry with its place in the run's order. */
  readonly apply: (draft: Draft) => Entry
  /** What an entry sets off, decided upon right after it; undefined for nothing. */
  readonly following: (context: DecideContext, run: string, entry: Entry) => Decision | undefined
  /** Scheduling, which decides nothing while nothing may be leased. */
  readonly schedule: Decide<void>
  /** Entries are durable: announce them, perform their effects. */
  readonly durable: (entries: Turn['entries']) => void
  /** Why commands cannot be taken now, if they cannot. */
  readonly refusing: () => FleetError | undefined
  readonly keepLimit: number
}

export function createTurns(
  commits: Commits,
  hooks: TurnHooks,
): Turns & {
  readonly retryKept: () => void
  /** Something was reported that the store has not taken yet. */
  readonly keepsReports: () => boolean
} {
  /** Reports whose decision was discarded, and those that came after it, each in the order in which they were said. */
  let discarded: Decide<void>[] = []
  let kept: Decide<void>[] = []

  function decideAll<Answer>(decide: Decide<Answer>): {
    entries: Turn['entries']
    outcome: { answer: Answer } | { refusal: unknown }
  } {
    const entries: { run: string; entry: Entry }[] = []
    const context = hooks.context()
    const outcome = drive(context, decide, entries)
    drive(context, hooks.schedule, entries)
    return { entries, outcome }
  }

  function drive<Answer>(
    context: DecideContext,
    decide: Decide<Answer>,
    entries: { run: string; entry: Entry }[],
  ): { answer: Answer } | { refusal: unknown } {
    try {
      const decision = decide(context)
      let step = decision.next()
      while (step.done !== true) {
        const { on } = step.value
        const entry = hooks.apply(step.value)
        entries.push({ run: on, entry })
        const following = hooks.following(context, on, entry)
        if (following !== undefined) for (const draft of following) entries.push({ run: draft.on, entry: hooks.apply(draft) })
        step = decision.next()
      }
      return { answer: step.value }
    } catch (refusal) {
      return { refusal }
    }
  }

  function keep(list: Decide<void>[], decide: Decide<void>): void {
    if (discarded.length + kept.length < hooks.keepLimit) list.push(decide)
  }

  function report(decide: Decide<void>): void {
    if (hooks.refusing() !== undefined) {
      keep(kept, decide)
      return
    }
    const { entries, outcome } = decideAll(decide)
    // What no longer applies is refused by the machine and changes nothing; anything else is a defect and must not be silent.
    if ('refusal' in outcome && !FleetError.is(outcome.refusal, 'refused')) throw outcome.refusal
    // What decided nothing may have seen what is discarded later; then it is decided again too (CO1).
    if (entries.length === 0 && (commits.idle || decide === nothing)) return
    commits.push({
      entries,
      durable: () => hooks.durable(entries),
      stored: hooks.durable,
      discarded: () => keep(discarded, decide),
    })
  }

  return {
    async command(decide) {
      const refusing = hooks.refusing()
      if (refusing !== undefined) throw refusing
      const { entries, outcome } = decideAll(decide)
      await new Promise<void>((resolve, reject) => {
        commits.push({
          entries,
          durable() {
            hooks.durable(entries)
            resolve()
          },
          stored: hooks.durable,
          discarded: reject,
        })
      })
      if ('refusal' in outcome) throw outcome.refusal
      return outcome.answer
    },
    report,
    // Scheduling follows whatever is decided.
    nudge: () => report(nothing),
    keepsReports: () => discarded.length + kept.length > 0,
    retryKept() {
      const again = [...discarded, ...kept]
      discarded = []
      kept = []
      for (const decide of again) report(decide)
      // Leases were held back too; giving one out also shows whether the store is back.
      report(nothing)
    },
  }
}
