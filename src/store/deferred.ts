import type { Store } from '../ports/store.ts'

/** What is known of a store before its code is loaded. */
export type StoreFacts = Pick<Store, 'name' | 'folder' | 'home' | 'recordings'>

/** A store whose code is loaded when something is first asked of it; a load that failed is tried again with the next. */
export function deferredStore(facts: StoreFacts, load: () => Promise<() => Store>): Store {
  let isAsked = false
  let store: Store | undefined
  const loaded = async (): Promise<Store> => {
    isAsked = true
    // Nobody waits for a module loader twice: a fleet on virtual time does not see that it does.
    if (store !== undefined) return store
    const create = await load()
    return (store ??= create())
  }
  return {
    ...facts,
    blobs: {
      put: async (run, bytes) => (await loaded()).blobs.put(run, bytes),
      open: async (run, sha256) => (await loaded()).blobs.open(run, sha256),
      remove: async (run) => (await loaded()).blobs.remove(run),
    },
    open: async (options) => (await loaded()).open(options),
    claim: async function* (options) {
      yield* (await loaded()).claim(options)
    },
    // Whoever opened the store has loaded it, and appends with nothing in between.
    append: (batches) => store?.append(batches) ?? loaded().then((late) => late.append(batches)),
    read: async (run, options) => (await loaded()).read(run, options),
    last: async (run) => (await loaded()).last(run),
    loadSnapshot: async (run) => (await loaded()).loadSnapshot(run),
    saveSnapshot: async (run, snapshot) => (await loaded()).saveSnapshot(run, snapshot),
    watch: async function* (run, options) {
      yield* (await loaded()).watch(run, options)
    },
    runs: async (query) => (await loaded()).runs(query),
    row: async (query) => (await loaded()).row(query),
    post: async (command, options) => (await loaded()).post(command, options),
    inbox: async function* (options) {
      yield* (await loaded()).inbox(options)
    },
    remove: async (run) => (await loaded()).remove(run),
    owner: async () => (await loaded()).owner(),
    async close() {
      // Of whom nothing was asked nothing is open.
      if (isAsked) await (await loaded()).close()
    },
  }
}
