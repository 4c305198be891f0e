import {
  FleetAlertChannel,
  FleetAlertEndpoint,
  FleetAlertEventClass,
  FleetAlertPolicy,
  FleetArtifactKind,
  FleetArtifactRef,
  FleetCapabilityGrant,
  FleetEffectivePermissions,
  FleetEnvironmentRequirements,
  FleetEventReplay,
  FleetHostSpec,
  FleetInboxEntry,
  FleetReceipt,
  FleetResolvedRoute,
  FleetRetryPolicy,
  FleetRun,
  FleetRunId,
  FleetRunSpec,
  FleetRunStatus,
  FleetRunTarget,
  FleetRuntimeEvent,
  FleetScore,
  FleetScorerSpec,
  FleetSecretRef,
  FleetSecurityPolicy,
  FleetTaskBudget,
  FleetTaskFailureKind,
  FleetTaskResult,
  FleetTaskSpec,
  FleetTaskWorkerProfile,
  FleetTrustLevel,
  FleetWorkerAuth,
  FleetWorkerEvent,
  FleetWorkerEventPayload,
  FleetWorkerSpec,
  FleetWorkerStatus,
  FleetWorkflow,
  FleetWorkspaceRequirements,
  type Json,
} from '../../../src/protocol/index.ts'

type Document = { readonly [key: string]: Json }

/** What the tests need of a type of the contract. */
interface AnyContract {
  readonly typeName: string
  parse(value: unknown): unknown
  safeParse(value: unknown): { readonly success: boolean }
}

/** A type with documents in canonical form: parsing them changes nothing. The first is as small as can be, the last has every field. */
export interface Samples {
  readonly contract: AnyContract
  readonly canonical: readonly Json[]
}

const at = '2026-02-03T04:05:06.789Z'

export const minimalTask = {
  id: 'build',
  name: 'Build',
  instructions: 'Build it.',
  input_files: [],
  context: [],
  tags: [],
  expected_artifacts: [],
  metadata: {},
  depends_on: [],
} satisfies Document

const profile = {
  agent_profile: 'careful',
  role: 'builder',
  loadout: 'fast',
  model_class: 'strong',
  model: 'maker/model-4.5:latest',
  tool_profile: 'read-write',
  tools: ['edit'],
  capabilities: ['node'],
  instructions: 'Look twice.',
  trust_level: 'local',
  resolution: { profile_origin: 'fleet', sources: { model: 'agent_profile.model' } },
} satisfies Document

const workspace = {
  root: 'packages/a',
  required_files: ['package.json', 'src/**/*.ts'],
  writable_paths: ['dist'],
  environment: { required: ['HOME'], allowlist: ['CI'] },
} satisfies Document

const budget = { max_tokens: 1_000_000, max_tool_calls: 50, max_seconds: 3_600 }

const retry = {
  max_attempts: 0,
  initial_backoff_seconds: 1,
  max_backoff_seconds: 60,
  backoff_multiplier: 3,
  retry_on: ['transport', 'stale'],
} satisfies Document

const slack = {
  kind: 'slack',
  url: 'https://hooks.example/x',
  url_ref: { key: 'HOOK', source: 'env' },
  secret_ref: { key: 'SIGN' },
}
const pager = { kind: 'pager_duty', routing_key: 'PD_KEY', severity: 'error' }
const alertPolicy = { events: ['stale'], channels: [slack, pager], after_attempts: 2, after_minutes_stale: 5 } satisfies Document

export const fullTask = {
  id: 'test.all_1-a',
  name: 'Test — alles',
  description: '',
  objective: 'Green.',
  instructions: 'Run the tests.\nAll of them.',
  worker: profile,
  workspace,
  input_files: ['src/*.ts'],
  context: ['Be brief.'],
  budget,
  tags: ['nightly', 'slow'],
  expected_artifacts: ['report', 'coverage-map'],
  scorer: { kind: 'command', command: 'npm', args: ['test'] },
  retry_policy: retry,
  alert_policy: alertPolicy,
  timeout_seconds: 600,
  metadata: {
    priority: -5,
    class: 'heavy',
    coordination_contracts: ['schema lock'],
    command: ['node', '-e', '0'],
    ticket: { n: null },
  },
  depends_on: ['build'],
  handler: 'check',
  input: { list: [1, null, 'x'] },
  concurrency_key: 'repo-a',
  not_before: at,
} satisfies Document

