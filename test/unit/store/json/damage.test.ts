import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Store } from '../../../../src/ports/store.ts'
import { afterCrash, batch, edit, editLines, segments, seqs, storeFolder, unsyncedDisk } from './store-folder.ts'

const first = '00000001.0001.jsonl'
const lineFeed = 10

/** A journal of three runs over five writes; gives the bytes of its segment as they were after each. */
async function writeSmallJournal(store: Store, folder: string): Promise<readonly Buffer[]> {
  const path = join(folder, 'journal', first)
  await store.open({ instance: 'writer' })
  const states = [await readFile(path)]
  for (const batches of [
    [batch('run-a', 0, 2, {}), batch('run-b', 0, 1, {})],
    [batch('run-a', 2, 1)],
    [batch('run-b', 1, 3), batch('run-c', 0, 1, {})],
    [batch('run-a', 3, 2)],
    [batch('run-c', 1, 1)],
  ]) {
    await store.append(batches)
    states.push(await readFile(path))
  }
  return states
}

const runsOf = async (store: Store) => Promise.all(['run-a', 'run-b', 'run-c'].map((run) => seqs(store, run)))
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

test('ST4 a journal cut anywhere opens with every whole write before the cut', async () => {
  const acknowledged = [
    [0, 0, 0],
    [2, 1, 0],
    [3, 1, 0],
    [3, 4, 1],
    [5, 4, 1],
    [5, 4, 2],
  ]
  const { folder, store } = await storeFolder()
  const states = await writeSmallJournal(store({ host: afterCrash() }), folder)
  const whole = states.at(-1) ?? Buffer.alloc(0)
  const isEdge = (cut: number) => states.some(({ length }) => Math.abs(length - cut) < 8)
  for (let cut = states[0]?.length ?? 0; cut <= whole.length; cut += isEdge(cut) ? 1 : 6) {
    await clearJournal(folder)
    await writeFile(join(folder, 'journal', first), whole.subarray(0, cut))
    const reopened = store({ host: afterCrash(), disk: unsyncedDisk })
    const { warnings } = await reopened.open({ instance: 'next', takeOver: true })
    const state = states.findLastIndex(({ length }) => length <= cut)
    const found = (await runsOf(reopened)).map((list) => list.length)
    acknowledged[state]?.forEach((least, run) => expect(found[run], `cut at ${cut}`).toBeGreaterThanOrEqual(least))
    expect((await runsOf(reopened)).map((list) => list.at(-1) ?? 0)).toEqual(found)
    // Where nothing of a run is left, the whole segment may go (ST7).
    const size = (await readFile(join(folder, 'journal', first)).catch(() => states[0]))?.length ?? 0
    const aside = (await readdir(join(folder, 'journal'))).filter((name) => name.includes('.torn-'))
    expect(warnings.length, `cut at ${cut}`).toBe(size < cut ? 1 : 0)
    expect(aside).toEqual(size < cut ? [`${first}.torn-${size}`] : [])
    const [a = 0] = found
    await reopened.append([batch('run-a', a, 1)])
    expect(await seqs(reopened, 'run-a')).toEqual(upTo(a + 1))
    await reopened.close()
  }
})

test('ST4 a torn tail is cut, kept aside and reported; zeros behind it are nothing (L20)', async () => {
  const { folder, store } = await storeFolder()
  const crashed = store({ host: afterCrash() })
  const states = await writeSmallJournal(crashed, folder)
  const torn = Buffer.from('{"run":"run-a","se')
  // Zeros are room that was set aside: what stands in front of them is the tail.
  await edit(folder, first, (bytes) => Buffer.concat([bytes, torn, Buffer.alloc(5000)]))
  const next = store({ host: afterCrash() })
  const { warnings } = await next.open({ instance: 'next' })
  const end = states.at(-1)?.length ?? 0
  expect(warnings).toEqual([expect.stringContaining(`${first} at byte ${end}`)])
  expect(await readFile(join(folder, 'journal', `${first}.torn-${end}`))).toEqual(torn)
  expect(await readFile(join(folder, 'journal', first))).toEqual(states.at(-1))
  expect(await runsOf(next)).toEqual([upTo(5), upTo(4), upTo(2)])
})

