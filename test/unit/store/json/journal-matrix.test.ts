import { expect, test } from 'vitest'
import { journalChanges } from './journal-changes.ts'
import { tellChanges } from './journal-matrix.ts'

test.for(Object.entries(journalChanges))('ST4 a journal %s is as it was, or says what it lost', async ([, changes]) => {
  expect((await tellChanges(changes, 97)).get('told')).toBeGreaterThan(0)
})