const ssh = {
  kind: 'ssh',
  host: 'box.example',
  port: 2222,
  user: 'fleet-user',
  identity: '~/.ssh/id',
  known_hosts: '/etc/ssh/known_hosts',
  host_key_fingerprint: 'SHA256:abc',
  working_directory: '/srv',
  env_allowlist: ['CI'],
  codewhale_binary: '/usr/bin/worker',
  command: ['node', 'worker.js'],
} satisfies Document

const worker = {
  id: 'box-1',
  name: 'Box 1',
  host: ssh,
  trust_level: 'remote_verified',
  labels: { role: 'builder' },
  capabilities: ['node'],
  max_concurrent_tasks: 4,
  auth: { method: 'token', token_ref: { key: 'TOKEN' } },
} satisfies Document

const policy = {
  default_trust_level: 'local',
  allowed_secrets: [{ key: 'GH_TOKEN', source: 'keyring' }],
  capability_grants: [{ capability: 'network', scope: 'github.com', reason: 'fetch' }],
  max_trust_level: 'remote_verified',
  require_identity_verification: true,
  allow_parallel_reads: true,
} satisfies Document

const extras = {
  target: 'this_computer',
  workflow: { id: 'wf-1', kind: 'parallel' },
  roles: ['builder'],
  max_workers: 8,
  open: true,
  worker_defaults: { loadout: 'slow', tools: [], capabilities: [] },
  budget: { max_seconds: 60 },
} satisfies Document

const artifact = {
  kind: 'log',
  path: 'run/log.txt',
  checksum: `sha256:${'0f'.repeat(32)}`,
  mime_type: 'text/plain',
  size_bytes: 24,
} satisfies Document

const route = {
  provider_id: 'maker',
  provider_exact_id: 'maker-eu',
  provider_kind: 'http',
  canonical_model: 'model-4',
  wire_model_id: 'model-4-0613',
  protocol: 'chat',
  role: 'builder',
  loadout: 'fast',
  model_class: 'strong',
  model_route: 'direct',
  reasoning_effort: 'high',
  role_source: 'task',
  loadout_source: 'profile',
  model_class_source: 'task',
  model_source: 'run',
  source: 'task',
} satisfies Document

const permissions = {
  write: true,
  network: false,
  shell: 'read_only',
  tool_scope: 'explicit',
  tools: ['edit'],
  background: false,
  max_spawn_depth: 0,
  profile_id: 'careful',
  profile_origin: 'workspace',
  source: 'lease',
} satisfies Document

const receipt = {
  run_id: 'r1',
  task_id: 'build',
  worker_id: 'box-1',
  attempt: 2,
  terminal_seq: 7,
  completed_at: at,
  result: 'partial',
  failure_kind: 'verifier',
  artifacts: [artifact],
  score: { value: 0.5, max: 1, notes: 'half' },
  resolved_route: route,
  effective_permissions: permissions,
  profile: {
    profile_id: 'careful',
    profile_origin: 'fleet',
    role: 'builder',
    loadout: 'fast',
    model_class: 'strong',
    model: 'model-4',
    tool_profile: 'read-write',
    trust_level: 'local',
    sources: { role: 'task.role' },
  },
  usage: { input_tokens: 10, output_tokens: 20 },
  spent: { tokens: 30, tool_calls: 1, seconds: 1.5 },
  output: [1, { a: null }],
  settled: { by: 'ada', why: 'looked' },
  evidence: 'exit 0',
} satisfies Document

