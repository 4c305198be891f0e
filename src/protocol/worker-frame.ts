import { z } from 'zod'
import { contract } from './codec.ts'
import { FleetError } from './errors.ts'
import { atLeastOne, f64, filled, flag, i32, json, line, optional, pattern, text, token, u32, u64 } from './field.ts'
import { FleetRunId } from './ids.ts'
import { formatPath } from './problem.ts'
import { RouteReport } from './route.ts'
import { checkSize, sizeLimits } from './size-limit.ts'
import type { WorkerFrame } from './worker-protocol.ts'

/** What reading a line of a worker gives. */
export type WorkerFrameReading =
  { readonly ok: true; readonly frame: WorkerFrame } | { readonly ok: false; readonly refusal: FleetError }

/**
 * Reads one line that a worker sent, without its line break (HO8). Size and depth are counted on the bytes before anything is parsed. It
 * never throws: what is refused comes with an error `too_large` or `invalid_message`, whose message says what was expected and where,
 * and never what was found, since that may hold a secret. Fields that the protocol does not know are passed over.
 */
export function readWorkerFrame(bytes: Uint8Array): WorkerFrameReading {
  try {
    checkSize(bytes, sizeLimits.message)
    const reading = workerFrame.read(JSON.parse(utf8.decode(bytes)))
    if (!reading.ok) {
      const lines = reading.problems.map(({ path, expected }) => `${formatPath(path) || 'the message'}: expected ${expected}`)
      return refused(lines.join('\n'))
    }
    return { ok: true, frame: reading.value as WorkerFrame }
  } catch (error) {
    if (FleetError.is(error, 'too_large')) return { ok: false, refusal: error }
    return refused(error instanceof SyntaxError ? 'expected a line of JSON' : 'expected UTF-8 text')
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function refused(problems: string): WorkerFrameReading {
  const what = `What the worker sent is no message of the protocol, and was not taken:\n${problems}`
  return { ok: false, refusal: new FleetError('invalid_message', what, { details: { problems: problems.split('\n') } }) }
}

/** A line of a worker. Every frame of an attempt but its heartbeats is numbered. */
export const workerFrame = contract('the message', () => z.discriminatedUnion('type', [...controlFrames(), ...attemptFrames()]))

const attempt = () => ({ run_id: FleetRunId.schema, task_id: token(), attempt: atLeastOne() })
const numberedAttempt = () => ({ ...attempt(), seq: atLeastOne() })

const progressEvent = () =>
  z.discriminatedUnion('state', [
    z.object({ state: z.literal('model_wait'), model: optional(z.string()) }),
    z.object({ state: z.literal('running_tool'), tool: z.string(), call_id: optional(z.string()) }),
    z.object({ state: z.literal('workflow_event'), workflow_run_id: z.string(), event: json() }),
  ])

const base64Text = () => text('base64', (value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value))

function controlFrames() {
  const key = attempt()
  const numbered = numberedAttempt()
  return [
    z.object({
      type: z.literal('hello'),
      protocol: atLeastOne(),
      worker_id: optional(token()),
      incarnation: optional(line()),
      token: optional(z.string()),
      handlers: optional(z.array(filled())),
      plain: optional(flag()),
      capabilities: optional(z.array(filled())),
      resumes: optional(flag()),
      attempts: z.array(z.object({ ...key, acked: u32(), heard: u32() })),
    }),
    z.object({ type: z.literal('ack'), ...numbered }),
    z.object({ type: z.literal('ping') }),
    z.object({ type: z.literal('pong') }),
    z.object({ type: z.literal('drain'), reason: optional(z.string()) }),
    z.object({ type: z.literal('bye'), reason: z.string() }),
  ] as const
}

function attemptFrames() {
  const key = attempt()
  const numbered = numberedAttempt()
  const base64 = base64Text()
  return [
    z.object({
      type: z.literal('accepted'),
      ...numbered,
      process: optional(z.object({ group: atLeastOne(), started: z.string() })),
    }),
    z.object({ type: z.literal('heartbeat'), ...key, cpu_percent: optional(f64()), memory_mb: optional(u64()) }),
    z.object({ type: z.literal('progress'), ...numbered, event: progressEvent() }),
    z.object({ type: z.literal('usage'), ...numbered, input_tokens: u64(), output_tokens: u64() }),
    z.object({ type: z.literal('route'), ...numbered, route: RouteReport.schema }),
    z.object({ type: z.literal('log'), ...numbered, text: z.string() }),
    z.object({ type: z.literal('chunk'), ...numbered, transfer: u32(), bytes: base64 }),
    z.object({
      type: z.literal('artifact'),
      ...numbered,
      report: u32(),
      kind: filled(),
      path: filled(),
      bytes: optional(base64),
      transfer: optional(u32()),
      mime_type: optional(z.string()),
      checksum: optional(pattern('a checksum "sha256:" and 64 hex digits', /^sha256:[0-9A-Fa-f]{64}$/)),
      size_bytes: optional(u64()),
    }),
    z.object({
      type: z.literal('evidence'),
      ...numbered,
      path: filled(),
      found: z.enum(['file', 'missing', 'no_file', 'refused']),
      transfer: optional(u32()),
      reason: optional(z.string()),
    }),
    z.object({
      type: z.literal('result'),
      ...numbered,
      exit_code: optional(i32()),
      summary: optional(z.string()),
      output: json().optional(),
      schema_accepted: optional(flag()),
    }),
    z.object({
      type: z.literal('failed'),
      ...numbered,
      reason: z.string(),
      failure_kind: z.enum(['transport', 'task']),
      exit_code: optional(i32()),
      recoverable: optional(flag()),
    }),
    z.object({ type: z.literal('stopped'), ...numbered, released: optional(z.string()) }),
  ] as const
}
