import { FleetError } from '../protocol/errors.ts'
import type { FleetFrame } from '../protocol/worker-protocol.ts'

type Kind = 'text' | 'count' | 'flag' | 'list' | 'record'

const key = { run_id: 'text', task_id: 'text', attempt: 'count' } as const
const numbered = { ...key, seq: 'count' } as const

/** The fields that a frame of each type must have. What they hold is the fleet's matter: it is trusted, and checked what it was given. */
const fields: Readonly<Record<FleetFrame['type'], Readonly<Record<string, Kind>>>> = {
  welcome: {
    ...{ protocol: 'count', worker_id: 'text', incarnation: 'text', slots: 'count' },
    ...{ lease_ttl_ms: 'count', heartbeat_ms: 'count', shares_files: 'flag' },
  },
  refused: { code: 'text', reason: 'text' },
  ack: numbered,
  ping: {},
  pong: {},
  drain: {},
  bye: { reason: 'text', grace_ms: 'count' },
  assign: {
    ...numbered,
    task: 'record',
    previous: 'list',
    dependencies: 'list',
    environment: 'record',
    allow_parallel_reads: 'flag',
  },
  hand_back: { ...numbered, reason: 'text' },
  stop: { ...numbered, code: 'text', reason: 'text' },
  collected: { ...numbered, report: 'count' },
  chunk: { ...numbered, transfer: 'count', bytes: 'text' },
  file: { ...numbered, path: 'text', transfer: 'count' },
}

const checks: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  count: (value) => typeof value === 'number',
  flag: (value) => typeof value === 'boolean',
  list: Array.isArray,
  record: isRecord,
}

/**
 * Reads a line of the fleet. Only its shape is looked at: a worker trusts its fleet, and loads no library for schemas. Fields that the
 * protocol does not know are passed over. Throws `invalid_message` for what is no frame.
 */
export function readFleetFrame(line: string | Uint8Array): FleetFrame {
  const frame = parse(typeof line === 'string' ? line : new TextDecoder().decode(line))
  const type = isRecord(frame) ? frame['type'] : undefined
  if (!isRecord(frame) || typeof type !== 'string' || !isFrameType(type)) {
    throw invalid(
      typeof type === 'string' ? `a frame of the unknown type ${JSON.stringify(type.slice(0, 80))}` : 'what is no frame',
    )
  }
  for (const [name, kind] of Object.entries(fields[type])) {
    if (!checks[kind](frame[name])) throw invalid(`a ${type} whose ${name} is no ${kind}`)
  }
  return frame as unknown as FleetFrame
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw invalid('a line that is no JSON')
  }
}

function isFrameType(type: string): type is FleetFrame['type'] {
  return Object.hasOwn(fields, type)
}

function invalid(what: string): FleetError {
  return new FleetError('invalid_message', `The fleet sent ${what}, so the worker leaves. Use the same version on both sides.`)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
