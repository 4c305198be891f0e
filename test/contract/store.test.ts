import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { systemIds } from '../../src/host/ids.ts'
import type { Store } from '../../src/ports/store.ts'
import { jsonStore } from '../../src/fleet/stores.ts'
import { createJsonStore } from '../../src/store/json/store.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { storeContract } from '../../src/testing/store-contract.ts'

const clock = systemClock()
const ids = systemIds()

describe('memory store', () => {
  const cases = storeContract(async () => {
    const store = createMemoryStore({ clock, ids })
    return { store, reopen: async () => store.peer(), dispose: () => store.close() }
  })
  for (const { id, run } of cases) test(id, run)
})

describe('json store', () => {
  const kinds = {
    '': (folder: string) => createJsonStore({ folder, clock, ids }),
    ', in small segments': (folder: string) => createJsonStore({ folder, clock, ids, segmentBytes: 4096 }),
    ', loaded when it is asked': (folder: string) => jsonStore({ folder }),
  }
  for (const [kind, createIn] of Object.entries(kinds)) {
    const cases = storeContract(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'flotilla-store-'))
      const stores: Store[] = []
      const make = () => {
        const store = createIn(folder)
        stores.push(store)
        return store
      }
      const dispose = async () => {
        for (const store of stores) await store.close()
        await rm(folder, { recursive: true })
      }
      return { store: make(), reopen: async () => make(), dispose }
    })
    for (const { id, run } of cases) test(`${id}${kind}`, run)
  }
})
