import { expect } from 'vitest'
import { systemClock } from '../../../../src/host/clock.ts'
import { systemIds } from '../../../../src/host/ids.ts'
import { FleetError } from '../../../../src/protocol/errors.ts'
import type { PostedAnswer, PostedCommand } from '../../../../src/protocol/command.ts'
import type { Batch, Snapshot, Store, StoredEntry } from '../../../../src/ports/store.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { usualLineChars } from '../../../../src/store/json/group.ts'
import type { HostFacts } from '../../../../src/store/json/process-identity.ts'
import type { JsonStoreParts } from '../../../../src/store/json/store-parts.ts'
import { createJsonStore } from '../../../../src/store/json/store.ts'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import type { CrashState } from '../../../support/disk-model/crash-states.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { afterCrash, batch } from './store-folder.ts'

export const modelFolder = '/srv/fleet/store'
const clock = systemClock()
const ids = systemIds()

/** What was asked of a run, and what of it was acknowledged, with the number of steps that the disk had taken by then. */
interface RunAccount {
  readonly entries: StoredEntry[]
  /** The sequences at which an append ended. */
  readonly ends: number[]
  readonly acknowledged: { readonly seq: number; readonly at: number }[]
  readonly blobs: { readonly text: string; readonly sha256: string; readonly at: number }[]
  readonly snapshots: Snapshot[]
  removal?: { acknowledgedAt?: number }
}

export function modelStore(disk: Disk, parts: Partial<JsonStoreParts> = {}): Store {
  return createJsonStore({
    folder: modelFolder,
    clock,
    ids,
    host: anotherProcess(),
    segmentBytes: 1500,
    // Of `batch` two entries make a line, and three make two.
    lineChars: 45,
    roomBytes: 400,
    disk,
    ...parts,
  })
}

/** A process that lives, and to which all others are dead. */
function anotherProcess(): HostFacts {
  const self = afterCrash().self()
  return { self: () => self, isAlive: ({ pid }) => pid === self.pid }
}

/** Uses a store on a modelled disk, and remembers what the store promised: each state after a power cut is held against that. */
export class Witness {
  readonly disk: ModelDisk
  store: Store
  readonly #firstDisk: Disk
  readonly #runs = new Map<string, RunAccount>()
  readonly #posted: { readonly id: string; readonly at: number; answeredAt?: number; doneAt?: number }[] = []

  /** The first process may have the disk otherwise than its successors: it may be killed, for instance. */
  constructor(disk = new ModelDisk(), firstDisk: Disk = disk) {
    this.disk = disk
    this.#firstDisk = firstDisk
    this.store = modelStore(firstDisk)
  }

