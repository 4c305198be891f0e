import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Store } from '../../../../src/ports/store.ts'
import type { Disk } from '../../../../src/store/json/disk.ts'
import { nodeDisk } from '../../../../src/store/json/disk.ts'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { afterCrash, batch, segments, seqs, storeFolder, unsyncedDisk } from './store-folder.ts'

const segmentBytes = 8192

/** Runs that come, end, and go. */
async function comeAndGo(store: Store, name: string, count: number): Promise<void> {
  await come(store, name, count)
  await go(store, name, count)
}

async function come(store: Store, name: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await store.append([batch(`${name}-${index}`, 0, 3, { status: 'running' })])
    await store.append([batch(`${name}-${index}`, 3, 1, { status: 'completed' })])
  }
}

async function go(store: Store, name: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await store.remove(`${name}-${index}`)
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const facts = await Promise.all(names.map((name) => stat(join(folder, name))))
  return facts.reduce((sum, { size }) => sum + size, 0)
}

const openingAgain = async (store: (parts?: object) => Store, parts: object = {}) => {
  const next = store({ segmentBytes, disk: unsyncedDisk, ...parts })
  expect((await next.open({ instance: 'next' })).warnings).toEqual([])
  return next
}

test('ST7 RU8 a folder in which runs come and go does not grow, and gives none of their ids again', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ segmentBytes, disk: unsyncedDisk })
  const sizes: number[] = []
  for (let round = 0; round < 10; round += 1) {
    await owner.open({ instance: 'owner' })
    await comeAndGo(owner, `run-${round}`, 100)
    await owner.close()
    sizes.push(await sizeOf(folder))
  }
  const written = 1_000 * 4 * 250
  const tombstones = 1_000 * 150
  expect(sizes.at(-1)).toBeLessThan(8 * segmentBytes + tombstones)
  expect(sizes.at(-1)).toBeLessThan(written / 4)
  for (const spoil of [() => undefined, () => rm(join(folder, 'index.json'))]) {
    await spoil()
    const next = await openingAgain(store)
    expect(await next.runs()).toEqual([])
    for (const id of ['run-0-0', 'run-4-50', 'run-9-99'])
      await expect(next.append([batch(id, 0)])).rejects.toMatchObject({ code: 'run_exists' })
    await next.close()
  }
})

test('ST7 a segment stays while one of its runs was not removed, and goes with the last', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ segmentBytes })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('kept', 0, 2, { status: 'completed' })])
  await comeAndGo(owner, 'run', 60)
  const [first, second] = await segments(folder)
  expect([first, second]).toEqual(['00000001.0001.jsonl', expect.stringMatching(/^00000001\.00(0[3-9]|[1-9]\d)/)])
  expect(await seqs(owner, 'kept')).toEqual([1, 2])
  await rm(join(folder, 'index.json'), { force: true })
  expect(await seqs(store(), 'kept')).toEqual([1, 2])
  await owner.remove('kept')
  expect(await segments(folder)).not.toContain(first)
  await owner.close()
  await openingAgain(store)
})

test('ST7 a run that goes on over segments that went is read whole', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ segmentBytes })
  await owner.open({ instance: 'owner' })
  for (let round = 0; round < 5; round += 1) {
    await owner.append([batch('long', round * 10, 10, { status: 'running' })])
    await comeAndGo(owner, `run-${round}`, 30)
  }
  const upTo50 = Array.from({ length: 50 }, (_, index) => index + 1)
  expect(await seqs(owner, 'long')).toEqual(upTo50)
  await owner.close()
  expect((await segments(folder)).length).toBeLessThan(12)
  expect(await seqs(store(), 'long')).toEqual(upTo50)
  await rm(join(folder, 'index.json'))
  const next = await openingAgain(store)
  expect(await seqs(next, 'long')).toEqual(upTo50)
})

test('ST7 the reserved stream holds no segment that its snapshot covers, and is read on from there', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ segmentBytes })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('fleet', 0, 2)])
  await comeAndGo(owner, 'run', 60)
  expect(await segments(folder)).toContain('00000001.0001.jsonl')
  const state = [{ key: 'worker:a', seq: 2, value: { id: 'a' } }]
  await owner.saveSnapshot('fleet', taken(2, state))
  expect(await segments(folder)).not.toContain('00000001.0001.jsonl')
  await owner.append([batch('fleet', 2, 2)])
  await owner.close()
  for (const spoil of [
    () => undefined,
    () => rm(join(folder, 'index.json')),
    () => rm(join(folder, 'runs', 'fleet'), { recursive: true }),
  ]) {
    await spoil()
    for (const reader of [store(), await openingAgain(store)]) {
      expect(await reader.loadSnapshot('fleet')).toEqual({ seq: 2, records: state })
      expect((await reader.read('fleet', { from: 3, limit: 9 })).map(({ seq }) => seq)).toEqual([3, 4])
      expect(await reader.last('fleet')).toBe(4)
      await expect(reader.read('fleet', { from: 1, limit: 9 })).rejects.toMatchObject({
        code: 'cursor_unavailable',
        details: { readableFrom: 3 },
      })
      await reader.close()
    }
  }
})