export const payloads: readonly Document[] = [
  { state: 'queued' },
  { state: 'leased' },
  { state: 'leased', lease_expires_at: at },
  { state: 'starting' },
  { state: 'running' },
  { state: 'model_wait' },
  { state: 'model_wait', model: 'model-4' },
  { state: 'running_tool', tool: 'edit' },
  { state: 'running_tool', tool: 'edit', call_id: 'c1' },
  { state: 'workflow_event', workflow_run_id: 'inner', event: { type: 'step', at: null } },
  { state: 'workflow_event', workflow_run_id: 'inner', event: null },
  { state: 'heartbeat' },
  { state: 'heartbeat', cpu_percent: 12.5, memory_mb: 256 },
  { state: 'artifact', kind: 'patch', path: 'a.patch' },
  { state: 'artifact', ...artifact },
  { state: 'completed' },
  { state: 'completed', exit_code: -1, summary: 'done' },
  { state: 'failed', reason: 'no', recoverable: false },
  { state: 'cancelled' },
  { state: 'cancelled', cancelled_by: 'ada' },
  { state: 'interrupted' },
  { state: 'interrupted', signal: 'SIGINT' },
  { state: 'stale' },
  { state: 'stale', last_heartbeat_at: at },
  { state: 'restarted', restart_count: 3 },
  { state: 'escalated', channel: 'slack' },
  { state: 'escalated', channel: 'slack', alert_id: 'al1' },
]

export const envelope = { seq: 1, run_id: 'r1', worker_id: 'fleet', task_id: 'build', timestamp: at }

const runtimeEvent = {
  cursor: 'fev1_1_7_0',
  event: 'fleet.task.leased',
  run_id: 'r1',
  worker_id: 'box-1',
  task_id: 'build',
  timestamp: at,
  worker_seq: 3,
  payload: { state: 'leased' },
} satisfies Document

const emptyPolicy = {
  default_trust_level: 'sandbox',
  allowed_secrets: [],
  capability_grants: [],
  max_trust_level: 'operator',
  require_identity_verification: false,
  allow_parallel_reads: false,
} satisfies Document

const minimalRun = { id: 'r1', name: 'R', status: 'pending', task_specs: [], worker_specs: [], labels: {}, created_at: at }

const auths = [
  { method: 'none' },
  { method: 'ssh_key', identity: '/k' },
  { method: 'ssh_key', identity: '/k', known_hosts: '/h', host_key_fingerprint: 'SHA256:x', user: 'u' },
  { method: 'token', token_ref: { key: 'T' } },
  { method: 'mtls', cert_path: '/c', key_ref: { key: 'K', source: 'file' } },
] satisfies Document[]

const scorers = [
  { kind: 'exit_code' },
  { kind: 'file_exists', path: 'a' },
  { kind: 'regex_match', path: 'a', pattern: '^x$' },
  { kind: 'json_path', path: 'a', expression: '$.a' },
  { kind: 'code_whale_verifier_prompt', prompt: 'Is it good?' },
  { kind: 'manual' },
  { kind: 'command', command: 'npm', args: [] },
] satisfies Document[]

