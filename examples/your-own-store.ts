// Your own store: here one that counts what another one does. Whatever passes the contract suite can carry a fleet.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFleet, jsonStore, memoryStore, type Store } from 'flotilla'
import { storeContract } from 'flotilla/testing'

function countingStore(inner: Store): Store & { readonly appended: { turns: number; entries: number } } {
  const appended = { turns: 0, entries: 0 }
  return {
    name: `counting ${inner.name}`,
    blobs: inner.blobs,
    folder: inner.folder,
    appended,
    async append(batches) {
      await inner.append(batches)
      appended.turns += 1
      for (const { entries } of batches) appended.entries += entries.length
    },
    open: (options) => inner.open(options),
    claim: (options) => inner.claim(options),
    read: (run, range) => inner.read(run, range),
    last: (run) => inner.last(run),
    loadSnapshot: (run) => inner.loadSnapshot(run),
    saveSnapshot: (run, snapshot) => inner.saveSnapshot(run, snapshot),
    watch: (run, options) => inner.watch(run, options),
    runs: (query) => inner.runs(query),
    row: (query) => inner.row(query),
    post: (command, options) => inner.post(command, options),
    inbox: (options) => inner.inbox(options),
    remove: (run) => inner.remove(run),
    owner: () => inner.owner(),
    close: () => inner.close(),
  }
}

const store = countingStore(memoryStore())
const fleet = await createFleet({ store, handlers: { nap: () => 'rested' } })
const run = await fleet.start({ name: 'naps', tasks: [{ id: 'a', name: 'A', instructions: 'Nap.', handler: 'nap' }] })
await run.result()
await fleet.close()
console.log(store.name, store.appended.entries >= store.appended.turns) //=> counting memory store true

// The cases that every store passes (ST9), each on a new folder. In a test runner: `test(id, check)`.
const cases = storeContract(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-example-'))
  const opened: Store[] = []
  const make = (): Store => {
    const made = countingStore(jsonStore({ folder }))
    opened.push(made)
    return made
  }
  const dispose = async (): Promise<void> => {
    for (const made of opened) await made.close()
    await rm(folder, { recursive: true })
  }
  return { store: make(), reopen: async () => make(), dispose }
})
const failed: string[] = []
for (const { id, run: check } of cases) await check().catch((error: unknown) => failed.push(`${id}: ${String(error)}`))
console.log(failed) //=> []
