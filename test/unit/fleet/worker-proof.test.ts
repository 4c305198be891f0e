import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { isSameSecret } from '../../../src/fleet/worker-proof.ts'

describe('comparing tokens', () => {
  it.each([
    ['a token', 'a token', true],
    ['a token', 'a tokem', false],
    ['a token', '', false],
    ['a token', 'a token and more', false],
    ['a token', 'x'.repeat(1_000_000), false],
  ])('SE7 %j and a text are compared by hashes of one length, to their end', (one, other, same) => {
    const comparing = vi.spyOn(process.getBuiltinModule('node:crypto'), 'timingSafeEqual')
    onTestFinished(() => comparing.mockRestore())
    expect(isSameSecret(one, other)).toBe(same)
    expect(comparing.mock.calls.map((texts) => texts.map(({ byteLength }) => byteLength))).toEqual([[32, 32]])
  })
})
