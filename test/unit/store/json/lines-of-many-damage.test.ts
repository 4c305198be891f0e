import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repairStore, verifyRun } from '../../../../src/fleet/doctor.ts'
import type { Batch, Store } from '../../../../src/ports/store.ts'
import { assembleGroup, prepareBatch } from '../../../../src/store/json/group.ts'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import { RunHeads } from '../../../../src/store/json/run-heads.ts'
import { parseSegment } from '../../../../src/store/json/segment-parse.ts'
import { batch, edit, seqs, storeFolder } from './store-folder.ts'

const first = '00000001.0001.jsonl'
const lineFeed = 10
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

/** A line of many entries of a run. */
interface Line {
  readonly seq: number
  readonly last: number
  readonly line: number
  readonly byte: number
  readonly text: string
}

/** The lines of a run, as a person's editor shows them. */
async function linesOf(folder: string, run: string): Promise<readonly Line[]> {
  let byte = 0
  const lines = (await readFile(join(folder, 'journal', first), 'utf8')).split('\n').map((text, index) => {
    const [, seq = '0', last = '0'] = /^\{"run":"[^"]*","seq":(\d+),"last":(\d+),/.exec(text) ?? []
    const line = { seq: Number(seq), last: Number(last), line: index + 1, byte, text }
    byte += Buffer.byteLength(text) + 1
    return line
  })
  return lines.filter(({ text }) => text.startsWith(`{"run":"${run}",`))
}

/** A folder that holds what was appended, and was closed. */
async function holding(lineChars: number, ...appends: readonly (readonly Batch[])[]) {
  const { folder, store } = await storeFolder()
  const owner = store({ lineChars })
  await owner.open({ instance: 'owner' })
  for (const batches of appends) await owner.append(batches)
  await owner.close()
  const spoil = (byte: number, by = '#') => edit(folder, first, (bytes) => bytes.fill(by, byte, byte + 1))
  return { folder, store, spoil, withoutIndex: () => rm(join(folder, 'index.json')) }
}

/** Lines of 5, 5 and 2 entries, and then of 3. */
async function history() {
  const held = await holding(
    115,
    [batch('run-a', 0, 12, { status: 'running' }), batch('run-b', 0, 12, { status: 'running' })],
    [batch('run-a', 12, 3), batch('run-b', 12, 3)],
  )
  const lines = await linesOf(held.folder, 'run-a')
  expect(lines.map(({ seq, last, line }) => [seq, last, line])).toEqual([
    [1, 5, 3],
    [6, 10, 4],
    [11, 12, 5],
    [13, 15, 9],
  ])
  return { ...held, lines }
}

/** Where in a line something is damaged. */
const places: Readonly<Record<string, (text: string) => number>> = {
  'the place': (text) => text.indexOf('"batch"') + 2,
  'its first entry': (text) => text.indexOf('"kind"') + 2,
  'an entry that is told as a change': (text) => text.lastIndexOf('[0,{') + 7,
  'the checksum': (text) => text.length - 4,
}

test.for(Object.keys(places).flatMap((part) => [2, 3, 4].map((number) => [part, number] as const)))(
  'ST4 damage of %s stops a run before the first entry of its line %i, and the others go on',
  async ([part, number]) => {
    const { folder, store, lines, spoil, withoutIndex } = await history()
    const damaged = lines[number - 1]!
    await spoil(damaged.byte + places[part]!(damaged.text))
    const { line, byte } = damaged
    const wanted = { run: 'run-a', file: join(folder, 'journal', first), line, byte, readableTo: damaged.seq - 1 }
    const examine = async (one: Store) => {
      for (const [from, limit] of [
        [1, 99],
        [damaged.seq, 1],
        [damaged.last, 1],
        [damaged.seq - 1, 2],
      ] as const)
        await expect(one.read('run-a', { from, limit }), `from ${from}`).rejects.toMatchObject({
          code: 'store_damaged',
          details: wanted,
        })
      expect(await seqs(one, 'run-a', damaged.seq - 1)).toEqual(upTo(damaged.seq - 1))
      expect(await seqs(one, 'run-b')).toEqual(upTo(15))
    }
    // Behind the index it is found when it is read, and without one when the store is opened.
    await examine(store())
    await withoutIndex()
    await examine(store())
    const owner = store({ lineChars: 115 })
    expect((await owner.open({ instance: 'owner' })).warnings).toEqual([
      expect.stringContaining(`line ${line}, byte ${byte}: run run-a stops there`),
    ])
    await examine(owner)
    await expect(owner.append([batch('run-a', damaged.seq - 1)])).rejects.toMatchObject({ code: 'store_damaged' })
    await owner.append([batch('run-b', 15, 4)])
    expect(await seqs(owner, 'run-b')).toEqual(upTo(19))
  },
)

