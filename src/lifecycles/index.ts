export { leaseMachine, runMachine, workerMachine } from './machines.ts'
export type { LeaseContext, LeaseEvent, TaskStatus } from './lease.ts'
export type { RunContext, RunEvent } from './run.ts'
export type { WorkerEvent } from './worker.ts'
