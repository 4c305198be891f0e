import { appendChecks } from './store-checks/append.ts'
import { besideChecks } from './store-checks/beside.ts'
import { ownerChecks } from './store-checks/owner.ts'
import { runChecks } from './store-checks/runs.ts'
import type { StoreUnderTest } from './store-checks/sample.ts'

export type { StoreUnderTest }

/** One thing that every store does. */
export interface StoreContractCase {
  /** Rule and sentence: a title for a test. */
  readonly id: string
  readonly rule: string
  /** Rejects when the store does not do it. */
  run(): Promise<void>
}

/**
 * What every `Store` must do (ST9), one case each, for any test runner:
 * `for (const { id, run } of storeContract(make)) test(id, run)`. `make` gives a new, empty store for each case.
 */
export function storeContract(make: () => Promise<StoreUnderTest>): readonly StoreContractCase[] {
  return Object.entries({ ...appendChecks, ...ownerChecks, ...runChecks, ...besideChecks }).map(([id, check]) => ({
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
