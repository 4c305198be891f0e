export { alertEventClasses, FleetAlertChannel, FleetAlertEndpoint, FleetAlertEventClass, FleetAlertPolicy } from './alert.ts'
export { FleetArtifactKind, FleetArtifactRef, knownArtifactKinds } from './artifact.ts'
export type { Contract } from './codec.ts'
export type { CommandOutcome, PostedAnswer, PostedCommand, RunCommand, SettleVerdict } from './command.ts'
export { dependencyProblems, type DependentTask } from './dependencies.ts'
export { errorCodes, FleetError, type ErrorCodeRow, type FleetErrorCode, type FleetErrorOptions } from './errors.ts'
export { FleetEventReplay, FleetInboxEntry, FleetRuntimeEvent, FleetWorkerEvent, FleetWorkerEventPayload } from './event.ts'
export type { FleetEvent, FleetEventName, FleetEventOf, FleetEventPayloads } from './fleet-event.ts'
export { FleetHostSpec } from './host.ts'
export { FleetRunId, isToken, reservedId } from './ids.ts'
export type { Json, JsonObject } from './json.ts'
export { fleetTypeNames, frameTypeNames, jsonSchema, type FleetTypeName, type FrameTypeName } from './json-schema.ts'
export { formatPath, invalidDocument, type DocumentPath, type DocumentProblem, type ReportedProblem } from './problem.ts'
export {
  FleetEffectivePermissions,
  FleetReceipt,
  FleetResolvedRoute,
  FleetScore,
  FleetTaskFailureKind,
  FleetTaskResult,
} from './receipt.ts'
export type { RouteReport } from './route.ts'
export type { AgentProfile, AgentProfileInput, RolePreset, RolePresetInput } from './profile.ts'
export { FleetRun, FleetRunStatus, FleetRunTarget, FleetWorkflow, isActiveRunStatus, isTerminalRunStatus } from './run.ts'
export { FleetRunSpec, type FleetRunSpecInput } from './run-spec.ts'
export {
  FleetCapabilityGrant,
  FleetSecretRef,
  FleetSecurityPolicy,
  FleetTrustLevel,
  formatSecretRef,
  lowerTrust,
  mayAccessSecrets,
  mayUseNetwork,
  mayWriteWorkspace,
  trustRank,
  type FleetSecurityPolicyInput,
} from './security.ts'
export { checkSize, sizeLimits, type SizeLimits } from './size-limit.ts'
export {
  FleetEnvironmentRequirements,
  FleetRetryPolicy,
  FleetScorerSpec,
  FleetTaskBudget,
  FleetTaskSpec,
  FleetTaskWorkerProfile,
  FleetWorkspaceRequirements,
  type FleetTaskSpecInput,
} from './task.ts'
export { parseTasks, type TaskListRun } from './task-list.ts'
export { parseTaskDocument } from './task-file.ts'
export {
  FleetWorkerAuth,
  FleetWorkerSpec,
  FleetWorkerStatus,
  isActiveWorkerStatus,
  isTerminalWorkerStatus,
  type FleetWorkerSpecInput,
} from './worker.ts'
export { readWorkerFrame, type WorkerFrameReading } from './worker-frame.ts'
export { workerProtocolVersion } from './worker-protocol.ts'
export type {
  AckFrame,
  AttemptFrame,
  ChunkFrame,
  DrainFrame,
  EvidenceFrame,
  FileFrame,
  FleetAttemptFrame,
  FleetByeFrame,
  FleetFrame,
  HelloFrame,
  KnownAttempt,
  PingFrame,
  RefusedFrame,
  WelcomeFrame,
  WorkerByeFrame,
  WorkerFrame,
} from './worker-protocol.ts'
export type {
  AcceptedMessage,
  ArtifactMessage,
  AssignMessage,
  AttemptKey,
  AttemptMessage,
  CollectedMessage,
  Confinement,
  DependencyResult,
  FailedMessage,
  FromWorker,
  HeartbeatMessage,
  HelloMessage,
  LogMessage,
  ProcessRecord,
  ProgressEvent,
  ProgressMessage,
  ResultMessage,
  HandBackMessage,
  RouteMessage,
  StopMessage,
  StoppedMessage,
  ToWorker,
  UsageMessage,
} from './wire.ts'