test.for([1, 2, 3, 4])(
  'ST4 VE7 verifying names damage of line %i of a run by the same place, and a repair cuts there',
  async (number) => {
    const { folder, store, lines, spoil } = await history()
    const { seq, line, byte, text } = lines[number - 1]!
    await spoil(byte + text.length - 30)
    const spoilt = await linesOf(folder, 'run-a')
    const place = { file: join(folder, 'journal', first), line, byte }
    const verified = await verifyRun({ folder, run: 'run-a' })
    expect(verified).toMatchObject({ seq: seq - 1, findings: [{ part: 'journal', weight: 'lost', ...place }] })
    expect(verified.findings).toHaveLength(1)
    expect((await verifyRun({ folder, run: 'run-b' })).findings).toEqual([])
    const { lost, inspection } = await repairStore({ folder })
    const aside = join(folder, 'aside', `run-a-after-${seq - 1}.jsonl`)
    expect(lost).toEqual([{ run: 'run-a', after: seq - 1, ...place, aside, lines: lines.length - number + 1 }])
    expect((await readFile(aside, 'utf8')).trimEnd().split('\n')).toEqual(spoilt.slice(number - 1).map((one) => one.text))
    expect(inspection.findings.filter(({ weight }) => weight !== 'note')).toEqual([])
    const owner = store({ lineChars: 115 })
    expect((await owner.open({ instance: 'owner' })).warnings).toEqual([])
    expect(await seqs(owner, 'run-a')).toEqual(upTo(seq - 1))
    expect(await seqs(owner, 'run-b')).toEqual(upTo(15))
    if (seq === 1) {
      // Of a run without any entry nothing goes on.
      await expect(owner.append([batch('run-a', 0)])).rejects.toMatchObject({ code: 'run_exists' })
      return
    }
    await owner.append([batch('run-a', seq - 1, 7)])
    await owner.close()
    await rm(join(folder, 'index.json'))
    for (const one of [owner, store()]) {
      expect(await seqs(one, 'run-a')).toEqual(upTo(seq + 6))
      expect(await one.read('run-a', { from: seq, limit: 3 })).toEqual(batch('run-a', seq - 1, 3).entries)
    }
    expect(await verifyRun({ folder, run: 'run-a' })).toMatchObject({ seq: seq + 6, findings: [{ weight: 'note' }] })
  },
)

/** A batch that makes one long line. */
const long = (run: string, after: number, count = 120): Batch => ({
  ...{ run, after },
  entries: batch(run, after, count).entries.map((entry) => ({ ...entry, text: `${run} ${entry.seq} ${'x'.repeat(40)}` })),
})

