export { createFleet } from './fleet/create-fleet.ts'
export { checkRun, type CheckOptions } from './fleet/check-run.ts'
export { dryRunAlerts, type AlertDryRun } from './fleet/dry-run-alerts.ts'
export type { AlertOptions } from './fleet/alerts.ts'
export { defineTask, type TaskDefinition, type TaskFields } from './worker/define-task.ts'
export { envSecrets } from './host/env-secrets.ts'
export { fileSecrets, type SecretFiles } from './host/file-secrets.ts'
export { jsonStore, memoryStore } from './fleet/stores.ts'
export {
  childProcesses,
  workerThreads,
  type ChildProcessWorkerOptions,
  type WorkerThreadWorkerOptions,
} from './fleet/launched-workers.ts'
export type { ChildProcessOptions } from './transports/child-process.ts'
export type { PoolOptions } from './transports/worker-pool.ts'
export type { WorkerThreadOptions } from './transports/worker-thread.ts'
export type { ConnectionListener, WorkerConnection } from './ports/worker-connection.ts'
export { container, type ContainerOptions, type ContainersOptions } from './fleet/container.ts'
export type { CreateOptions } from './fleet/creations.ts'
export type { Fleet, WorkerView } from './fleet/fleet.ts'
export type { ConcurrencyLimits } from './engine/gates.ts'
export type { ConcurrencyLimit } from './engine/limit-gate.ts'
export type { FleetLimits, FleetOptions, WorkerOptions } from './fleet/options.ts'
export type { ProfileOptions } from './fleet/profiles.ts'
export type { Retention } from './fleet/retention.ts'
export type { CancelOptions, Run } from './fleet/run-handle.ts'
export type { RunReader } from './fleet/run-reader.ts'
export type { RunArtifact } from './fleet/run-artifacts.ts'
export type { RunLog } from './fleet/run-log.ts'
export type { RunResult } from './fleet/run-result.ts'
export type { EventPage, EventsOptions, ReplayOptions } from './fleet/event-stream.ts'
export { openControl, type Control, type ControlOutcome } from './fleet/control.ts'
export { inspectHost, inspectStore, repairStore, verifyRun, type HostInspection } from './fleet/doctor.ts'
export type { FindingWeight, StoreFinding } from './store/json/doctor/finding.ts'
export type { StoreInspection } from './store/json/doctor/inspect-store.ts'
export type { LostHistory } from './store/json/doctor/lost-history.ts'
export type { StoreRepair } from './store/json/doctor/repair-store.ts'
export type { RunVerification } from './store/json/doctor/verify-run.ts'
export type { Explanation, WaitReason } from './engine/explain.ts'
export type { AlertStatus } from './engine/alert-record.ts'
export type { AlertView, FleetSummary, RunSummary, TaskView } from './engine/views.ts'
export type { Defaults } from './engine/defaults.ts'
export { publicEvent } from './engine/public-event.ts'
export type { FleetListener } from './observability/bus.ts'
export type { GapEvent } from './observability/subscription.ts'
export type { SandboxLimits } from './security/sandbox.ts'
export type { ContainerLimits } from './security/container.ts'
export type { ContainerChoice } from './transports/container-probe.ts'
export type { ContainerSettings } from './transports/container-options.ts'
export type { SandboxOptions } from './transports/command.ts'
export type { CollectorLimits } from './workspace/collector.ts'
export type { AttemptArtifact, AttemptContext, AttemptDependency, AttemptRoute } from './worker/attempt.ts'
export type { AttemptSecrets } from './worker/attempt-secrets.ts'
export type { PlainHandler } from './worker/handler.ts'
export type { Handler, Handlers } from './worker/handlers.ts'
export type { StandardSchema } from './worker/standard-schema.ts'
export { NonRetryableError } from './worker/non-retryable-error.ts'
export { leaseMachine, type LeaseContext, type LeaseEvent, type TaskStatus } from './lifecycles/lease.ts'
export { runMachine, type RunContext, type RunEvent } from './lifecycles/run.ts'
export { workerMachine, type WorkerEvent } from './lifecycles/worker.ts'
export { errorCodes, FleetError, type FleetErrorCode, type FleetErrorOptions } from './protocol/errors.ts'
export type { FleetEvent, FleetEventName, FleetEventOf, FleetEventPayloads } from './protocol/fleet-event.ts'
export type { CommandOutcome, RunCommand, SettleVerdict } from './protocol/command.ts'
export type { FleetRuntimeEvent } from './protocol/event.ts'
export type { AgentProfileInput, RolePresetInput } from './protocol/profile.ts'
export type { FleetReceipt } from './protocol/receipt.ts'
export type { FleetRunSpec, FleetRunSpecInput } from './protocol/run-spec.ts'
export type { FleetTaskSpec, FleetTaskSpecInput } from './protocol/task.ts'
export type { Json, JsonObject } from './protocol/json.ts'
export type { Alert, AlertOutcome, AlertPreview, AlertSink, AlertSinks } from './ports/alert-sink.ts'
export type { Blobs } from './ports/blobs.ts'
export type { Clock } from './ports/clock.ts'
export type { Environment } from './ports/environment.ts'
export type { FileFacts, Files } from './ports/files.ts'
export type { Ids } from './ports/ids.ts'
export type { SecretSource } from './ports/secrets.ts'
export type { Verifier, VerifierAnswer, VerifierInput } from './ports/verifier.ts'
export type { CheckCommand, CheckEnd, CheckRunner } from './ports/check-runner.ts'
export type {
  Batch,
  InboxItem,
  RunClaim,
  RunRow,
  Snapshot,
  SnapshotRecord,
  SnapshotShard,
  SnapshotSource,
  Store,
  StoredEntry,
  StoreOpening,
  StoreOwner,
} from './ports/store.ts'
export type { Channel, ChannelEnd, Enforcement, Transport, WorkerLaunch } from './ports/transport.ts'