export const samples: readonly Samples[] = [
  { contract: FleetAlertChannel, canonical: [{ kind: 'webhook' }, pager, slack] },
  { contract: FleetAlertEndpoint, canonical: [{}, { url: 'https://a', url_ref: { key: 'A' }, secret_ref: { key: 'B' } }] },
  { contract: FleetAlertEventClass, canonical: ['stale', 'run_completed'] },
  { contract: FleetAlertPolicy, canonical: [{ events: [], channels: [] }, alertPolicy] },
  { contract: FleetArtifactKind, canonical: ['test_result', 'my own kind'] },
  { contract: FleetArtifactRef, canonical: [{ kind: 'log', path: 'a' }, artifact] },
  { contract: FleetCapabilityGrant, canonical: [{ capability: 'network' }, { capability: 'network', scope: 'a', reason: 'b' }] },
  { contract: FleetEffectivePermissions, canonical: [permissions] },
  { contract: FleetEnvironmentRequirements, canonical: [{ required: [], allowlist: [] }, workspace.environment] },
  {
    contract: FleetEventReplay,
    canonical: [
      { run_id: 'r1', events: [], has_more: false, history_truncated: false },
      { run_id: 'r1', events: [runtimeEvent], has_more: true, history_truncated: true, next_cursor: 'fev1_2' },
    ],
  },
  { contract: FleetHostSpec, canonical: [{ kind: 'local' }, { kind: 'docker', image: 'node:20', args: ['-it'] }, ssh] },
  {
    contract: FleetInboxEntry,
    canonical: [
      { run_id: 'r1', task_id: 't', priority: -1, enqueued_at: at, attempts: 0 },
      { run_id: 'r1', task_id: 't', priority: 0, enqueued_at: at, lease_deadline: at, attempts: 2 },
    ],
  },
  {
    contract: FleetReceipt,
    canonical: [{ run_id: 'r', task_id: 't', worker_id: 'fleet', completed_at: at, result: 'skip', artifacts: [] }, receipt],
  },
  {
    contract: FleetResolvedRoute,
    canonical: [{ provider_id: 'm', provider_kind: 'k', wire_model_id: 'w', protocol: 'p', source: 's' }, route],
  },
  {
    contract: FleetRetryPolicy,
    canonical: [{ max_attempts: 3, initial_backoff_seconds: 5, max_backoff_seconds: 300, backoff_multiplier: 2 }, retry],
  },
  {
    contract: FleetRun,
    canonical: [
      minimalRun,
      {
        id: 'r1',
        name: 'R',
        status: 'running',
        task_specs: [minimalTask, fullTask],
        worker_specs: [worker],
        labels: { team: 'a' },
        security_policy: policy,
        created_at: at,
        updated_at: at,
        completed_at: at,
        ...extras,
      },
    ],
  },
  { contract: FleetRunId, canonical: ['r', 'A.b_c-9'] },
  {
    contract: FleetRunSpec,
    canonical: [
      { name: 'R', tasks: [minimalTask], worker_specs: [], labels: {} },
      {
        id: 'r',
        name: 'R',
        tasks: [minimalTask, fullTask],
        worker_specs: [worker],
        labels: { a: 'b' },
        security_policy: policy,
        ...extras,
      },
    ],
  },
  { contract: FleetRunStatus, canonical: ['pending', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelled'] },
  { contract: FleetRunTarget, canonical: ['this_computer', 'another_computer', 'cloud'] },
  {
    contract: FleetRuntimeEvent,
    canonical: [{ cursor: 'c', event: 'fleet.run.created', run_id: 'r1', payload: null }, runtimeEvent],
  },
  { contract: FleetScore, canonical: [{ value: 0 }, { value: 0.5, max: 1, notes: 'half' }] },
  { contract: FleetScorerSpec, canonical: scorers },
  { contract: FleetSecretRef, canonical: [{ key: 'A' }, { key: 'A', source: 'vault' }] },
  { contract: FleetSecurityPolicy, canonical: [emptyPolicy, policy] },
  { contract: FleetTaskBudget, canonical: [{}, budget] },
  { contract: FleetTaskFailureKind, canonical: ['transport', 'task', 'verifier'] },
  { contract: FleetTaskResult, canonical: ['pass', 'partial', 'fail', 'skip', 'timeout'] },
  { contract: FleetTaskSpec, canonical: [minimalTask, fullTask] },
  { contract: FleetTaskWorkerProfile, canonical: [{ tools: [], capabilities: [] }, profile] },
  { contract: FleetTrustLevel, canonical: ['sandbox', 'local', 'remote_verified', 'operator'] },
  { contract: FleetWorkerAuth, canonical: auths },
  {
    contract: FleetWorkerEvent,
    canonical: payloads.flatMap((payload) => [
      { ...envelope, ...payload },
      { ...envelope, ...payload, extra: { note: null } },
    ]),
  },
  { contract: FleetWorkerEventPayload, canonical: payloads },
  {
    contract: FleetWorkerSpec,
    canonical: [{ id: 'w', name: 'W', host: { kind: 'local' }, labels: {}, capabilities: [] }, worker],
  },
  { contract: FleetWorkerStatus, canonical: ['unknown', 'online', 'busy', 'offline', 'unhealthy', 'draining', 'retired'] },
  { contract: FleetWorkflow, canonical: [{ id: 'w', kind: 'parallel' }] },
  { contract: FleetWorkspaceRequirements, canonical: [{ required_files: [], writable_paths: [] }, workspace] },
]
