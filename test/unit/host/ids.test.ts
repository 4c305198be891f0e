import { describe, expect, it } from 'vitest'
import { systemIds } from '../../../src/host/ids.ts'
import { seededIds } from '../../../src/host/seeded-ids.ts'

describe('ids', () => {
  it('CO2 the same seed and the same calls give the same ids and draws, another seed gives others', () => {
    const draw = (seed: string) => {
      const ids = seededIds(seed)
      return [ids.next('run'), ids.random(), ids.next('task'), ids.random()]
    }

    expect(draw('a')).toEqual(draw('a'))
    expect(draw('a')).not.toEqual(draw('b'))
  })

  it('CO2 ids of two system sources differ', () => {
    expect(new Set([systemIds(), systemIds()].flatMap((ids) => Array.from({ length: 500 }, () => ids.next('x')))).size).toBe(
      1_000,
    )
  })

  it.each([
    ['system', systemIds()],
    ['seeded', seededIds('seed')],
  ])('CO2 a %s id is its prefix and at least 80 bits in lower-case letters and digits', (_, ids) => {
    const id = ids.next('run')

    expect(id).toMatch(/^run-[0-9a-z]{16,}$/)
    expect((id.length - 'run-'.length) * Math.log2(36)).toBeGreaterThanOrEqual(80)
  })

  it.each([
    ['system', systemIds()],
    ['seeded', seededIds('seed')],
  ])('RE2 %s draws lie in [0, 1) and are spread evenly', (_, ids) => {
    const draws = Array.from({ length: 10_000 }, () => ids.random())

    expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true)
    expect(draws.reduce((sum, draw) => sum + draw, 0) / draws.length).toBeCloseTo(0.5, 1)
    expect(new Set(draws.map((draw) => Math.floor(draw * 16))).size).toBe(16)
  })
})
