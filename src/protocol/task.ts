import { z } from 'zod'
import { FleetAlertPolicy } from './alert.ts'
import { FleetArtifactKind } from './artifact.ts'
import { FleetTrustLevel } from './security.ts'
import { aliased } from './alias.ts'
import { contract, type InputOf, type ValueOf } from './codec.ts'
import {
  displayName,
  distinct,
  field,
  filePath,
  filled,
  hiddenText,
  i32,
  json,
  list,
  map,
  object,
  optional,
  sized,
  text,
  timestamp,
  token,
  u32,
  u64,
  variableName,
  withoutAbsent,
} from './field.ts'

export const modelId = field(() =>
  hiddenText('a model id without spaces, quotes or "="', (value) => /^[!-~]+$/.test(value) && !/[='"]/.test(value)),
)

/** Which worker a task wants, and how it should work (SC3). All of it is handed to the worker. Reads `profile` as `agent_profile`. */
export const FleetTaskWorkerProfile = contract('FleetTaskWorkerProfile', () =>
  aliased(
    object({
      agent_profile: optional(token()),
      role: optional(token()),
      loadout: optional(token()),
      model_class: optional(token()),
      model: optional(modelId()),
      tool_profile: optional(filled()),
      tools: list(filled()),
      capabilities: list(filled()),
      /** How to work, besides the task's own instructions. */
      instructions: optional(filled()),
      /** The highest level that the task runs at; it raises none (SE1). */
      trust_level: optional(FleetTrustLevel.schema),
      /** Written by the fleet when it merged a profile: where each value comes from. What a document says here is not read. */
      resolution: optional(object({ profile_origin: optional(z.string()), sources: map(z.string()) })),
    }),
    { profile: 'agent_profile' },
  ),
)
export type FleetTaskWorkerProfile = ValueOf<typeof FleetTaskWorkerProfile>

/** Names of environment variables, never values: those that must be set, and those that may be passed on (WS3). */
export const FleetEnvironmentRequirements = contract('FleetEnvironmentRequirements', () =>
  object({ required: list(variableName()), allowlist: list(variableName()) }),
)
export type FleetEnvironmentRequirements = ValueOf<typeof FleetEnvironmentRequirements>

/** What a task needs of the workspace, and the paths that it claims to write (WS1–WS4, SC7). */
export const FleetWorkspaceRequirements = contract('FleetWorkspaceRequirements', () =>
  object({
    root: optional(filePath()),
    required_files: list(filePath()),
    writable_paths: list(filePath()),
    environment: optional(FleetEnvironmentRequirements.schema),
  }),
)
export type FleetWorkspaceRequirements = ValueOf<typeof FleetWorkspaceRequirements>

/** Limits on what all attempts of a task, or all tasks of a run, may spend together (BU). */
export const FleetTaskBudget = contract('FleetTaskBudget', () =>
  object({ max_tokens: optional(u64()), max_tool_calls: optional(u32()), max_seconds: optional(u64()) }),
)
export type FleetTaskBudget = ValueOf<typeof FleetTaskBudget>

/** How a result is checked; `kind` tells which way (VE). */
export const FleetScorerSpec = contract('FleetScorerSpec', () =>
  z.discriminatedUnion('kind', [
    object({ kind: z.literal('exit_code') }),
    object({ kind: z.literal('file_exists'), path: filePath() }),
    object({ kind: z.literal('regex_match'), path: filePath(), pattern: z.string() }),
    object({ kind: z.literal('json_path'), path: filePath(), expression: z.string() }),
    object({ kind: z.literal('command'), command: filled(), args: list(z.string()) }),
    object({ kind: z.literal('code_whale_verifier_prompt'), prompt: filled() }),
    object({ kind: z.literal('manual') }),
  ]),
)
export type FleetScorerSpec = ValueOf<typeof FleetScorerSpec>

/** How often and when a failed task is tried again (RE1–RE3). `{}` is the policy of a task without one. */
export const FleetRetryPolicy = contract('FleetRetryPolicy', () =>
  object({
    /** Attempts in all, the first included; 0 and 1 both mean no retry. */
    max_attempts: u32().default(3),
    initial_backoff_seconds: u64().default(5),
    max_backoff_seconds: u64().default(300),
    backoff_multiplier: u32().default(2),
    /** When given, exactly these are retried. */
    retry_on: z.array(z.enum(['transport', 'task', 'verifier', 'timeout', 'stale'])).optional(),
  }),
)
export type FleetRetryPolicy = ValueOf<typeof FleetRetryPolicy>

const contractName = field(() =>
  text('one line of 1 to 128 characters', (value) => /^[^\p{Cc}\u2028\u2029]{1,128}$/u.test(value)),
)

const word = field(() => text('a non-empty string without NUL', (value) => /^[^\0]+$/.test(value)))

const metadata = field(() =>
  z
    .object({
      /** Lower runs first (SC2). */
      priority: optional(i32()),
      /** The class that limits count (SC6). */
      class: optional(filled()),
      /** Named claims: two tasks that share one do not run at the same time (SC7). */
      coordination_contracts: sized(contractName(), { maxItems: 16 }).optional(),
      /** The argv of a task for command workers (SC3, SE7). */
      command: sized(word(), { minItems: 1 }).optional(),
    })
    .catchall(json())
    .overwrite(withoutAbsent),
)

/** One unit of work (SC, RE, VE, BU, WS). */
export const FleetTaskSpec = contract('FleetTaskSpec', () =>
  object({
    id: token(),
    name: displayName(),
    description: optional(z.string()),
    objective: optional(filled()),
    instructions: filled(),
    worker: optional(FleetTaskWorkerProfile.schema),
    workspace: optional(FleetWorkspaceRequirements.schema),
    input_files: list(filePath()),
    context: list(z.string()),
    budget: optional(FleetTaskBudget.schema),
    tags: distinct(filled()),
    /** Each is met by one artifact of that kind (AR5). */
    expected_artifacts: list(FleetArtifactKind.schema),
    scorer: optional(FleetScorerSpec.schema),
    retry_policy: optional(FleetRetryPolicy.schema),
    alert_policy: optional(FleetAlertPolicy.schema),
    timeout_seconds: optional(u64()),
    metadata: metadata().default({}),
    /** Ids of tasks that must have completed before (SC5). */
    depends_on: distinct(token()),
    /** The typed handler that does the work, and its input (SC3). */
    handler: optional(filled()),
    input: optional(json()),
    concurrency_key: optional(filled()),
    not_before: optional(timestamp()),
  }),
)
export type FleetTaskSpec = ValueOf<typeof FleetTaskSpec>
export type FleetTaskSpecInput = InputOf<typeof FleetTaskSpec>