test('ST7 what is removed between the record and the files goes at the next opening', async () => {
  const { folder, store } = await storeFolder()
  const disk: Disk = {
    ...nodeDisk,
    remove: (path) => (path.endsWith('.jsonl') ? Promise.reject(new Error('gone')) : nodeDisk.remove(path)),
  }
  const crashed = store({ segmentBytes, disk, host: afterCrash() })
  await crashed.open({ instance: 'crashed' })
  await comeAndGo(crashed, 'run', 60)
  const before = await segments(folder)
  const next = store({ segmentBytes, host: afterCrash() })
  expect((await next.open({ instance: 'next' })).warnings).toEqual([])
  expect((await segments(folder)).length).toBeLessThan(before.length / 2)
  await expect(next.append([batch('run-0', 0)])).rejects.toMatchObject({ code: 'run_exists' })
})

test('ST7 a record that cannot be written loses nothing, and space is given back later', async () => {
  const { folder, store } = await storeFolder()
  const faulty = new FaultyDisk()
  const owner = store({ segmentBytes, disk: faulty.disk })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('kept', 0, 2, { status: 'running' })])
  faulty.failNext('link', /\.jsonl$/, 'ENOSPC', 1)
  await comeAndGo(owner, 'run', 20).catch(() => undefined)
  await owner.append([batch('kept', 2, 1, { status: 'running' })]).catch(() => undefined)
  const last = await owner.last('kept')
  await comeAndGo(owner, 'later', 60)
  expect((await seqs(owner, 'kept')).length).toBe(last)
  await owner.close()
  const next = await openingAgain(store)
  expect((await seqs(next, 'kept')).length).toBe(last)
  expect((await segments(folder)).length).toBeLessThan(10)
})

test('ST6 ST7 an owner that stalled while everything of its epoch went stores nothing', async () => {
  const { folder, store } = await storeFolder()
  const stalled = store({ segmentBytes, host: afterCrash() })
  await stalled.open({ instance: 'stalled' })
  await comeAndGo(stalled, 'run', 2)
  for (const name of ['second', 'third', 'fourth']) {
    const next = store({ segmentBytes, host: afterCrash() })
    await next.open({ instance: name, takeOver: true })
    await comeAndGo(next, name, 4)
    await next.close()
  }
  expect(await segments(folder)).not.toContain('00000001.0001.jsonl')
  await expect(stalled.append([batch('lost', 0)])).rejects.toMatchObject({ code: 'store_conflict' })
  expect(await store().row({ id: 'lost' })).toBeUndefined()
})

test('ST6 ST7 the name of an epoch stays while a segment of an older one does', async () => {
  const { folder, store } = await storeFolder()
  const first = store({ segmentBytes })
  await first.open({ instance: 'first' })
  await first.append([batch('kept', 0, 2, { status: 'running' })])
  await first.close()
  const second = store({ segmentBytes })
  await second.open({ instance: 'second' })
  await comeAndGo(second, 'run', 60)
  const names = await segments(folder)
  expect(names.slice(0, 2)).toEqual(['00000001.0001.jsonl', '00000002.0001.jsonl'])
  expect((await readFile(join(folder, 'journal', '00000002.0001.jsonl'), 'utf8')).split('\n')).toHaveLength(2)
  await second.close()
  await first.open({ instance: 'third' })
  await first.append([batch('kept', 2, 1, { status: 'completed' })])
  await first.remove('kept')
  await first.close()
  await openingAgain(store)
  expect((await segments(folder))[0]).not.toMatch(/^0000000[12]/)
})

test('ST7 a reader whose segments go while it reads sees what is left', async () => {
  const { store } = await storeFolder()
  const owner = store({ segmentBytes, disk: unsyncedDisk, indexDelayMs: 60_000 })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('kept', 0, 2, { status: 'running' }), batch('fleet', 0, 2)])
  await come(owner, 'early', 20)
  await owner.append([batch('fleet', 2, 2)])
  await come(owner, 'late', 20)
  await owner.saveSnapshot('fleet', taken(4, []))
  await owner.append([batch('fleet', 4, 2), batch('kept', 2, 2)])
  let going: Promise<unknown> | undefined
  const goAll = () => go(owner, 'early', 20).then(() => go(owner, 'late', 20))
  const disk: Disk = {
    ...nodeDisk,
    read: async (path, from, to) => {
      if (path.endsWith('.jsonl') && to !== undefined && to > 5000) await (going ??= goAll())
      return nodeDisk.read(path, from, to)
    },
  }
  const reader = store({ disk })
  expect(await reader.last('fleet')).toBe(6)
  expect(going).toBeDefined()
  expect(await seqs(reader, 'kept')).toEqual([1, 2, 3, 4])
  expect((await reader.read('fleet', { from: 5, limit: 9 })).map(({ seq }) => seq)).toEqual([5, 6])
  expect((await reader.runs()).map(({ id }) => id)).toEqual(['kept'])
})

