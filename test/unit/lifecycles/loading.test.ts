import { expect, test } from 'vitest'

// Imported inside the tests: a machine that a table cannot step is refused while its file loads, which is no failure of a test otherwise.

test('CO3 the machine of leases is one that a table can step', async () => {
  const { leaseLifecycle } = await import('../../../src/lifecycles/lease.ts')
  expect(leaseLifecycle.machine.id).toBe('lease')
  expect(leaseLifecycle.initial).toEqual({ value: 'blocked', context: { attempt: 0, failures: 0, crashes: 0 } })
})

test('CO3 the machine of runs is one that a table can step', async () => {
  const { runLifecycle } = await import('../../../src/lifecycles/run.ts')
  expect(runLifecycle.machine.id).toBe('run')
  expect(runLifecycle.initial).toEqual({ value: 'pending', context: { pausedFrom: null } })
})

test('CO3 the machine of workers is one that a table can step', async () => {
  const { workerLifecycle } = await import('../../../src/lifecycles/worker.ts')
  expect(workerLifecycle.machine.id).toBe('worker')
  expect(workerLifecycle.initial).toEqual({ value: 'unknown', context: {} })
})
