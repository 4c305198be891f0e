import { expect, test } from 'vitest'
import { killAgainAndAgain } from './kill-nine.ts'

test.for(['one', 'two', 'three'])(
  'ST1 ST6 a process that is killed with kill -9 eighty times loses nothing that it was told (seed: %s)',
  { timeout: 10 * 60_000 },
  async (seed) => {
    const { opening, stored } = await killAgainAndAgain(80, seed)
    expect(opening).toBeGreaterThan(3)
    expect(stored).toBeGreaterThan(1000)
  },
)