test('ST4 ST7 segments behind a damage stay, since what they hold may be mended', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ segmentBytes })
  await owner.open({ instance: 'owner' })
  await owner.append([batch('broken', 0, 2, { status: 'running' })])
  await comeAndGo(owner, 'some', 20)
  await owner.append([batch('broken', 2, 2, { status: 'running' })])
  await owner.close()
  const path = join(folder, 'journal', '00000001.0001.jsonl')
  const whole = await readFile(path)
  const at = whole.indexOf('"run":"broken","seq":2') + 150
  await writeFile(path, Buffer.concat([whole.subarray(0, at), Buffer.from('#'), whole.subarray(at + 1)]))
  await rm(join(folder, 'index.json'))
  const next = store({ segmentBytes })
  expect((await next.open({ instance: 'next' })).warnings).toHaveLength(1)
  await comeAndGo(next, 'more', 60)
  await next.close()
  await writeFile(path, whole)
  await rm(join(folder, 'index.json'))
  const mended = await openingAgain(store)
  expect(await seqs(mended, 'broken')).toEqual([1, 2, 3, 4])
})

/** A disk that takes so many changes, and no more: the process that used it is gone. */
function dyingAfter(changes: number): { readonly disk: Disk; readonly state: { left: number } } {
  const state = { left: changes }
  const change = () => {
    state.left -= 1
    if (state.left < 0) throw new Error('died')
  }
  const disk: Disk = {
    ...unsyncedDisk,
    open: async (path, options) => {
      if (options.create) change()
      const file = await unsyncedDisk.open(path, options)
      const write = (bytes: Uint8Array, at: number) => (change(), file.write(bytes, at))
      return { ...file, write, truncate: async (size) => (change(), file.truncate(size)) }
    },
    link: async (from, to) => (change(), unsyncedDisk.link(from, to)),
    rename: async (from, to) => (change(), unsyncedDisk.rename(from, to)),
    remove: async (path) => (change(), unsyncedDisk.remove(path)),
    removeFolder: async (path) => (change(), unsyncedDisk.removeFolder(path)),
  }
  return { disk, state }
}

test('ST1 ST7 wherever a process dies while segments go, what is left is whole, and no id comes back', async () => {
  let deaths = 0
  for (let changes = 3; ; changes += 1) {
    const { folder, store } = await storeFolder()
    const before = store({ segmentBytes: 2_000, disk: unsyncedDisk })
    await before.open({ instance: 'before' })
    await before.append([batch('kept', 0, 3, { status: 'running' }), batch('fleet', 0, 2)])
    await comeAndGo(before, 'old', 3)
    await before.append([batch('kept', 3, 3, { status: 'running' })])
    await before.close()
    const { disk, state } = dyingAfter(changes)
    const dying = store({ segmentBytes: 2_000, disk, host: afterCrash() })
    const removed: string[] = []
    let kept = 6
    const work = async () => {
      await dying.open({ instance: 'dying', takeOver: true })
      await dying.saveSnapshot('fleet', taken(2, []))
      for (let round = 0; round < 2; round += 1) {
        await comeAndGo(dying, `new-${round}`, 4)
        removed.push(...[0, 1, 2, 3].map((index) => `new-${round}-${index}`))
        await dying.append([batch('kept', kept, 1, { status: 'running' })])
        kept += 1
      }
    }
    await work().catch(() => undefined)
    if (state.left >= 0) break
    deaths += 1
    const next = store({ segmentBytes: 2_000, disk: unsyncedDisk, host: afterCrash() })
    const { warnings } = await next.open({ instance: 'next', takeOver: true })
    expect(warnings.filter((text) => !text.startsWith('A torn tail'))).toEqual([])
    const found = await seqs(next, 'kept')
    expect(found.length).toBeGreaterThanOrEqual(kept)
    expect(found).toEqual(Array.from({ length: found.length }, (_, index) => index + 1))
    expect(await next.last('fleet')).toBe(2)
    for (const id of ['old-0', 'old-2', ...removed])
      await expect(next.append([batch(id, 0)])).rejects.toMatchObject({ code: 'run_exists' })
    await next.close()
    await rm(join(folder, 'index.json'))
    const again = store({ segmentBytes: 2_000, disk: unsyncedDisk, host: afterCrash() })
    expect((await again.open({ instance: 'again', takeOver: true })).warnings).toEqual([])
    expect(await seqs(again, 'kept')).toEqual(found)
    for (const id of ['old-1', ...removed])
      await expect(again.append([batch(id, 0)])).rejects.toMatchObject({ code: 'run_exists' })
    await again.close()
  }
  expect(deaths).toBeGreaterThan(50)
})
