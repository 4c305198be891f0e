import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import { FleetError } from '../../../../src/protocol/errors.ts'
import type { RunRow, Snapshot, Store, StoredEntry } from '../../../../src/ports/store.ts'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import type { FileTree } from '../../../support/disk-model/file-tree.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { usualLineChars } from '../../../../src/store/json/group.ts'
import type { Changes } from './journal-changes.ts'
import { journalFolder } from './journal-changes.ts'
import { batch } from './store-folder.ts'
import { modelFolder, modelStore } from './witness.ts'

const runs = ['run-1', 'run-2', 'run-3', 'run-4', 'run-5']

/** All that can be read of a run. */
interface Readable {
  /** Of a run that was removed, what stood there before. */
  readonly entries: readonly StoredEntry[]
  readonly isRemoved: boolean
  readonly row: RunRow | undefined
  readonly snapshot: Snapshot | undefined
}

/** A journal of several owners and segments, as it lies there, and all that can be read of it. */
interface WrittenJournal {
  readonly tree: FileTree
  /** Without the index, all of it is read at the opening; with it, only what is behind it. */
  readonly bare: FileTree
  readonly original: ReadonlyMap<string, Readable>
}

/** `how` the last owner left: by closing the store, or by a crash. */
async function writeJournal(how: 'closed' | 'crashed'): Promise<WrittenJournal> {
  const disk = new ModelDisk()
  // Some lines hold two entries; of a journal that was not closed all of a batch.
  const lineChars = how === 'closed' ? 45 : usualLineChars
  const first = modelStore(disk, { segmentBytes: 1300, lineChars })
  await first.open({ instance: 'first' })
  await first.append([batch('run-1', 0, 2, { key: 'key-1' }), batch('run-2', 0, 1, {})])
  // All of this run lies in one segment, in the middle.
  for (let after = 0; after < 3; after += 1) await first.append([batch('run-1', 2 + after), batch('run-2', 1 + after)])
  await first.append([batch('run-3', 0, 2, {})])
  await first.saveSnapshot('run-1', taken(4, [{ key: 'task:1', seq: 4, value: 'a' }]))
  await first.append([batch('run-2', 4, 2, { status: 'completed' })])
  await first.append([batch('run-1', 5, 2), batch('run-4', 0, 1, {})])
  const second = modelStore(disk, { segmentBytes: 1300, lineChars, indexDelayMs: how === 'closed' ? 1000 : 0 })
  await second.open({ instance: 'second' })
  await second.append([batch('run-1', 7, 1)])
  await second.append([batch('run-5', 0, 3, {})])
  await second.remove('run-4')
  await second.append([batch('run-5', 3, 1), batch('run-1', 8, 1)])
  await second.append([batch('run-2', 6, 1)])
  if (how === 'closed') await second.close()
  else await setTimeout(10)
  const bare = disk.tree.copy()
  bare.names.delete(`${modelFolder}/index.json`)
  return {
    tree: disk.tree.copy(),
    bare: bare.prune(),
    original: await readAll(modelStore(new ModelDisk(disk.tree)), batch('run-4', 0).entries),
  }
}

/**
 * Whether the newest segment only ends earlier, or lacks some of its last write as well. Without the index nothing shows then that there
 * was more: it may never have been acknowledged.
 */
function isOnlyShorter(tree: FileTree, before: FileTree): boolean {
  const path = `${journalFolder}/${before.list(journalFolder).findLast((name) => name.endsWith('.jsonl'))}`
  const bytes = tree.bytes(path)
  if (bytes === undefined || before.bytes(path)?.subarray(0, bytes.length).equals(bytes) === true) return true
  const [lines, whole] = [bytes, before.bytes(path) ?? Buffer.alloc(0)].map((text) =>
    text.toString('latin1').trimEnd().split('\n'),
  )
  const first = lines?.findIndex((line, index) => line !== whole?.[index]) ?? 0
  const next = whole?.findIndex((line, index) => index > first && line.includes('"offset":')) ?? -1
  const write = new Set(whole?.slice(first, next < 0 ? undefined : next))
  return lines?.slice(first).every((line) => write.has(line)) === true
}

