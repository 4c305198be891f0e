/** One thing that every adapter of a port does. */
export interface ContractCase {
  /** Rule and sentence: a title for a test. */
  readonly id: string
  readonly rule: string
  /** Rejects when the adapter does not do it. */
  run(): Promise<void>
}

/** Cases of checks by title, each with a fresh adapter. */
export function contractCases<Context extends { dispose(): Promise<void> }>(
  checks: Readonly<Record<string, (context: Context) => Promise<void>>>,
  make: () => Promise<Context>,
): readonly ContractCase[] {
  return Object.entries(checks).map(([id, check]) => ({
    id,
    rule: id.slice(0, id.indexOf(' ')),
    run: async () => {
      const context = await make()
      try {
        await check(context)
      } finally {
        await context.dispose()
      }
    },
  }))
}
