import { leaseLifecycle } from './lease.ts'
import { runLifecycle } from './run.ts'
import { workerLifecycle } from './worker.ts'

// The machines of the three lifecycles, as XState knows them: for its tools, and to test against.

/** The life of a task: waiting, held by a worker, ended. */
export const leaseMachine = leaseLifecycle.machine
/** The life of a run. */
export const runMachine = runLifecycle.machine
/** The life of a worker. */
export const workerMachine = workerLifecycle.machine
