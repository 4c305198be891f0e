import type { Clock } from '../ports/clock.ts'

/** Waits before something is tried again: twice as long each time, and anywhere in the upper half of that, so that many do not come at once. */
export async function pauseBeforeRetry(
  { clock, random, over }: { readonly clock: Clock; readonly random: () => number; readonly over: AbortSignal },
  failures: number,
  { firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number } = { firstMs: 100, mostMs: 2_000 },
): Promise<void> {
  const ms = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30))
  await clock.sleep(ms / 2 + (ms / 2) * random(), { signal: over })
}
