import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jsonSchema, readWorkerFrame, type Json } from '../../../src/protocol/index.ts'
import { fleetFrame } from '../../../src/protocol/fleet-frame.ts'
import { readFleetFrame } from '../../../src/worker/frame-reader.ts'
import { fleetRows, workerRows } from '../../../scripts/generated/worker-protocol.ts'
import { workerFrames } from './worker-frames.ts'

/** Examples as a line carries them. */
const written = (rows: Readonly<Record<string, { readonly example: object }>>): (readonly [string, Record<string, Json>])[] =>
  Object.entries(rows).map(([type, { example }]) => [type, JSON.parse(JSON.stringify(example)) as Record<string, Json>])

const checker = (name: string) => z.fromJSONSchema(JSON.parse(JSON.stringify(jsonSchema(name))))
const fleetSchema = checker('FleetFrame')
const workerSchema = checker('WorkerFrame')

describe('what the fleet says', () => {
  it.each(written(fleetRows))(
    'HO1 the example of %s fits its contract and its JSON Schema, and workers read it',
    (type, frame) => {
      expect(fleetFrame.read(frame)).toMatchObject({ ok: true })
      expect(fleetSchema.safeParse({ ...frame, future: 1 }).error).toBeUndefined()
      expect(readFleetFrame(JSON.stringify(frame))).toEqual(frame)
      expect(frame['type']).toBe(type)
    },
  )

  it.each(written(fleetRows))(
    'HO8 a frame %s without any of the fields that it must have is refused, by the schema and by workers',
    (_, frame) => {
      for (const field of Object.keys(frame)) {
        const { [field]: without, ...rest } = frame
        expect([field, without, fleetFrame.read(rest).ok]).toEqual([field, without, optional.has(field)])
        expect([field, fleetSchema.safeParse(rest).success]).toEqual([field, optional.has(field)])
      }
    },
  )
})

/** Those of the examples that may be left out. */
const optional = new Set(['artifact'])

describe('what a worker says', () => {
  it.each(written(workerRows))('HO1 the example of %s fits its JSON Schema, and the fleet reads it', (_, frame) => {
    expect(workerSchema.safeParse({ ...frame, future: 1 }).error).toBeUndefined()
    expect(readWorkerFrame(Buffer.from(JSON.stringify(frame)))).toEqual({ ok: true, frame })
  })

  it.each(workerFrames.map((frame) => [frame.type, frame] as const))('WI8 the JSON Schema takes a whole %s', (_, frame) => {
    const plain: unknown = JSON.parse(JSON.stringify(frame))
    expect(workerSchema.safeParse(plain).error).toBeUndefined()
    expect(workerSchema.safeParse({ ...(plain as object), type: 'dance' }).success).toBe(false)
  })
})
