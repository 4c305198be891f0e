import { describe, expectTypeOf, test } from 'vitest'
import type {
  FleetAlertChannel,
  FleetArtifactKind,
  FleetHostSpec,
  FleetReceipt,
  FleetRun,
  FleetRunSpec,
  FleetRunSpecInput,
  FleetScorerSpec,
  FleetTaskSpec,
  FleetTaskSpecInput,
  FleetWorkerAuth,
  FleetWorkerEvent,
  FleetWorkerEventPayload,
  Json,
} from '../../../src/protocol/index.ts'

describe('WI1', () => {
  test('WI1 a canonical value is JSON', () => {
    expectTypeOf<FleetRun>().toExtend<Json>()
    expectTypeOf<FleetRunSpec>().toExtend<Json>()
    expectTypeOf<FleetTaskSpec>().toExtend<Json>()
    expectTypeOf<FleetReceipt>().toExtend<Json>()
    expectTypeOf<FleetWorkerEvent>().toExtend<Json>()
  })

  test('WI1 a canonical value has no field of another name, is read-only, and knows its reserved metadata', () => {
    expectTypeOf<'no_such_field'>().not.toExtend<keyof FleetTaskSpec>()
    expectTypeOf<FleetTaskSpec['tags']>().toEqualTypeOf<readonly string[]>()
    expectTypeOf<FleetTaskSpec['description']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<FleetTaskSpec['metadata']['priority']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<FleetTaskSpec['metadata']['anything']>().toEqualTypeOf<Json>()
    expectTypeOf<FleetArtifactKind>().toEqualTypeOf<string>()
  })

  test('WI1 unions are told apart by their tag', () => {
    type Leased = Extract<FleetWorkerEventPayload, { state: 'leased' }>
    expectTypeOf<Leased['lease_expires_at']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Extract<FleetWorkerEvent, { state: 'workflow_event' }>['event']>().toEqualTypeOf<Json>()
    expectTypeOf<Extract<FleetScorerSpec, { kind: 'regex_match' }>['pattern']>().toEqualTypeOf<string>()
    expectTypeOf<Extract<FleetHostSpec, { kind: 'ssh' }>['port']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<Extract<FleetWorkerAuth, { method: 'token' }>['token_ref']['key']>().toEqualTypeOf<string>()
    expectTypeOf<FleetAlertChannel['kind']>().toEqualTypeOf<'slack' | 'webhook' | 'pager_duty'>()
    expectTypeOf<FleetScorerSpec['kind']>().toEqualTypeOf<
      'exit_code' | 'file_exists' | 'regex_match' | 'json_path' | 'command' | 'code_whale_verifier_prompt' | 'manual'
    >()
  })

  test('WI2 WI3 what may be written has defaults left out, nulls, read-only lists and unknown fields', () => {
    expectTypeOf<FleetTaskSpec>().toExtend<FleetTaskSpecInput>()
    expectTypeOf<FleetRunSpec>().toExtend<FleetRunSpecInput>()
    const task = {
      id: 'a',
      name: 'A',
      instructions: 'x',
      objective: null,
      future_field: 1,
      tags: ['a'] as readonly string[],
      worker: { profile: 'careful' },
      alert_policy: { channels: [{ kind: 'slack', webhook_url: 'https://a', secret_ref: 'KEY' }] },
    } as const satisfies FleetTaskSpecInput
    expectTypeOf(task).toExtend<FleetTaskSpecInput>()
    expectTypeOf<{ id: string; name: string }>().not.toExtend<FleetTaskSpecInput>()
    expectTypeOf<{ id: string; name: string; instructions: number }>().not.toExtend<FleetTaskSpecInput>()
  })
})
