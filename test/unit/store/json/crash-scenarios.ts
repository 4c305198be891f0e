import { expect } from 'vitest'
import { batch, rowOf } from './store-folder.ts'
import type { Witness } from './witness.ts'

/** What a store goes through before the power goes. */
export const crashScenarios = {
  'runs that are appended to, one by one and together': async (witness: Witness) => {
    await witness.store.open({ instance: 'owner' })
    await witness.append(batch('run-1', 0, 2, {}))
    await Promise.all([
      witness.append(batch('run-1', 2, 1)),
      witness.append(batch('run-2', 0, 3, {}), batch('run-3', 0, 1, {})),
      witness.append(batch('run-3', 1, 2)),
    ])
    await witness.append(batch('run-2', 3, 1))
    await witness.store.close()
  },
  'a journal that goes on in further segments': async (witness: Witness) => {
    await witness.store.open({ instance: 'owner' })
    for (let after = 0; after < 18; after += 3) await witness.append(batch('run-1', after, 3), batch('run-2', after, 3))
  },
  'owners that crash and are taken over': async (witness: Witness) => {
    await witness.store.open({ instance: 'owner' })
    await witness.append(batch('run-1', 0, 2, {}))
    await witness.crash()
    await witness.append(batch('run-1', 2, 2), batch('run-2', 0, 1))
    await witness.crash()
    await witness.crash()
    await witness.append(batch('run-2', 1, 1))
    await witness.store.close()
  },
  'snapshots that are saved one after the other': async (witness: Witness) => {
    await witness.store.open({ instance: 'owner' })
    await witness.append(batch('run-1', 0, 4, {}))
    await witness.snapshot('run-1', { seq: 2, records: [{ key: 'task:1', seq: 2, value: 'a' }] })
    await witness.append(batch('run-1', 4, 1))
    await witness.snapshot('run-1', { seq: 5, records: [1, 2].map((id) => ({ key: `task:${id}`, seq: 5, value: 'b' })) })
  },
  'blobs that are stored, twice as well': async (witness: Witness) => {
    await witness.store.open({ instance: 'owner' })
    await witness.append(batch('run-1', 0, 1, {}))
    await witness.put('run-1', 'a log')
    await witness.put('run-1', 'an artifact')
    await witness.crash()
    await witness.put('run-1', 'a log')
  },
  'runs that are removed': async (witness: Witness) => {
    await witness.store.open({ instance: 'owner' })
    await witness.append(batch('run-1', 0, 2, { status: 'completed' }), batch('run-2', 0, 1, {}))
    await witness.put('run-1', 'a log')
    await witness.snapshot('run-1', { seq: 1, records: [] })
    await witness.remove('run-1')
    await witness.append(batch('run-2', 1, 1))
    await witness.store.close()
    await witness.crash()
  },
  'segments that go with the last of their runs': async (witness: Witness) => {
    witness.configure({ indexDelayMs: 0 })
    await witness.store.open({ instance: 'owner' })
    await witness.append(batch('fleet', 0, 1))
    await witness.append(batch('run-1', 0, 5, { status: 'completed' }))
    await witness.snapshot('fleet', { seq: 1, records: [{ key: 'worker:a', seq: 1, value: 'a' }] })
    await witness.append(batch('run-2', 0, 3, { status: 'completed' }), batch('run-3', 0, 2))
    const [first] = witness.segments()
    await witness.remove('run-1')
    await witness.remove('run-2')
    expect(witness.segments()).not.toContain(first)
    await witness.append(batch('run-3', 2, 1), batch('fleet', 1, 1))
    await witness.crash()
    await witness.append(batch('run-3', 3, 1))
  },
  'commands that are posted and answered': async (witness: Witness) => {
    await witness.store.open({ instance: 'owner' })
    await witness.post('one')
    await witness.post('two')
    await witness.answerAll()
    await witness.post('three')
  },
  'an index that is written while the journal grows': async (witness: Witness) => {
    witness.configure({ indexDelayMs: 0 })
    await witness.store.open({ instance: 'owner' })
    for (let after = 0; after < 4; after += 1) {
      await witness.append(batch('run-1', after, 1, rowOf('run-1', { tasks: after })))
      await new Promise((resolve) => setTimeout(resolve, 3))
    }
    await witness.store.close()
    await witness.crash()
    await witness.append(batch('run-1', 4, 1))
    await witness.store.close()
  },
}
