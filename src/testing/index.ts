export type { BudgetLimit, OverBudget } from '../engine/budget.ts'
export type { AlertChange, AlertRecord, AlertStatus } from '../engine/alert-record.ts'
export type {
  AlertDelivery,
  EffectKind,
  Entry,
  EntryKind,
  NewTask,
  PendingResult,
  RunFields,
  TaskFields,
  WorkerRecord,
} from '../engine/entry.ts'
export { addedId, addedSpec } from '../engine/entry.ts'
export type { SpecRecord } from '../engine/spec-record.ts'
export { wholeReceipt, type ReceiptRecord, type ShortReceipt } from '../engine/receipt-record.ts'
export type { RunHeader } from '../engine/run-header.ts'
export { type AlertReceiver, type AlertReception, type ReceivedAlert } from './alert-receiver.ts'
export { assertRun, type ExpectedRun, type ExpectedTask } from './assert-run.ts'
export { faultPoints, faults, type Fault, type FaultKind, type FaultOptions, type FaultPlan } from './faults.ts'
export type { Duration } from './duration.ts'
export { script, type Draft, type Script, type ScriptEnd, type ScriptStep } from './script.ts'
export { worker, type Play, type ScriptedWorker, type ScriptedWorkerOptions } from './scripted-worker.ts'
export { openRecording, type RecordedStep, type Recording } from './recording/open-recording.ts'
export type { RecordedMoment } from './recording/recorded-moment.ts'
export type { JournalLine } from './recording/recording-lines.ts'
export { replay, type Replay, type ReplayOptions } from './recording/replay.ts'
export type { Divergence } from './recording/divergence.ts'
export type {
  Input as RecordedInput,
  NotedError as RecordedError,
  Outcome as RecordedOutcome,
  Step as RecordedStepDetails,
} from '../recording/step.ts'
export type { Invariant, World } from './invariants.ts'
export type { Happened, ModelRun, ModelTask } from './model.ts'
export { simulate, type SimulateOptions, type SimulationFailure, type SimulationReport } from './simulate.ts'
export type { Scenario, Violation } from './simulation.ts'
export type { Stage } from './stage.ts'
export type { ContractCase } from './contract-case.ts'
export { clockContract, type ClockUnderTest } from './clock-contract.ts'
export { storeContract, type StoreUnderTest } from './store-contract.ts'
export { transportContract, type TransportUnderTest } from './transport-contract.ts'
export { assignment } from './assignment.ts'
export { createTestFleet, type TestFleet, type TestFleetOptions } from './test-fleet.ts'
export type { TestStore } from './test-store.ts'
export { timeline } from './timeline.ts'
export { createVirtualClock, type ProcessClock, type VirtualClock } from './virtual-clock.ts'
