import { expect, test } from 'vitest'
import { killAgainAndAgain } from './kill-nine.ts'

test('ST1 ST6 a process at work that is killed with kill -9, while it opens as well, loses nothing that it was told', async () => {
  const { stored } = await killAgainAndAgain(9, 'kill nine')
  expect(stored).toBeGreaterThan(30)
})