  /** Has the first process use its store with other settings. */
  configure(parts: Partial<JsonStoreParts>): void {
    this.store = modelStore(this.#firstDisk, parts)
  }

  /** Goes on as the next process would: the one before left everything as it stood. */
  async crash(): Promise<void> {
    // Its lines are longer.
    this.store = modelStore(this.disk, { lineChars: usualLineChars })
    await this.store.open({ instance: 'next' })
  }

  /** The journal's segments as they lie there now. */
  segments(): readonly string[] {
    return this.disk.tree.list(`${modelFolder}/journal`).filter((name) => name.endsWith('.jsonl'))
  }

  async append(...batches: readonly Batch[]): Promise<void> {
    for (const { run, after, entries } of batches) {
      const account = this.#account(run)
      account.entries.splice(after, Number.POSITIVE_INFINITY, ...entries)
      account.ends.push(after + entries.length)
    }
    await this.store.append(batches)
    for (const { run, after, entries } of batches)
      this.#account(run).acknowledged.push({ seq: after + entries.length, at: this.disk.steps.length })
  }

  async put(run: string, text: string): Promise<void> {
    const { sha256 } = await this.store.blobs.put(run, Buffer.from(text))
    this.#account(run).blobs.push({ text, sha256, at: this.disk.steps.length })
  }

  async snapshot(run: string, snapshot: Snapshot): Promise<void> {
    this.#account(run).snapshots.push(snapshot)
    await this.store.saveSnapshot(run, taken(snapshot.seq, snapshot.records))
  }

  async remove(run: string): Promise<void> {
    const removal: RunAccount['removal'] = {}
    this.#account(run).removal = removal
    await this.store.remove(run)
    removal.acknowledgedAt = this.disk.steps.length
  }

  async post(id: string): Promise<void> {
    await this.store.post(pause(id), { waitMs: 0 })
    this.#posted.push({ id, at: this.disk.steps.length })
  }

  /** Appends to every run that is there, whatever came of the last append to it. */
  async goOn(): Promise<void> {
    for (const [run, { removal }] of this.#runs) {
      const last = await this.store.last(run)
      if (last > 0 || removal === undefined) await this.append(batch(run, last, 1))
    }
  }

  /** Takes what was posted; each answer is fetched by its poster. */
  async answerAll(): Promise<void> {
    for (const { command, answer } of await takeAll(this.store)) {
      const posted = this.#posted.find(({ id }) => id === command.id)
      if (posted !== undefined) posted.answeredAt = this.disk.steps.length
      await answer(done)
      await this.store.post(command, { waitMs: 0 })
      if (posted !== undefined) posted.doneAt = this.disk.steps.length
    }
  }

  /** Rejects when a store that opens in this state breaks a promise. */
  async examine({ tree, after, story }: CrashState): Promise<void> {
    const where = `after step ${after}: ${story}`
    const disk = new ModelDisk(tree)
    const reader = modelStore(disk)
    const owner = modelStore(disk)
    const seen = await this.#contents(reader, where)
    const { warnings } = await owner.open({ instance: 'survivor' }).catch((error: unknown) => {
      throw new Error(`the store does not open ${where}`, { cause: error })
    })
    expect(
      warnings.filter((warning) => !warning.startsWith('A torn tail')),
      where,
    ).toEqual([])
    const found = await this.#contents(owner, where)
    expect(seen, where).toEqual(found)
    const grown = new Map<string, number>()
    for (const [run, account] of this.#runs) grown.set(run, await this.#examineRun(owner, run, account, after, where))
    await this.#examineInbox(owner, after, where)
    for (const [run, { removal }] of this.#runs)
      if (removal !== undefined && grown.get(run) === 0)
        expect(disk.tree.folders.has(`${modelFolder}/runs/${run}`), where).toBe(false)
    await owner.close()
    const again = modelStore(disk)
    expect((await again.open({ instance: 'again' })).warnings, where).toEqual([])
    const kept = [...(await this.#contents(again, where))].map(([run, entries]) => [run, entries.length] as const)
    expect(new Map(kept), where).toEqual(grown)
    await again.close()
    expect(disk.handles, where).toBe(0)
  }

  async #contents(store: Store, where: string): Promise<Map<string, readonly StoredEntry[]>> {
    const contents = new Map<string, readonly StoredEntry[]>()
    for (const run of this.#runs.keys())
      contents.set(
        run,
        await this.#read(store, run).catch((error: unknown) => {
          throw new Error(`run ${run} cannot be read ${where}`, { cause: error })
        }),
      )
    return contents
  }

  /** All entries of a run; those that went with their segments are known from a snapshot. */
  async #read(store: Store, run: string): Promise<readonly StoredEntry[]> {
    try {
      return await store.read(run, { from: 1, limit: 1000 })
    } catch (error) {
      if (!FleetError.is(error, 'cursor_unavailable')) throw error
      const from = Number(error.details['readableFrom'])
      expect((await store.loadSnapshot(run))?.seq).toBeGreaterThanOrEqual(from - 1)
      return [...this.#account(run).entries.slice(0, from - 1), ...(await store.read(run, { from, limit: 1000 }))]
    }
  }

  /** Gives how many entries the run has in the end: it is appended to once more. */
  async #examineRun(owner: Store, run: string, account: RunAccount, after: number, where: string): Promise<number> {
    const entries = await this.#read(owner, run)
    const last = entries.length
    const least = account.acknowledged.findLast(({ at }) => at <= after)?.seq ?? 0
    expect(entries, where).toEqual(account.entries.slice(0, last))
    expect([0, ...account.ends], `${run} ${where}`).toContain(last)
    if (account.removal !== undefined && last === 0 && least > 0) {
      await expect(owner.append([{ run, after: 0, entries: account.entries.slice(0, 1) }]), where).rejects.toMatchObject({
        code: 'run_exists',
      })
      return 0
    }
    expect((account.removal?.acknowledgedAt ?? Number.POSITIVE_INFINITY) <= after, `${run} came back ${where}`).toBe(false)
    expect(last, `${run} ${where}`).toBeGreaterThanOrEqual(least)
    for (const { text, sha256, at } of account.blobs)
      if (at <= after && account.removal === undefined)
        expect((await owner.blobs.open(run, sha256))?.toString(), `blob of ${run} ${where}`).toBe(text)
    const snapshot = await owner.loadSnapshot(run)
    if (snapshot !== undefined) expect(account.snapshots, where).toContainEqual(snapshot)
    await owner.append([{ run, after: last, entries: [{ seq: last + 1, kind: 'survived' }] }])
    return last + 1
  }

  async #examineInbox(owner: Store, after: number, where: string): Promise<void> {
    if (this.#posted.length === 0) return
    const found = (await takeAll(owner)).map(({ command }) => command.id)
    for (const { id, at, answeredAt, doneAt } of this.#posted) {
      if (at <= after && after <= (answeredAt ?? after)) expect(found, where).toContain(id)
      if (doneAt !== undefined && doneAt <= after) expect(found, where).not.toContain(id)
    }
  }

  #account(run: string): RunAccount {
    const account = this.#runs.get(run) ?? { entries: [], ends: [], acknowledged: [], blobs: [], snapshots: [] }
    this.#runs.set(run, account)
    return account
  }
}

const done: PostedAnswer = { ok: true, outcome: { changed: true, message: 'done' } }

function pause(id: string): PostedCommand {
  return { id, command: { kind: 'run.pause', run_id: 'run-1' } }
}

/** What lies in the inbox now. */
async function takeAll(store: Store) {
  const stop = new AbortController()
  const items = []
  const quiet = setTimeout(() => stop.abort(), 5)
  for await (const item of store.inbox({ signal: stop.signal })) {
    items.push(item)
    quiet.refresh()
  }
  clearTimeout(quiet)
  return items
}