test('ST4 half a batch at the end is cut: a batch is whole or not there', async () => {
  const { folder, store } = await storeFolder()
  const crashed = store({ host: afterCrash() })
  await crashed.open({ instance: 'writer' })
  await crashed.append([batch('run-a', 0, 1)])
  await crashed.append([batch('run-a', 1, 3)])
  await editLines(folder, first, (lines) => lines.slice(0, -1))
  const next = store({ host: afterCrash() })
  const { warnings } = await next.open({ instance: 'next' })
  expect(warnings).toHaveLength(1)
  expect(await seqs(next, 'run-a')).toEqual([1])
})

test('ST4 a write whose pages came to the disk out of order is torn, not damaged', async () => {
  const { folder, store } = await storeFolder()
  const crashed = store({ host: afterCrash() })
  await crashed.open({ instance: 'writer' })
  await crashed.append([batch('run-a', 0, 1)])
  await crashed.append([batch('run-a', 1, 1), batch('run-b', 0, 1)])
  await edit(folder, first, (bytes) => {
    const start = bytes.indexOf('{"run":"run-a","seq":2')
    return bytes.fill(0, start, start + 40)
  })
  const next = store({ host: afterCrash() })
  const { warnings } = await next.open({ instance: 'next' })
  expect(warnings).toEqual([expect.stringContaining('torn tail')])
  expect([await seqs(next, 'run-a'), await seqs(next, 'run-b')]).toEqual([[1], []])
  await next.append([batch('run-a', 1, 1)])
})

test('ST4 a damaged line stops its run with file, line and byte, and the others go on', async () => {
  const { folder, store } = await storeFolder()
  const writer = store()
  await writeSmallJournal(writer, folder)
  await writer.close()
  const byte = (await readFile(join(folder, 'journal', first))).indexOf('{"run":"run-a","seq":3')
  await edit(folder, first, (bytes) => bytes.fill('#', byte + 120, byte + 121))
  await rm(join(folder, 'index.json'))
  const next = store()
  const { warnings } = await next.open({ instance: 'next' })
  const place = { file: join(folder, 'journal', first), line: 6, byte, readableTo: 2 }
  expect(warnings).toEqual([expect.stringContaining(`line 6, byte ${byte}: run run-a stops there`)])
  await expect(next.read('run-a', { from: 1, limit: 3 })).rejects.toMatchObject({ code: 'store_damaged', details: place })
  expect(await seqs(next, 'run-a', 2)).toEqual([1, 2])
  await expect(next.append([batch('run-a', 2)])).rejects.toMatchObject({ code: 'store_damaged' })
  expect([await seqs(next, 'run-b'), await seqs(next, 'run-c')]).toEqual([upTo(4), upTo(2)])
  await next.append([batch('run-b', 4)])
  await next.remove('run-a')
  await next.close()
  const again = store()
  expect((await again.open({ instance: 'again' })).warnings).toEqual([])
  expect(await seqs(again, 'run-b')).toEqual(upTo(5))
})

test('ST4 no bit of a journal changes unnoticed', async () => {
  const { folder, store } = await storeFolder()
  const writer = store()
  await writeSmallJournal(writer, folder)
  await writer.close()
  const whole = await readFile(join(folder, 'journal', first))
  const expected = [upTo(5), upTo(4), upTo(2)]
  for (let byte = 0; byte < whole.length; byte += 3) {
    await clearJournal(folder)
    const changed = Buffer.from(whole)
    changed.writeUInt8(changed.readUInt8(byte) ^ (1 << (byte % 8)), byte)
    await writeFile(join(folder, 'journal', first), changed)
    const next = store({ host: afterCrash(), disk: unsyncedDisk })
    const opening = await next
      .open({ instance: 'next', takeOver: true })
      .catch((error: unknown) => error as { readonly code: string })
    if ('code' in opening) {
      expect(opening.code, `byte ${byte}`).toBe('store_too_new')
      continue
    }
    const outcomes = await Promise.allSettled(['run-a', 'run-b', 'run-c'].map((run) => seqs(next, run)))
    const intact = outcomes.filter(
      (outcome, run) => outcome.status === 'fulfilled' && outcome.value.length === expected[run]?.length,
    )
    expect(intact.length, `byte ${byte}`).toBeGreaterThanOrEqual(whole[byte] === lineFeed ? 1 : 2)
    if (intact.length < 3) expect(opening.warnings.length, `byte ${byte}`).toBeGreaterThanOrEqual(1)
    if (intact.length < 3 && !opening.warnings.some((warning) => /cannot be told|torn tail/.test(warning)))
      expect(outcomes.filter(({ status }) => status === 'rejected').length, `byte ${byte}`).toBe(3 - intact.length)
    await next.close()
  }
})

