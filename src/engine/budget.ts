import { FleetError } from '../protocol/errors.ts'
import type { FleetTaskBudget } from '../protocol/task.ts'
import { spentMs } from './receipt.ts'
import type { RunState, TaskState } from './state.ts'

/** A limit that a budget may have, by its name on the wire. */
export type BudgetLimit = 'max_tokens' | 'max_tool_calls' | 'max_seconds'

/** What was spent under a budget: tokens in and out together, tool calls, and how long workers held the work. */
export interface Spend {
  readonly tokens: number
  readonly toolCalls: number
  readonly ms: number
}

/** A limit that was crossed, and a sentence that tells which and by how much. */
export interface OverBudget {
  readonly limit: BudgetLimit
  readonly reason: string
}

const limits: Readonly<Record<BudgetLimit, { readonly unit: string; readonly spent: (spend: Spend) => number }>> = {
  max_tokens: { unit: 'tokens', spent: ({ tokens }) => tokens },
  max_tool_calls: { unit: 'tool calls', spent: ({ toolCalls }) => toolCalls },
  max_seconds: { unit: 'seconds', spent: ({ ms }) => ms / 1000 },
}

const names = Object.keys(limits) as BudgetLimit[]

/**
 * The limit that a spend crosses, undefined when it crosses none (BU2). All that a limit allows may be spent; only time is up when it is
 * used up.
 */
export function crossing(whose: 'task' | 'run', budget: FleetTaskBudget, spend: Spend): OverBudget | undefined {
  for (const limit of names) {
    const most = budget[limit]
    if (most === undefined) continue
    const spent = limits[limit].spent(spend)
    if (limit === 'max_seconds' ? spent >= most : spent > most) return overBudget(whose, limit, most, spent)
  }
  return undefined
}

/** The seconds of a budget are used up, as a deadline found out; whatever the wall clock says. */
export function outOfTime(whose: 'task' | 'run', budget: FleetTaskBudget, spend: Spend): OverBudget {
  const most = budget.max_seconds ?? 0
  return overBudget(whose, 'max_seconds', most, Math.max(most, spend.ms / 1000))
}

function overBudget(whose: string, limit: BudgetLimit, most: number, spent: number): OverBudget {
  const rounded = Math.round(spent * 1000) / 1000
  return { limit, reason: `The budget of the ${whose} is spent: ${rounded} of ${most} ${limits[limit].unit} (${limit}).` }
}

/** What all attempts of a task have spent together by now (BU3). */
export function spendOf(task: TaskState, now: number): Spend {
  return { tokens: task.inputTokens + task.outputTokens, toolCalls: task.toolCalls, ms: spentMs(task, now) }
}

/** The limit that a task has crossed, of its own budget or of its run's, whether or not its worker was told (BU2). */
export function overBudgetOf(run: RunState, task: TaskState, now: number): OverBudget | undefined {
  if (task.overBudget !== null) return task.overBudget
  const { budget } = task.spec
  return (budget === undefined ? undefined : crossing('task', budget, spendOf(task, now))) ?? run.overBudget ?? undefined
}

/** Refuses what nothing is left for; `budget_exceeded`. */
export function refuseOverBudget(over: OverBudget | undefined, what: string): void {
  if (over === undefined) return
  throw new FleetError('budget_exceeded', `${over.reason} So ${what}. Give the work to a new run with a larger budget.`)
}

/** What an attempt that begins now may spend: the least that the budgets of its task and its run leave. Undefined without a budget. */
export function budgetLeft(run: RunState, task: TaskState, now: number): FleetTaskBudget | undefined {
  const own = task.spec.budget === undefined ? [] : [left(task.spec.budget, spendOf(task, now))]
  const runs = run.spend === null ? [] : [left(run.spend.budget, run.spend.by(now))]
  const all = [...own, ...runs]
  if (all.length === 0) return undefined
  const least = names.flatMap((limit) => {
    const values = all.flatMap((one) => one[limit] ?? [])
    return values.length === 0 ? [] : [[limit, Math.min(...values)] as const]
  })
  return Object.fromEntries(least)
}

function left(budget: FleetTaskBudget, spend: Spend): FleetTaskBudget {
  const rest = names.flatMap((limit) => {
    const most = budget[limit]
    return most === undefined ? [] : [[limit, Math.max(0, Math.floor(most - limits[limit].spent(spend)))] as const]
  })
  return Object.fromEntries(rest)
}
