import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** The names that an entry point exports, types marked, from its hand-written index. */
function exportsOf(index: string): string[] {
  const text = readFileSync(new URL(`../../src/${index}`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/export (type )?\{([^}]*)\} from/g)]
  return blocks
    .flatMap(([, type, names = '']) =>
      names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => (type === undefined ? name : `type ${name}`)),
    )
    .toSorted()
}

async function valuesOf(entry: string): Promise<string[]> {
  const module = (await import(entry)) as Record<string, unknown>
  return Object.keys(module).toSorted()
}

function values(names: readonly string[]): string[] {
  return names.filter((name) => !name.startsWith('type '))
}

it('the exports of flotilla are these and no others', async () => {
  const names = exportsOf('index.ts')
  expect(names).toMatchInlineSnapshot(`
    [
      "FleetError",
      "NonRetryableError",
      "checkRun",
      "createFleet",
      "defineTask",
      "errorCodes",
      "jsonStore",
      "leaseMachine",
      "memoryStore",
      "openControl",
      "publicEvent",
      "runMachine",
      "type AttemptArtifact",
      "type AttemptContext",
      "type AttemptDependency",
      "type Batch",
      "type Blobs",
      "type CancelOptions",
      "type Channel",
      "type ChannelEnd",
      "type Clock",
      "type CollectorLimits",
      "type CommandOutcome",
      "type Control",
      "type ControlOutcome",
      "type CreateOptions",
      "type Defaults",
      "type Enforcement",
      "type EventPage",
      "type EventsOptions",
      "type Explanation",
      "type FileFacts",
      "type Files",
      "type Fleet",
      "type FleetErrorCode",
      "type FleetErrorOptions",
      "type FleetEvent",
      "type FleetEventName",
      "type FleetEventOf",
      "type FleetEventPayloads",
      "type FleetLimits",
      "type FleetListener",
      "type FleetOptions",
      "type FleetReceipt",
      "type FleetRunSpec",
      "type FleetRunSpecInput",
      "type FleetRuntimeEvent",
      "type FleetSummary",
      "type FleetTaskSpec",
      "type FleetTaskSpecInput",
      "type GapEvent",
      "type Handler",
      "type Handlers",
      "type Ids",
      "type InboxItem",
      "type Json",
      "type JsonObject",
      "type LeaseContext",
      "type LeaseEvent",
      "type PlainHandler",
      "type ReplayOptions",
      "type Retention",
      "type Run",
      "type RunArtifact",
      "type RunClaim",
      "type RunCommand",
      "type RunContext",
      "type RunEvent",
      "type RunLog",
      "type RunReader",
      "type RunResult",
      "type RunRow",
      "type RunSummary",
      "type SettleVerdict",
      "type Snapshot",
      "type SnapshotRecord",
      "type StandardSchema",
      "type Store",
      "type StoreOpening",
      "type StoreOwner",
      "type StoredEntry",
      "type TaskDefinition",
      "type TaskFields",
      "type TaskStatus",
      "type TaskView",
      "type Transport",
      "type WaitReason",
      "type WorkerEvent",
      "type WorkerLaunch",
      "type WorkerOptions",
      "type WorkerView",
      "workerMachine",
    ]
  `)
  expect(await valuesOf('flotilla')).toEqual(values(names))
})

it('the exports of flotilla/protocol are these and no others', async () => {
  const names = exportsOf('protocol/index.ts')
  expect(names).toMatchInlineSnapshot(`
    [
      "FleetAlertChannel",
      "FleetAlertEndpoint",
      "FleetAlertEventClass",
      "FleetAlertPolicy",
      "FleetArtifactKind",
      "FleetArtifactRef",
      "FleetCapabilityGrant",
      "FleetEffectivePermissions",
      "FleetEnvironmentRequirements",
      "FleetError",
      "FleetEventReplay",
      "FleetHostSpec",
      "FleetInboxEntry",
      "FleetReceipt",
      "FleetResolvedRoute",
      "FleetRetryPolicy",
      "FleetRun",
      "FleetRunId",
      "FleetRunSpec",
      "FleetRunStatus",
      "FleetRunTarget",
      "FleetRuntimeEvent",
      "FleetScore",
      "FleetScorerSpec",
      "FleetSecretRef",
      "FleetSecurityPolicy",
      "FleetTaskBudget",
      "FleetTaskFailureKind",
      "FleetTaskResult",
      "FleetTaskSpec",
      "FleetTaskWorkerProfile",
      "FleetTrustLevel",
      "FleetWorkerAuth",
      "FleetWorkerEvent",
      "FleetWorkerEventPayload",
      "FleetWorkerSpec",
      "FleetWorkerStatus",
      "FleetWorkflow",
      "FleetWorkspaceRequirements",
      "checkSize",
      "dependencyProblems",
      "errorCodes",
      "fleetTypeNames",
      "formatPath",
      "formatSecretRef",
      "invalidDocument",
      "isActiveRunStatus",
      "isActiveWorkerStatus",
      "isTerminalRunStatus",
      "isTerminalWorkerStatus",
      "isToken",
      "jsonSchema",
      "knownArtifactKinds",
      "lowerTrust",
      "mayAccessSecrets",
      "mayUseNetwork",
      "mayWriteWorkspace",
      "parseTaskDocument",
      "parseTasks",
      "reservedId",
      "sizeLimits",
      "trustRank",
      "type AcceptedMessage",
      "type ArtifactMessage",
      "type AssignMessage",
      "type AttemptKey",
      "type AttemptMessage",
      "type CollectedMessage",
      "type CommandOutcome",
      "type Contract",
      "type DependencyResult",
      "type DependentTask",
      "type DocumentPath",
      "type DocumentProblem",
      "type ErrorCodeRow",
      "type FailedMessage",
      "type FleetErrorCode",
      "type FleetErrorOptions",
      "type FleetEvent",
      "type FleetEventName",
      "type FleetEventOf",
      "type FleetEventPayloads",
      "type FleetRunSpecInput",
      "type FleetSecurityPolicyInput",
      "type FleetTaskSpecInput",
      "type FleetTypeName",
      "type FleetWorkerSpecInput",
      "type FromWorker",
      "type HeartbeatMessage",
      "type HelloMessage",
      "type Json",
      "type JsonObject",
      "type LogMessage",
      "type PostedAnswer",
      "type PostedCommand",
      "type ProcessRecord",
      "type ProgressEvent",
      "type ProgressMessage",
      "type ReportedProblem",
      "type ResultMessage",
      "type RunCommand",
      "type SettleVerdict",
      "type SizeLimits",
      "type StopMessage",
      "type StoppedMessage",
      "type ToWorker",
      "type UsageMessage",
    ]
  `)
  expect(await valuesOf('flotilla/protocol')).toEqual(values(names))
})

it('the exports of flotilla/testing are these and no others', async () => {
  const names = exportsOf('testing/index.ts')
  expect(names).toMatchInlineSnapshot(`
    [
      "createVirtualClock",
      "storeContract",
      "type StoreContractCase",
      "type StoreUnderTest",
      "type VirtualClock",
    ]
  `)
  expect(await valuesOf('flotilla/testing')).toEqual(values(names))
})
