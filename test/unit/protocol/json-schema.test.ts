import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { FleetError, fleetTypeNames, jsonSchema, type Json } from '../../../src/protocol/index.ts'
import { samples } from './samples.ts'

/** A checker that knows JSON Schema and nothing of the contract. */
function checker(typeName: string): z.ZodType {
  return z.fromJSONSchema(JSON.parse(JSON.stringify(jsonSchema(typeName))))
}

const documents = samples.flatMap(({ contract, canonical }) => canonical.map((document) => ({ contract, document })))

describe('WI8', () => {
  test.each(fleetTypeNames)('WI8 %s has a JSON Schema that names it and its dialect', (typeName) => {
    const schema = jsonSchema(typeName)
    expect(schema).toMatchObject({ title: typeName, $schema: 'https://json-schema.org/draft/2020-12/schema' })
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
  })

  test.each(documents)(
    'WI8 the JSON Schema of $contract.typeName accepts what the contract accepts',
    ({ contract, document }) => {
      const check = checker(contract.typeName)
      expect(check.safeParse(document).error).toBeUndefined()
      if (typeof document === 'object') expect(check.safeParse({ ...document, future: 1 }).error).toBeUndefined()
    },
  )

  test.each<[string, Json]>([
    ['FleetTaskSpec', { id: 'a', name: 'A' }],
    ['FleetTaskSpec', { id: 'a b', name: 'A', instructions: 'x' }],
    ['FleetTaskSpec', { id: 'a', name: 'A', instructions: 'x', tags: null }],
    ['FleetTaskSpec', { id: 'a', name: 'A', instructions: 'x', retry_policy: { max_attempts: -1 } }],
    ['FleetTaskSpec', { id: 'a', name: 'A', instructions: 'x', timeout_seconds: 1.5 }],
    ['FleetTaskSpec', { id: 'a', name: 'A', instructions: 'x', metadata: { command: [] } }],
    ['FleetRunStatus', 'done'],
    ['FleetTrustLevel', 'remoteVerified!'],
    ['FleetScorerSpec', { kind: 'regex_match', path: 'a' }],
    ['FleetHostSpec', { kind: 'ssh' }],
    ['FleetSecretRef', { source: 'env' }],
    ['FleetSecretRef', 5],
    ['FleetWorkerEvent', { state: 'queued' }],
    ['FleetReceipt', {}],
    ['FleetScore', { value: '1' }],
  ])('WI8 the JSON Schema of %s refuses what the contract refuses: %j', (typeName, document) => {
    expect(checker(typeName).safeParse(document).success).toBe(false)
    expect(samples.find(({ contract }) => contract.typeName === typeName)!.contract.safeParse(document).success).toBe(false)
  })

  test('WI8 null and absence of optional fields, and defaults, are in the schema', () => {
    expect(jsonSchema('FleetRetryPolicy')).toMatchObject({
      properties: { max_attempts: { type: 'integer', minimum: 0, maximum: 4_294_967_295, default: 3 } },
    })
    const task = { id: 'a', name: 'A', instructions: 'x' }
    expect(
      checker('FleetTaskSpec').safeParse({ ...task, description: null, worker: null, not_before: null }).error,
    ).toBeUndefined()
    expect(jsonSchema('FleetTaskSpec')).toMatchObject({
      required: ['id', 'name', 'instructions'],
      properties: {
        metadata: { default: {}, properties: { coordination_contracts: { maxItems: 16 } } },
        not_before: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      },
    })
    expect(jsonSchema('FleetSecurityPolicy')).toMatchObject({ properties: { max_trust_level: { default: 'operator' } } })
    expect(jsonSchema('FleetRuntimeEvent')).toMatchObject({ required: ['cursor', 'event', 'run_id', 'payload'] })
  })

  test('WI8 a type within a type is a reference by its name', () => {
    expect(jsonSchema('FleetRun')).toMatchObject({
      properties: {
        task_specs: { items: { $ref: '#/$defs/FleetTaskSpec' } },
        worker_specs: { items: { $ref: '#/$defs/FleetWorkerSpec' } },
        security_policy: { anyOf: [{ $ref: '#/$defs/FleetSecurityPolicy' }, { type: 'null' }] },
      },
    })
    expect(jsonSchema('FleetTaskSpec')).toMatchObject({ properties: { id: { type: 'string' } } })
  })

  test('WI8 another name is refused with the names that there are', () => {
    for (const name of ['FleetNothing', 'constructor', '__proto__', '']) {
      expect(() => jsonSchema(name)).toThrow(FleetError)
      expect(() => jsonSchema(name)).toThrow(`The contract has no type "${name}". It has FleetAlertChannel, `)
    }
  })
})
