import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FleetRunSpec, FleetTaskSpec, FleetWorkerEvent, fleetTypeNames, type Json } from '../../../src/protocol/index.ts'
import * as protocol from '../../../src/protocol/index.ts'
import { envelope, fullTask, minimalTask, samples } from './samples.ts'

const documents = samples.flatMap(({ contract, canonical }) => canonical.map((document) => ({ contract, document })))
const objects = documents.filter(({ document }) => typeof document === 'object')

describe('WI1', () => {
  test('WI1 every type of the contract has a sample here', () => {
    expect(samples.map(({ contract }) => contract.typeName).sort()).toEqual([...fleetTypeNames])
  })

  test('WI1 the 31 types of protocol 0.1.0 are exported under their names', () => {
    const names =
      `FleetAlertEndpoint FleetAlertPolicy FleetArtifactRef FleetCapabilityGrant FleetEnvironmentRequirements FleetInboxEntry
      FleetReceipt FleetRetryPolicy FleetRun FleetRunId FleetScore FleetSecretRef FleetSecurityPolicy FleetTaskBudget FleetTaskSpec
      FleetTaskWorkerProfile FleetWorkerEvent FleetWorkerSpec FleetWorkspaceRequirements FleetAlertChannel FleetAlertEventClass
      FleetArtifactKind FleetHostSpec FleetRunStatus FleetScorerSpec FleetTaskFailureKind FleetTaskResult FleetTrustLevel FleetWorkerAuth
      FleetWorkerEventPayload FleetWorkerStatus`.split(/\s+/)
    expect(names).toHaveLength(31)
    for (const name of names) expect(protocol).toHaveProperty(`${name}.typeName`, name)
  })

  test.each(documents)('WI1 a canonical $contract.typeName is written as it was read', ({ contract, document }) => {
    expect(JSON.stringify(contract.parse(document))).toBe(JSON.stringify(document))
  })

  test.each(samples)('WI1 safeParse of $contract.typeName returns what parse gives or throws', ({ contract, canonical }) => {
    expect(contract.safeParse(canonical[0])).toEqual({ success: true, data: canonical[0] })
    const refused = contract.safeParse(Symbol('no JSON'))
    expect(refused).toMatchObject({ success: false, error: { code: 'invalid_document' } })
  })

  test('WI1 known fields come in the order of the contract, unknown ones after them', () => {
    const shuffled = Object.fromEntries([['zeta', 1], ...Object.entries(fullTask).reverse(), ['alpha', 2]])
    expect(Object.keys(FleetTaskSpec.parse(shuffled))).toEqual([...Object.keys(fullTask), 'zeta', 'alpha'])
  })

  test('WI1 a parsed value shares nothing with its input', () => {
    const input = structuredClone(fullTask)
    const value = FleetTaskSpec.parse(input)
    input.metadata.ticket.n = null
    Object.assign(input.metadata.ticket, { late: true })
    input.tags.push('late')
    expect(value).toEqual(fullTask)
  })
})

describe('WI2', () => {
  test.each(objects)('WI2 unknown fields of $contract.typeName survive at every level', ({ contract, document }) => {
    const extended = withUnknown(document)
    const once = contract.parse(extended)
    expect(once).toEqual(extended)
    expect(contract.parse(JSON.parse(JSON.stringify(once)))).toEqual(extended)
  })

  test('WI2 any unknown field with any JSON value survives', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ maxLength: 8 }).map((key) => `x${key}`),
          fc.jsonValue(),
        ),
        (unknown) => {
          fc.pre(!JSON.stringify(unknown).includes('__proto__'))
          const extended = JSON.parse(JSON.stringify({ ...minimalTask, ...unknown }))
          expect(FleetTaskSpec.parse(extended)).toEqual(extended)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('WI2 constructor, prototype and toString are names like others', () => {
    const fields = { constructor: 1, prototype: { a: 1 }, toString: null, hasOwnProperty: 'x' }
    const document = { ...minimalTask, ...fields, metadata: fields }
    const value = FleetTaskSpec.parse(JSON.parse(JSON.stringify(document)))
    expect(JSON.parse(JSON.stringify(value))).toEqual(document)
  })
})

