import { z } from 'zod'
import { FleetArtifactRef } from './artifact.ts'
import { contract } from './codec.ts'
import { atLeastOne, filled, flag, line, optional, text, token, u32, u64 } from './field.ts'
import { FleetRunId } from './ids.ts'
import { FleetReceipt } from './receipt.ts'
import { FleetTrustLevel } from './security.ts'
import { FleetTaskBudget, FleetTaskSpec } from './task.ts'

/**
 * A line of the fleet, as whoever writes a worker may count on it. The fleet does not read by it what it writes, nor do the workers of this
 * package: it stands for the JSON Schema, and holds the tests.
 */
export const fleetFrame = contract('the message', () => z.discriminatedUnion('type', [...controlFrames(), ...attemptFrames()]))

const numberedAttempt = () => ({ run_id: FleetRunId.schema, task_id: token(), attempt: atLeastOne(), seq: atLeastOne() })

function controlFrames() {
  const numbered = numberedAttempt()
  return [
    z.object({
      type: z.literal('welcome'),
      protocol: atLeastOne(),
      worker_id: token(),
      incarnation: line(),
      slots: atLeastOne(),
      lease_ttl_ms: u64(),
      heartbeat_ms: u64(),
      shares_files: flag(),
    }),
    z.object({ type: z.literal('refused'), code: filled(), reason: z.string() }),
    z.object({ type: z.literal('ack'), ...numbered }),
    z.object({ type: z.literal('ping') }),
    z.object({ type: z.literal('pong') }),
    z.object({ type: z.literal('drain'), reason: optional(z.string()) }),
    z.object({ type: z.literal('bye'), reason: z.string(), grace_ms: u64() }),
  ] as const
}

function attemptFrames() {
  const numbered = numberedAttempt()
  const base64 = text('base64', (value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value))
  return [
    z.object({
      type: z.literal('assign'),
      ...numbered,
      task: FleetTaskSpec.schema,
      previous: z.array(FleetReceipt.schema),
      dependencies: z.array(z.object({ task_id: token(), receipt: FleetReceipt.schema })),
      folder: optional(filled()),
      root: optional(filled()),
      environment: z.record(z.string(), z.string()),
      secrets: optional(z.record(z.string(), z.string())),
      allow_parallel_reads: flag(),
      budget_left: optional(FleetTaskBudget.schema),
      trust_level: FleetTrustLevel.schema,
      confined: optional(z.object({ network: flag(), writable_paths: z.array(filled()) })),
    }),
    z.object({ type: z.literal('chunk'), ...numbered, transfer: u32(), bytes: base64 }),
    z.object({ type: z.literal('file'), ...numbered, path: filled(), transfer: u32() }),
    z.object({ type: z.literal('hand_back'), ...numbered, reason: z.string(), grace_ms: u64() }),
    z.object({ type: z.literal('stop'), ...numbered, code: filled(), reason: z.string(), grace_ms: u64() }),
    z.object({
      type: z.literal('collected'),
      ...numbered,
      report: u32(),
      artifact: optional(FleetArtifactRef.schema),
      refused: optional(z.string()),
    }),
  ] as const
}