test.for([
  ['dropped', (lines: string[]) => lines.toSpliced(5, 1)],
  ['repeated', (lines: string[]) => lines.toSpliced(5, 0, lines[5] ?? '')],
  ['swapped with the next of its run', (lines: string[]) => lines.toSpliced(2, 2, lines[3] ?? '', lines[2] ?? '')],
] as const)('ST4 a line that is %s stops its run', async ([, change]) => {
  const { folder, store } = await storeFolder()
  const writer = store()
  await writeSmallJournal(writer, folder)
  await writer.close()
  await editLines(folder, first, (lines) => change(lines))
  await writeFile(join(folder, 'index.json'), '')
  const next = store()
  await next.open({ instance: 'next' })
  await expect(next.read('run-a', { from: 1, limit: 9 })).rejects.toMatchObject({ code: 'store_damaged' })
  expect([await seqs(next, 'run-b'), await seqs(next, 'run-c')]).toEqual([upTo(4), upTo(2)])
})

test('ST4 damage that happened behind the index is found when it is read', async () => {
  const { folder, store } = await storeFolder()
  const writer = store()
  await writeSmallJournal(writer, folder)
  await writer.close()
  await edit(folder, first, (bytes) => bytes.fill('#', bytes.indexOf('"seq":2,"kind"'), bytes.indexOf('"seq":2,"kind"') + 1))
  const reader = store()
  await expect(reader.read('run-a', { from: 1, limit: 9 })).rejects.toMatchObject({ code: 'store_damaged', details: { line: 4 } })
  expect(await seqs(reader, 'run-b')).toEqual(upTo(4))
})

test('ST4 damage that later writes stand behind is damage, also without a clean close', async () => {
  const { folder, store } = await storeFolder()
  await writeSmallJournal(store({ host: afterCrash() }), folder)
  await edit(folder, first, (bytes) => bytes.fill('#', bytes.indexOf('"seq":2,"kind"'), bytes.indexOf('"seq":2,"kind"') + 1))
  const next = store({ host: afterCrash() })
  const { warnings } = await next.open({ instance: 'next' })
  expect(warnings).toEqual([expect.stringContaining('run run-a stops there')])
  await expect(seqs(next, 'run-a')).rejects.toMatchObject({ code: 'store_damaged' })
  expect([await seqs(next, 'run-b'), await seqs(next, 'run-c')]).toEqual([upTo(4), upTo(2)])
})

test('VE7 a line that was changed together with its checksum breaks the chain of its run', async () => {
  const { folder, store } = await storeFolder()
  const writer = store()
  await writeSmallJournal(writer, folder)
  await writer.close()
  await editLines(folder, first, (lines) =>
    lines.map((line) => {
      if (!line.includes('"run-a","seq":3')) return line
      const body = line.slice(0, line.lastIndexOf(',"crc":"')).replace('run-a 3', 'run-a 4')
      return `${body},"crc":"${crc32(body).toString(16).padStart(8, '0')}"}`
    }),
  )
  const reader = store()
  expect(await reader.read('run-a', { from: 3, limit: 1 })).toMatchObject([{ text: 'run-a 4' }])
  await expect(seqs(reader, 'run-a')).rejects.toMatchObject({ code: 'store_damaged', details: { readableTo: 3 } })
  await rm(join(folder, 'index.json'))
  const next = store()
  expect((await next.open({ instance: 'next' })).warnings).toEqual([expect.stringContaining('run run-a stops there')])
  expect(await seqs(next, 'run-b')).toEqual(upTo(4))
})

test('ST8 a newer store format is refused and left as it is', async () => {
  const { folder, store } = await storeFolder()
  const writer = store()
  await writeSmallJournal(writer, folder)
  await writer.close()
  await edit(folder, first, (bytes) => Buffer.from(bytes.toString().replace('"format":2', '"format":3')))
  const before = await readFile(join(folder, 'journal', first))
  const next = store()
  await expect(next.open({ instance: 'next' })).rejects.toMatchObject({ code: 'store_too_new' })
  await expect(seqs(next, 'run-a')).rejects.toMatchObject({ code: 'store_too_new' })
  expect(await segments(folder)).toEqual([first])
  expect(await readFile(join(folder, 'journal', first))).toEqual(before)
})

/** Leaves the folder as if nothing had ever been written. */
async function clearJournal(folder: string): Promise<void> {
  for (const name of await readdir(join(folder, 'journal'))) await rm(join(folder, 'journal', name))
  await rm(join(folder, 'index.json'), { force: true })
}
