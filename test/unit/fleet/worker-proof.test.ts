import * as crypto from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { isSameSecret } from '../../../src/fleet/worker-proof.ts'

const compared = vi.hoisted(() => [] as [number, number][])
vi.mock('node:crypto', async (original) => {
  const real = await original<typeof crypto>()
  return {
    ...real,
    timingSafeEqual(one: Uint8Array, other: Uint8Array) {
      compared.push([one.length, other.length])
      return real.timingSafeEqual(one, other)
    },
  }
})

describe('comparing tokens', () => {
  beforeEach(() => void compared.splice(0))

  it.each([
    ['a token', 'a token', true],
    ['a token', 'a tokem', false],
    ['a token', '', false],
    ['a token', 'a token and more', false],
    ['a token', 'x'.repeat(1_000_000), false],
  ])('SE7 %j and a text are compared by hashes of one length, to their end', (one, other, same) => {
    expect(isSameSecret(one, other)).toBe(same)
    expect(compared).toEqual([[32, 32]])
  })
})
