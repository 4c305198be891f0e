import type { FromWorker } from '../../../src/protocol/index.ts'

const key = { run_id: 'run-1', task_id: 'a', attempt: 1 }

/** One message of each kind, with every field. */
export const workerMessages: readonly FromWorker[] = [
  { type: 'hello', worker_id: 'w1', incarnation: 'inc-1', attempts: [key, { ...key, task_id: 'b', attempt: 2 }] },
  { type: 'accepted', ...key, process: { group: 4711, started: '123456' } },
  { type: 'heartbeat', ...key, cpu_percent: 12.5, memory_mb: 300 },
  { type: 'progress', ...key, event: { state: 'model_wait', model: 'a model' } },
  { type: 'progress', ...key, event: { state: 'running_tool', tool: 'a tool', call_id: 'call-1' } },
  { type: 'progress', ...key, event: { state: 'workflow_event', workflow_run_id: 'flow', event: { step: [1, 'two', null] } } },
  { type: 'usage', ...key, input_tokens: 10, output_tokens: 20 },
  {
    type: 'route',
    ...key,
    route: {
      provider_id: 'maker',
      provider_exact_id: 'maker-eu',
      provider_kind: 'http',
      canonical_model: 'model-4',
      wire_model_id: 'model-4-0613',
      protocol: 'chat',
      model_route: 'direct',
      reasoning_effort: 'high',
    },
  },
  { type: 'log', ...key, text: 'a line\n' },
  {
    type: 'artifact',
    ...key,
    report: 1,
    kind: 'report',
    path: 'a/report.md',
    bytes: Uint8Array.of(0, 1, 254, 255),
    mime_type: 'text/plain',
    checksum: `sha256:${'0a'.repeat(32)}`,
    size_bytes: 4,
  },
  { type: 'result', ...key, exit_code: 0, summary: 'done', output: { answer: [42] }, schema_accepted: true },
  { type: 'failed', ...key, reason: 'broken', failure_kind: 'task', exit_code: 3, recoverable: false },
  { type: 'stopped', ...key },
]
