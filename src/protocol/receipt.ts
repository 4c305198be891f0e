import { z } from 'zod'
import { FleetArtifactRef } from './artifact.ts'
import { contract, type ValueOf } from './codec.ts'
import { f64, flag, json, list, map, object, optional, timestamp, token, u32, u64 } from './field.ts'
import { FleetRunId } from './ids.ts'
import { routeText } from './route.ts'
import { FleetTrustLevel } from './security.ts'

/** What became of an attempt (VE). */
export const FleetTaskResult = contract('FleetTaskResult', () => z.enum(['pass', 'partial', 'fail', 'skip', 'timeout']))
export type FleetTaskResult = ValueOf<typeof FleetTaskResult>

/** Whose fault a failure is: the way to the work, the work, or its check (RE7). */
export const FleetTaskFailureKind = contract('FleetTaskFailureKind', () => z.enum(['transport', 'task', 'verifier']))
export type FleetTaskFailureKind = ValueOf<typeof FleetTaskFailureKind>

/** How good a result is, out of `max` where there is one (VE3, VE5). */
export const FleetScore = contract('FleetScore', () =>
  object({ value: f64(), max: optional(f64()), notes: optional(z.string()) }),
)
export type FleetScore = ValueOf<typeof FleetScore>

/** Which model served an attempt, by way of what. Never a credential, nor a URL that embeds one. */
export const FleetResolvedRoute = contract('FleetResolvedRoute', () =>
  object({
    provider_id: routeText(),
    provider_exact_id: optional(routeText()),
    provider_kind: routeText(),
    canonical_model: optional(routeText()),
    wire_model_id: routeText(),
    protocol: routeText(),
    role: optional(routeText()),
    loadout: optional(routeText()),
    model_class: optional(routeText()),
    model_route: optional(routeText()),
    reasoning_effort: optional(routeText()),
    role_source: optional(routeText()),
    loadout_source: optional(routeText()),
    model_class_source: optional(routeText()),
    model_source: optional(routeText()),
    source: routeText(),
  }),
)
export type FleetResolvedRoute = ValueOf<typeof FleetResolvedRoute>

/** What was enforced on an attempt, not what was asked for (SE1). */
export const FleetEffectivePermissions = contract('FleetEffectivePermissions', () =>
  object({
    write: flag(),
    network: flag(),
    shell: z.enum(['none', 'read_only', 'full']),
    tool_scope: z.enum(['inherit', 'explicit']),
    tools: list(z.string()),
    background: flag(),
    max_spawn_depth: u32(),
    profile_id: optional(z.string()),
    profile_origin: optional(z.string()),
    source: z.string(),
  }),
)
export type FleetEffectivePermissions = ValueOf<typeof FleetEffectivePermissions>

/** The record of how an attempt ended (VE6). */
export const FleetReceipt = contract('FleetReceipt', () =>
  object({
    run_id: FleetRunId.schema,
    task_id: token(),
    /** `fleet` where no worker ever had the task. */
    worker_id: token(),
    attempt: optional(u32()),
    /** Sequence of the worker event that ended the attempt. */
    terminal_seq: optional(u64()),
    completed_at: timestamp(),
    result: FleetTaskResult.schema,
    failure_kind: optional(FleetTaskFailureKind.schema),
    artifacts: list(FleetArtifactRef.schema),
    score: optional(FleetScore.schema),
    resolved_route: optional(FleetResolvedRoute.schema),
    effective_permissions: optional(FleetEffectivePermissions.schema),
    /** What the worker was asked to be, after its task, its profile, its role's preset and its run; left out when nobody said anything. */
    profile: optional(
      object({
        profile_id: optional(token()),
        /** `built-in`, or `fleet` when the application gave it. */
        profile_origin: optional(z.string()),
        role: optional(routeText()),
        loadout: optional(routeText()),
        model_class: optional(routeText()),
        model: optional(routeText()),
        tool_profile: optional(z.string()),
        trust_level: optional(FleetTrustLevel.schema),
        /** By field, where its value comes from: `task.role`, `agent_profile.model`, `role_preset.timeout_seconds`, `run.loadout`. */
        sources: map(z.string()),
      }),
    ),
    /** Tokens that the worker reported. */
    usage: optional(object({ input_tokens: u64(), output_tokens: u64() })),
    /** What counts against the budget (BU4). */
    spent: optional(object({ tokens: u64(), tool_calls: u64(), seconds: f64().min(0, { error: 'a number of at least 0' }) })),
    /** What a handler returned. */
    output: optional(json()),
    /** Who replaced a partial verdict, and why (VE5). */
    settled: optional(object({ by: z.string(), why: optional(z.string()) })),
    /** What the verdict rests on (VE6). */
    evidence: optional(z.string()),
  }),
)
export type FleetReceipt = ValueOf<typeof FleetReceipt>
