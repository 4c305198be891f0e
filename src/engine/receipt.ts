import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { Json } from '../protocol/json.ts'
import type { FleetScore, FleetTaskFailureKind, FleetTaskResult } from '../protocol/receipt.ts'
import { usualPermissions, usualTerms } from '../security/trust.ts'
import { appliedProfile, resolvedRoute, withProfile } from './applied-profile.ts'
import { boundedEvidence } from './evidence.ts'
import type { Draft } from './entry.ts'
import { lastReported, reporterOf } from './receipt-record.ts'
import type { ReceiptRecord } from './receipt-record.ts'
import { fleetReporter, isLeased } from './state.ts'
import type { TaskState } from './state.ts'

/** What the end of an attempt adds to what is known of it. */
export interface ReceiptFacts {
  readonly result: FleetTaskResult
  readonly at: number
  /** When it was last known to work, where that is not `at`. */
  readonly until?: number
  /** Sequence of the worker event that ended the attempt. */
  readonly terminalSeq: number
  /** The events that the entry reports with it. */
  readonly reported: Pick<Draft, 'worker' | 'workerSeq' | 'events'>
  readonly failureKind?: FleetTaskFailureKind
  readonly score?: FleetScore
  readonly evidence?: string
  readonly output?: Json
  /** Artifacts that end the attempt, after those that it reported. */
  readonly artifacts?: readonly FleetArtifactRef[]
  /** False: no worker had the task when it ended, so nothing was enforced and nothing is said of it. */
  readonly hadWorker?: boolean
}

/**
 * The receipt of a task's live attempt (VE6), for the entry that ends it and says `attempt` and `spentMs`. That of a task that waits is of no
 * attempt, and `fleet` signs it: its entry says neither.
 */
export function receiptOf(task: TaskState, facts: ReceiptFacts): ReceiptRecord {
  const live = isLeased(task.status)
  const worker = (live ? task.worker : null) ?? fleetReporter
  const artifacts = [...(live ? task.artifacts : []), ...(facts.artifacts ?? [])]
  const { inputTokens, outputTokens, toolCalls } = task
  const tokens = inputTokens + outputTokens
  const isTimeAlone = live && tokens === 0 && toolCalls === 0
  return {
    ...(worker !== reporterOf(facts.reported) && { worker_id: worker }),
    ...(facts.terminalSeq !== lastReported(facts.reported) && { terminal_seq: facts.terminalSeq }),
    result: facts.result,
    ...(facts.failureKind !== undefined && { failure_kind: facts.failureKind }),
    ...(artifacts.length > 0 && { artifacts }),
    ...(facts.score !== undefined && { score: facts.score }),
    ...(task.worker !== null && facts.hadWorker !== false && heldTo(task)),
    ...(tokens > 0 && { usage: { input_tokens: inputTokens, output_tokens: outputTokens } }),
    ...(!isTimeAlone && {
      spent: { tokens, tool_calls: toolCalls, seconds: spentMs(task, facts.until ?? facts.at) / 1000 },
    }),
    ...(facts.output !== undefined && facts.output !== null && { output: facts.output }),
    ...(facts.evidence !== undefined && facts.evidence !== '' && { evidence: boundedEvidence(facts.evidence) }),
  }
}

/** What the work was held to, and what it was asked to be. */
function heldTo(task: TaskState): Pick<ReceiptRecord, 'resolved_route' | 'effective_permissions' | 'profile'> {
  const { spec, route } = task
  if (spec.worker === undefined && route === null) return { effective_permissions: task.permissions ?? usualPermissions }
  const permissions = task.permissions ?? usualTerms.permissions
  const resolved_route = resolvedRoute(spec, route)
  const profile = appliedProfile(spec)
  return {
    ...(resolved_route !== undefined && { resolved_route }),
    effective_permissions: withProfile(permissions, spec),
    ...(profile !== undefined && { profile }),
  }
}

/** How long the task was held by workers so far, all its attempts together; waiting costs nothing (BU3, BU4). */
export function spentMs(task: TaskState, now: number): number {
  return task.spentMs + (isLeased(task.status) && task.leasedAt !== null ? Math.max(0, now - task.leasedAt) : 0)
}

/** Kinds of `expected_artifacts` that no artifact meets, each artifact meeting one (AR5). */
export function missingArtifacts(task: TaskState, more: readonly FleetArtifactRef[]): string[] {
  const { expected_artifacts: expected } = task.spec
  if (expected.length === 0) return []
  const had = [...task.artifacts, ...more].map((artifact) => artifact.kind)
  return expected.filter((kind) => {
    const at = had.indexOf(kind)
    if (at < 0) return true
    had.splice(at, 1)
    return false
  })
}