test('ST4 where the line feed between two long lines is damaged, both runs stop, the one that begins far into the bad bytes as well', async () => {
  // A run that goes on, and one that has nothing else: of neither more comes that would show the gap.
  for (const begun of [[batch('run-b', 0, 2)], []]) {
    const after = begun.length * 2
    const { folder, store, spoil, withoutIndex } = await holding(
      1_000_000,
      [batch('run-a', 0, 2), ...begun, batch('run-c', 0, 2)],
      [long('run-a', 2), long('run-b', after)],
      [batch('run-c', 2)],
    )
    const damaged = (await linesOf(folder, 'run-a')).at(-1)!
    const next = (await linesOf(folder, 'run-b')).at(-1)!
    expect([damaged.text.length > 5_000, next.text.length > 5_000, next.line - damaged.line]).toEqual([true, true, 1])
    expect((await readFile(join(folder, 'journal', first)))[next.byte - 1]).toBe(lineFeed)
    await spoil(next.byte - 1)
    await withoutIndex()
    const { line, byte } = damaged
    const readable = { 'run-a': 2, 'run-b': after }
    const owner = store()
    const { warnings } = await owner.open({ instance: 'owner' })
    expect(warnings.toSorted()).toEqual(
      Object.keys(readable).map((run) => expect.stringContaining(`line ${line}, byte ${byte}: run ${run} stops there`) as string),
    )
    for (const [run, readableTo] of Object.entries(readable)) {
      await expect(seqs(owner, run)).rejects.toMatchObject({ code: 'store_damaged', details: { line, byte, readableTo } })
      expect(await seqs(owner, run, readableTo)).toEqual(upTo(readableTo))
      await expect(owner.append([batch(run, readableTo)])).rejects.toMatchObject({ code: 'store_damaged' })
      expect((await verifyRun({ folder, run })).findings).toMatchObject([{ weight: 'lost', line, byte }])
    }
    expect(await seqs(owner, 'run-c')).toEqual(upTo(3))
    await owner.close()
    const { lost } = await repairStore({ folder })
    expect(lost).toMatchObject(Object.entries(readable).map(([run, last]) => ({ run, after: last, line, byte, lines: 1 })))
    await owner.open({ instance: 'again' })
    await owner.append([batch('run-a', 2, 2)])
    expect(await seqs(owner, 'run-a')).toEqual(upTo(4))
  }
})

test('ST4 whichever bit of a line is damaged, it is told whose it was, or that this cannot be told; no other run is stopped', () => {
  // What its entries say looks like beginnings of lines of another run.
  const quoting = { run: 'run-b', seq: 9, note: 'JJ jj *', input: { run: 'run-b', prev: 'x' } }
  const entries = (after: number) => [1, 2, 3].map((index) => ({ seq: after + index, quoting, run: 'run-b', prev: `${index}` }))
  const written = new RunHeads()
  const groupOf = (at: number, ...batches: readonly Batch[]) => {
    const prepared = batches.map((one) => prepareBatch(one))
    const { bytes, lines } = assembleGroup(prepared, written, at, new LineBuffer())
    return { bytes: Buffer.from(bytes), lines }
  }
  const { bytes: before, lines } = groupOf(0, batch('run-a', 0, 3), batch('run-b', 0, 3), batch('run-3', 0, 3))
  for (const line of lines) written.foldLine(line, '00000001.0001')
  for (const [run, after] of [
    ['run-a', 3],
    ['run-9', 0],
    ['run-4', 0],
  ] as const) {
    const { bytes: line } = groupOf(before.length, { run, after, entries: entries(after) })
    const { bytes: next } = groupOf(before.length + line.length, batch('run-b', 3, 1))
    const bits = (line.length - 1) * 8
    let claimed = 0
    // The line feed ends it: with that damaged, it is the one behind it that begins later.
    for (let bit = 0; bit < bits; bit += 1) {
      const spoilt = Buffer.from(line)
      spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const heads = new RunHeads()
      heads.fold(parseSegment(Buffer.concat([before, spoilt, next]), 0, true).items, '00000001.0001')
      const stopped = heads.damages.map((one) => one.run)
      expect(stopped.length, `${run}, bit ${bit}`).toBeGreaterThan(0)
      for (const other of ['run-b', 'run-3']) expect(stopped.includes(other), `${run}, bit ${bit}, ${other}`).toBe(false)
      if (stopped.includes(run)) claimed += 1
      // A run that has lines before is always told.
      else expect(after, `${run}, bit ${bit}`).toBe(0)
    }
    expect(claimed / bits).toBeGreaterThan(0.6)
  }
})