describe('WI3', () => {
  test('WI3 an optional field that is null is left out, not kept as undefined', () => {
    const optional = ['description', 'objective', 'worker', 'workspace', 'budget', 'scorer', 'retry_policy', 'alert_policy']
    const more = ['timeout_seconds', 'handler', 'input', 'concurrency_key', 'not_before']
    const nulls = Object.fromEntries([...optional, ...more].map((field) => [field, null]))
    expect(Object.keys(FleetTaskSpec.parse({ ...minimalTask, ...nulls }))).toEqual(Object.keys(minimalTask))
  })

  test.each(samples)(
    'WI3 null instead of any optional field of $contract.typeName is the same as its absence',
    ({ contract, canonical }) => {
      const full = canonical.at(-1)!
      if (!isObject(full)) return
      for (const key of Object.keys(full)) {
        const { [key]: _, ...without } = full
        const absent = contract.safeParse(without)
        const asNull = contract.safeParse({ ...full, [key]: null })
        if (Array.isArray(full[key]) && !optionalLists.has(key))
          expect({ key, accepted: asNull.success }).toEqual({ key, accepted: false })
        if (asNull.success && !anyJson.has(key)) expect({ key, result: asNull }).toEqual({ key, result: absent })
      }
    },
  )

  test('WI3 an absent list becomes empty and null is refused', () => {
    const { tags: _, ...without } = minimalTask
    expect(FleetTaskSpec.parse(without).tags).toEqual([])
    expect(() => FleetTaskSpec.parse({ ...minimalTask, tags: null })).toThrow('tags: expected a list, got null')
  })

  test('WI3 an absent map becomes empty and null is refused', () => {
    expect(FleetRunSpec.parse({ name: 'R', tasks: [minimalTask] }).labels).toEqual({})
    const refused = FleetRunSpec.safeParse({ name: 'R', tasks: [{ ...minimalTask, metadata: null }], labels: null })
    expect(refused.success || refused.error.message.split('\n')).toEqual([
      'tasks[0].metadata: expected an object, got null',
      'labels: expected an object, got null',
    ])
  })

  test('WI3 a list of the defaults is the parsers own each time', () => {
    const one = FleetTaskSpec.parse({ id: 'a', name: 'A', instructions: 'x' })
    const two = FleetTaskSpec.parse({ id: 'a', name: 'A', instructions: 'x' })
    expect(one.tags).not.toBe(two.tags)
    expect(one.metadata).not.toBe(two.metadata)
  })

  test('WI3 an empty extra is left out of an event, any other is kept', () => {
    expect(FleetWorkerEvent.parse({ ...envelope, state: 'queued', extra: {} })).toEqual({ ...envelope, state: 'queued' })
    expect(FleetWorkerEvent.parse({ ...envelope, state: 'queued', extra: { a: 1 } })).toHaveProperty('extra', { a: 1 })
    expect(() => FleetWorkerEvent.parse({ ...envelope, state: 'queued', extra: null })).toThrow(
      'extra: expected an object, got null',
    )
  })

  test('WI3 a member that is undefined is absent', () => {
    expect(FleetTaskSpec.parse({ ...minimalTask, description: undefined, unknown: undefined })).toStrictEqual(minimalTask)
  })
})

/** Lists whose absence means something else than an empty list. */
const optionalLists: ReadonlySet<string> = new Set(['roles', 'output'])
/** Fields whose value may be null itself. */
const anyJson: ReadonlySet<string> = new Set(['event', 'payload'])

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The document with a field added to every object of the contract in it; what holds data of users is left as it is. */
function withUnknown(value: Json): Json {
  if (Array.isArray(value)) return value.map(withUnknown)
  if (!isObject(value)) return value
  const data = ['metadata', 'labels', 'input', 'output', 'payload', 'event', 'extra', 'sources']
  const members = Object.entries(value).map(([key, member]) => [key, data.includes(key) ? member : withUnknown(member)])
  return { ...Object.fromEntries(members), future_field: { deep: [null, 1] } }
}