/** Examines every `stride`th change of journals of both endings, with their index and without; counts the outcomes. */
export async function tellChanges(changes: Changes, stride: number): Promise<ReadonlyMap<string, number>> {
  const outcomes = new Map<string, number>()
  for (const how of ['closed', 'crashed'] as const) {
    const written = await writeJournal(how)
    for (const tree of [written.tree, written.bare])
      for (const change of changes(tree, stride)) {
        const where = `${how}, ${tree === written.bare ? 'without the index' : 'with the index'}: ${change.name}`
        const mayBeSilent = tree === written.bare && isOnlyShorter(change.tree, tree)
        const outcome = await examineJournal(change.tree, written.original, where, mayBeSilent)
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      }
  }
  return outcomes
}

/**
 * Opens a journal that is not what was written. Rejects unless all reads as before, or the loss was told: by a refusal or a warning that
 * names the place, and then what can be read is a beginning of what was there.
 */
async function examineJournal(
  tree: FileTree,
  original: WrittenJournal['original'],
  where: string,
  mayBeSilent: boolean,
): Promise<string> {
  const disk = new ModelDisk(tree)
  const store = modelStore(disk)
  const opening = await store.open({ instance: 'next', takeOver: true }).catch((error: unknown) => error)
  if (!isOpening(opening)) {
    expectPlaced(opening, where)
    return 'refused'
  }
  let isUnlike = false
  for (const [run, before] of original) {
    const found = await store.read(run, { from: 1, limit: 1000 }).catch((error: unknown) => error)
    if (Array.isArray(found)) {
      const entries = found as readonly StoredEntry[]
      expect(entries, `${run}, ${where}`).toEqual(before.entries.slice(0, entries.length))
      const row = await store.row({ id: run })
      const isWhole = entries.length === (before.isRemoved ? 0 : before.entries.length)
      if (isWhole) expect(row, `row of ${run}, ${where}`).toEqual(before.row)
      else if (!mayBeSilent) expect(opening.warnings.length, `${run} lost entries, ${where}`).toBeGreaterThan(0)
      isUnlike ||= !isWhole
    } else {
      expectPlaced(found, `${run}, ${where}`)
      isUnlike = true
    }
    const snapshot = await store.loadSnapshot(run)
    if (snapshot !== undefined) expect(snapshot, `${run}, ${where}`).toEqual(before.snapshot)
  }
  for (const warning of opening.warnings) expect(warning, where).toMatch(/jsonl/)
  await store.close()
  return isUnlike ? 'told' : 'same'
}

async function readAll(store: Store, removed: readonly StoredEntry[]): Promise<WrittenJournal['original']> {
  const all = new Map<string, Readable>()
  for (const run of runs) {
    const entries = await store.read(run, { from: 1, limit: 1000 })
    all.set(run, {
      entries: entries.length === 0 ? removed : entries,
      isRemoved: entries.length === 0,
      row: await store.row({ id: run }),
      snapshot: await store.loadSnapshot(run),
    })
  }
  return all
}

function isOpening(opening: unknown): opening is { readonly warnings: readonly string[] } {
  return typeof opening === 'object' && opening !== null && 'warnings' in opening
}

/** Refusals name where the damage is. */
function expectPlaced(error: unknown, where: string): void {
  if (!FleetError.is(error)) throw error
  expect(['store_damaged', 'store_too_new'], `${where}: ${error.message}`).toContain(error.code)
  expect(error.details, where).toMatchObject({ file: expect.stringContaining('jsonl') as string })
  if (error.code === 'store_damaged')
    expect(error.details, where).toMatchObject({ line: expect.any(Number) as number, byte: expect.any(Number) as number })
}
