import { z } from 'zod'
import { contract, type ValueOf } from './codec.ts'
import { FleetError } from './errors.ts'
import { atLeastOne, f64, filled, flag, i32, json, line, optional, pattern, text, token, u32, u64 } from './field.ts'
import { FleetRunId } from './ids.ts'
import { formatPath } from './problem.ts'
import { RouteReport } from './route.ts'
import { checkSize, sizeLimits } from './size-limit.ts'
import type { FromWorker } from './wire.ts'

/** What reading a line of a worker gives. */
export type WorkerMessageReading =
  { readonly ok: true; readonly message: FromWorker } | { readonly ok: false; readonly refusal: FleetError }

/**
 * Reads one line that a worker sent, without its line break (HO8). Size and depth are counted on the bytes before anything is parsed. It
 * never throws: what is refused comes with an error `too_large` or `invalid_message`, whose message says what was expected and where,
 * and never what was found, since that may hold a secret. Fields that the protocol does not know are passed over.
 */
export function readWorkerMessage(bytes: Uint8Array): WorkerMessageReading {
  try {
    checkSize(bytes, sizeLimits.message)
    const reading = workerMessage.read(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    if (!reading.ok) {
      const lines = reading.problems.map(({ path, expected }) => `${formatPath(path) || 'the message'}: expected ${expected}`)
      return refused(lines.join('\n'))
    }
    return { ok: true, message: withBytes(reading.value) }
  } catch (error) {
    if (FleetError.is(error, 'too_large')) return { ok: false, refusal: error }
    return refused(error instanceof SyntaxError ? 'expected a line of JSON' : 'expected UTF-8 text')
  }
}

/** Writes a message as one line, with its line break; bytes become base64. Throws `too_large` for what no fleet would take. */
export function writeWorkerMessage(message: FromWorker): string {
  const written = JSON.stringify(message, (_, value: unknown) => (value instanceof Uint8Array ? toBase64(value) : value))
  checkSize(new TextEncoder().encode(written), sizeLimits.message)
  return `${written}\n`
}

function refused(problems: string): WorkerMessageReading {
  const what = `What the worker sent is no message of the protocol, and was not taken:\n${problems}`
  return { ok: false, refusal: new FleetError('invalid_message', what, { details: { problems: problems.split('\n') } }) }
}

const key = { run_id: FleetRunId.schema, task_id: token, attempt: atLeastOne }

const progress = z.discriminatedUnion('state', [
  z.object({ state: z.literal('model_wait'), model: optional(z.string()) }),
  z.object({ state: z.literal('running_tool'), tool: z.string(), call_id: optional(z.string()) }),
  z.object({ state: z.literal('workflow_event'), workflow_run_id: z.string(), event: json }),
])

const base64 = text('base64', (value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value))

/** Every message but `hello` names its attempt. */
const workerMessage = contract('the message', () =>
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('hello'), worker_id: token, incarnation: line, attempts: z.array(z.object(key)) }),
    z.object({ type: z.literal('accepted'), ...key, process: optional(z.object({ group: atLeastOne, started: z.string() })) }),
    z.object({ type: z.literal('heartbeat'), ...key, cpu_percent: optional(f64), memory_mb: optional(u64) }),
    z.object({ type: z.literal('progress'), ...key, event: progress }),
    z.object({ type: z.literal('usage'), ...key, input_tokens: u64, output_tokens: u64 }),
    z.object({ type: z.literal('route'), ...key, route: RouteReport.schema }),
    z.object({ type: z.literal('log'), ...key, text: z.string() }),
    z.object({
      type: z.literal('artifact'),
      ...key,
      report: u32,
      kind: filled,
      path: filled,
      bytes: optional(base64),
      mime_type: optional(z.string()),
      checksum: optional(pattern('a checksum "sha256:" and 64 hex digits', /^sha256:[0-9A-Fa-f]{64}$/)),
      size_bytes: optional(u64),
    }),
    z.object({
      type: z.literal('result'),
      ...key,
      exit_code: optional(i32),
      summary: optional(z.string()),
      output: json.optional(),
      schema_accepted: optional(flag),
    }),
    z.object({
      type: z.literal('failed'),
      ...key,
      reason: z.string(),
      failure_kind: z.enum(['transport', 'task']),
      exit_code: optional(i32),
      recoverable: optional(flag),
    }),
    z.object({ type: z.literal('stopped'), ...key }),
  ]),
)

function withBytes(written: ValueOf<typeof workerMessage>): FromWorker {
  if (written.type !== 'artifact' || written.bytes === undefined) return written as FromWorker
  return { ...written, bytes: fromBase64(written.bytes) }
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

function fromBase64(written: string): Uint8Array {
  return Uint8Array.from(atob(written), (character) => character.charCodeAt(0))
}
