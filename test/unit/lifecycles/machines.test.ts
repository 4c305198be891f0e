import { expect, test } from 'vitest'
import { leaseLifecycle } from '../../../src/lifecycles/lease.ts'
import { runLifecycle } from '../../../src/lifecycles/run.ts'
import { workerLifecycle } from '../../../src/lifecycles/worker.ts'

test('CO3 the machine of leases is one that a table can step', () => {
  expect(leaseLifecycle.machine.id).toBe('lease')
  expect(leaseLifecycle.initial).toEqual({ value: 'blocked', context: { attempt: 0, failures: 0, crashes: 0 } })
})

test('CO3 the machine of runs is one that a table can step', () => {
  expect(runLifecycle.machine.id).toBe('run')
  expect(runLifecycle.initial).toEqual({ value: 'pending', context: { pausedFrom: null } })
})

test('CO3 the machine of workers is one that a table can step', () => {
  expect(workerLifecycle.machine.id).toBe('worker')
  expect(workerLifecycle.initial).toEqual({ value: 'unknown', context: {} })
})

test('CO3 a machine is made once', () => {
  expect(leaseLifecycle.machine).toBe(leaseLifecycle.machine)
})
