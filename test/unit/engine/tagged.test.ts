import { expect, test } from 'vitest'
import { isTagged } from '../../../src/engine/tagged.ts'

test('RU5 tags select the tasks that have one of them; without tags every task is selected, and no tag selects none', () => {
  const both = { tags: ['x', 'y'] }
  expect(isTagged(both, ['y', 'z'])).toBe(true)
  expect(isTagged(both, ['z', 'xy'])).toBe(false)
  expect(isTagged(both, undefined)).toBe(true)
  expect(isTagged({ tags: [] }, undefined)).toBe(true)
  expect(isTagged(both, [])).toBe(false)
})
