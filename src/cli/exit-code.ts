import type { RunOutcome } from './outcome.ts'

/** How bad an exit code is among those of several runs. */
const severity: Readonly<Record<number, number>> = { 0: 0, 3: 1, 1: 2, 2: 3 }

/**
 * 0: completed. 1: something failed, or the run was cancelled. 3: a verdict is awaited, an expected artifact is missing, a result was
 * handed back early; with `strict` also a success that nothing checked.
 */
export function exitCodeOf({ summary, tasks }: RunOutcome, { strict }: { readonly strict: boolean }): number {
  if (summary.status === 'failed' || summary.status === 'cancelled') return 1
  if (tasks.some((task) => task.status === 'failed' || task.status === 'cancelled')) return 1
  const isOpen = tasks.some((task) => task.awaitsVerdict || task.missing.length > 0 || task.isEarly)
  return isOpen || (strict && tasks.some((task) => task.isUnscored)) ? 3 : 0
}

/** The worst of several exit codes: 2, then 1, then 3, then 0. */
export function worst(codes: readonly number[]): number {
  return codes.reduce((a, b) => ((severity[b] ?? 2) > (severity[a] ?? 2) ? b : a), 0)
}
