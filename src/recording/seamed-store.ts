import type { Batch, InboxItem, RunClaim, Store } from '../ports/store.ts'
import type { PostedCommand } from '../protocol/command.ts'
import { createMessageChannel } from '../transports/message-channel.ts'
import type { Seam } from './seam.ts'

/** A store as it passes a seam. What only looks at it, and is not a fleet, goes past. */
export function seamedStore(seam: Seam, store: Store): Store {
  return {
    name: store.name,
    folder: store.folder,
    blobs: {
      put: (run, bytes) => seam.ask(`blobs.put ${run}`, () => store.blobs.put(run, bytes)),
      open: (run, sha256) => store.blobs.open(run, sha256),
      remove: (run) => seam.ask(`blobs.remove ${run}`, () => store.blobs.remove(run)),
    },
    open: (options) => seam.ask('store.open', () => store.open(options)),
    claim: (options) => claims(seam, store, options),
    append: (batches) => seam.ask(`store.append ${batches.map(placeOf).join(' ')}`, () => store.append(batches), { batches }),
    read: (run, range) =>
      seam.ask(`store.read ${run} ${range.from}..${range.from + range.limit - 1}`, () => store.read(run, range)),
    last: (run) => seam.ask(`store.last ${run}`, () => store.last(run)),
    loadSnapshot: (run) => seam.ask(`store.loadSnapshot ${run}`, () => store.loadSnapshot(run)),
    saveSnapshot: (run, snapshot) => seam.ask(`store.saveSnapshot ${run}`, () => store.saveSnapshot(run, snapshot)),
    watch: (run, options) => store.watch(run, options),
    runs: (query) => seam.ask(`store.runs ${JSON.stringify(query ?? {})}`, () => store.runs(query)),
    row: (query) => seam.ask(`store.row ${JSON.stringify(query)}`, () => store.row(query)),
    post: (command, options) => store.post(command, options),
    inbox: ({ signal }) => inbox(seam, store, signal),
    remove: (run) => seam.ask(`store.remove ${run}`, () => store.remove(run)),
    owner: () => store.owner(),
    close: () => seam.ask('store.close', () => store.close()),
  }
}

function placeOf({ run, after, entries }: Batch): string {
  return `${run} ${after + 1}..${after + entries.length}`
}

async function* claims(seam: Seam, store: Store, options: Parameters<Store['claim']>[0]): AsyncGenerator<RunClaim> {
  const granted: RunClaim[] = []
  const grants = await seam.ask(`store.claim ${options.runs?.join(' ') ?? 'all'}`, async () => {
    for await (const claim of store.claim(options)) granted.push(claim)
    return granted.map(({ run, epoch }) => ({ run, epoch }))
  })
  for (const [index, grant] of grants.entries()) {
    const claim = granted[index]
    yield {
      ...grant,
      lost: claim?.lost ?? new AbortController().signal,
      release: () => seam.ask(`store.release ${grant.run}`, async () => claim?.release()),
    }
  }
}

/** A word of an inbox: a command, or that there will be none. */
type InboxWord = { readonly posted: PostedCommand } | { readonly ended: true }

function inbox(seam: Seam, store: Store, signal: AbortSignal): AsyncIterable<InboxItem> {
  const items = new Map<string, InboxItem>()
  const arriving = createMessageChannel<InboxItem>()
  const say = seam.hear<InboxWord>('inbox', (word) => {
    if ('ended' in word) return arriving.end()
    const { posted } = word
    arriving.push({
      command: posted,
      answer: (answer) => seam.ask(`inbox.answer ${posted.id}`, async () => items.get(posted.id)?.answer(answer)),
    })
  })
  // It ends with the inbox that it reads; one that breaks ends as well.
  void (async () => {
    try {
      for await (const item of store.inbox({ signal })) {
        items.set(item.command.id, item)
        say({ posted: item.command })
      }
    } finally {
      say({ ended: true })
    }
  })().catch(() => undefined)
  return arriving
}
