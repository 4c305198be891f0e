import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../../src/host/clock.ts'
import { systemIds } from '../../../../src/host/ids.ts'
import type { Batch, RunRow, Store, StoredEntry } from '../../../../src/ports/store.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { nodeDisk } from '../../../../src/store/json/disk.ts'
import type { HostFacts, ProcessIdentity } from '../../../../src/store/json/process-identity.ts'
import { isAlive } from '../../../../src/store/json/process-identity.ts'
import type { JsonStoreParts } from '../../../../src/store/json/store-parts.ts'
import { createJsonStore } from '../../../../src/store/json/store.ts'

const clock = systemClock()
const ids = systemIds()
let lastPid = 0

/** A disk that syncs nothing: for tests of what is written, not of what survives. */
export const unsyncedDisk: Disk = {
  ...nodeDisk,
  open: async (path, options) => ({
    ...(await nodeDisk.open(path, options)),
    sync: async () => undefined,
    syncNow: () => undefined,
  }),
  syncFolder: async () => undefined,
}

/** A folder for one test, and stores in it, which are closed and removed with the test. */
export async function storeFolder(): Promise<{ readonly folder: string; store(parts?: Partial<JsonStoreParts>): Store }> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-store-'))
  const stores: Store[] = []
  onTestFinished(async () => {
    for (const store of stores) await store.close()
    await rm(folder, { recursive: true })
  })
  const store = (parts: Partial<JsonStoreParts> = {}) => {
    // Without room a test sees the bytes of a segment as its lines made them, and with a line for each entry what is wrong with one.
    const made = createJsonStore({ folder, clock, ids, roomBytes: 0, lineChars: 1, ...parts })
    stores.push(made)
    return made
  }
  return { folder, store }
}

/** A host on which every process but this one is gone: what a successor sees after a crash. */
export function afterCrash(changes: Partial<ProcessIdentity> = {}): HostFacts {
  lastPid += 1
  const self: ProcessIdentity = {
    host: 'ship',
    boot: 'boot-1',
    pidNamespace: 'pid:[1]',
    pid: lastPid,
    started: '100',
    ...changes,
  }
  return { self: () => self, isAlive: (other) => (other.pid === self.pid ? isAlive(other, self) : judge(other, self)) }
}

function judge(other: ProcessIdentity, self: ProcessIdentity): boolean | undefined {
  return other.host !== self.host || other.pidNamespace !== self.pidNamespace ? undefined : false
}

export function batch(run: string, after: number, count = 1, row?: Partial<RunRow>): Batch {
  const entries = Array.from({ length: count }, (_, index): StoredEntry => ({
    seq: after + 1 + index,
    kind: 'test',
    text: `${run} ${after + 1 + index}`,
  }))
  return { run, after, entries, ...(row && { row: rowOf(run, row) }) }
}

export function rowOf(id: string, changes: Partial<RunRow> = {}): RunRow {
  return { id, name: id, status: 'running', tasks: 1, createdAt: 1, updatedAt: 1, ...changes }
}

export async function seqs(store: Store, run: string, limit = 1000): Promise<readonly number[]> {
  return (await store.read(run, { from: 1, limit })).map(({ seq }) => seq)
}

export async function segments(folder: string): Promise<readonly string[]> {
  return (await readdir(join(folder, 'journal'))).filter((name) => name.endsWith('.jsonl')).toSorted()
}

/** Changes the bytes of a journal segment. */
export async function edit(folder: string, segment: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const path = join(folder, 'journal', segment)
  await writeFile(path, change(await readFile(path)))
}

/** Changes a segment line by line. */
export function editLines(folder: string, segment: string, change: (lines: string[]) => string[]): Promise<void> {
  return edit(folder, segment, (bytes) => Buffer.from(`${change(bytes.toString().trimEnd().split('\n')).join('\n')}\n`))
}
