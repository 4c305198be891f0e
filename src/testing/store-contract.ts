import { contractCases } from './contract-case.ts'
import type { ContractCase } from './contract-case.ts'
import { appendChecks } from './store-checks/append.ts'
import { besideChecks } from './store-checks/beside.ts'
import { ownerChecks } from './store-checks/owner.ts'
import { runChecks } from './store-checks/runs.ts'
import type { StoreUnderTest } from './store-checks/sample.ts'

export type { StoreUnderTest }

/**
 * What every `Store` must do (ST9), one case each, for any test runner:
 * `for (const { id, run } of storeContract(make)) test(id, run)`. `make` gives a new, empty store for each case.
 */
export function storeContract(make: () => Promise<StoreUnderTest>): readonly ContractCase[] {
  return contractCases({ ...appendChecks, ...ownerChecks, ...runChecks, ...besideChecks }, make)
}
