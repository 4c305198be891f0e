import { expect, test } from 'vitest'
// The entry makes the machines as it is loaded, in no test.
import { leaseMachine, runMachine, workerMachine } from '../../../src/lifecycles/index.ts'
import { leaseLifecycle } from '../../../src/lifecycles/lease.ts'
import { runLifecycle } from '../../../src/lifecycles/run.ts'
import { workerLifecycle } from '../../../src/lifecycles/worker.ts'

test('CO3 the machine of leases is one that a table can step', () => {
  expect(leaseLifecycle.machine).toBe(leaseMachine)
  expect(leaseMachine.id).toBe('lease')
  expect(leaseLifecycle.initial).toEqual({ value: 'blocked', context: { attempt: 0, failures: 0, crashes: 0 } })
})

test('CO3 the machine of runs is one that a table can step', () => {
  expect(runLifecycle.machine).toBe(runMachine)
  expect(runMachine.id).toBe('run')
  expect(runLifecycle.initial).toEqual({ value: 'pending', context: { pausedFrom: null } })
})

test('CO3 the machine of workers is one that a table can step', () => {
  expect(workerLifecycle.machine).toBe(workerMachine)
  expect(workerMachine.id).toBe('worker')
  expect(workerLifecycle.initial).toEqual({ value: 'unknown', context: {} })
})

test('CO3 a machine is made once', () => {
  expect(leaseLifecycle.machine).toBe(leaseLifecycle.machine)
})
