import { expect, test } from 'vitest'
import { journalChanges } from './journal-changes.ts'
import { tellChanges } from './journal-matrix.ts'

test.for(Object.entries(journalChanges))(
  'ST4 a journal %s, at every place, is as it was or says what it lost',
  { timeout: 30 * 60_000 },
  async ([, changes]) => {
    expect((await tellChanges(changes, 1)).get('told')).toBeGreaterThan(0)
  },
)
